"""The stand-in for the gcp plugin, through the real engine; secrets on a Secret Manager API server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest
import requests

from sandbox.leak_scan.scan import search
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects
from sandbox.services import GoogleCloud
from tests.conftest import running
from tests.plugins.cloud_support import CloudStack, Program, imported, raw

pytestmark = pytest.mark.engine

PLANTED = "Pl4nted-Google-Zq81"
SECRET = "projects/sandbox/secrets/app_password"
RING = "projects/sandbox/locations/europe-west1/keyRings/kestra"
KEY = f"{RING}/cryptoKeys/secrets"
EMAIL = "kestra@sandbox.iam.gserviceaccount.com"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[GoogleCloud]:
    with running(GoogleCloud(tmp_path / "gcp")) as server:
        yield server


@pytest.fixture
def stack(tmp_path: Path, cloud: GoogleCloud, tools: dict[str, Path]) -> CloudStack:
    return CloudStack(tmp_path / "one", tools["pulumi"], ["gcp"], cloud.environment)


def _call(cloud: GoogleCloud, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{cloud.address}/v1/{path}", json=body, timeout=30)
    return answer.json() if answer.ok else answer.status_code


def everything(
    value: str = PLANTED, team: str = "data", description: str = "d", aliases: bool = False
) -> None:
    project = gcp.organizations.get_project()
    service = gcp.projects.Service("api", service="secretmanager.googleapis.com")
    agent = gcp.projects.ServiceIdentity("agent", service=service.service)
    ring = gcp.kms.KeyRing("ring", name="kestra", location="europe-west1")
    key = gcp.kms.CryptoKey(
        "key", name="secrets", key_ring=ring.id, rotation_period="7776000s", labels={"a": "b"}
    )
    use = gcp.kms.CryptoKeyIAMMember(
        "use",
        crypto_key_id=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=agent.member,
    )
    secret = gcp.secretmanager.Secret(
        "secret",
        secret_id="app_password",
        labels={"team": team},
        annotations={"namespace": "company.team"},
        version_destroy_ttl="86400s",
        version_aliases={"current": "1"} if aliases else None,
        replication={
            "user_managed": {
                "replicas": [
                    {
                        "location": "europe-west1",
                        "customer_managed_encryption": {"kms_key_name": key.id},
                    }
                ]
            }
        },
        opts=pulumi.ResourceOptions(depends_on=[use]),
    )
    version = gcp.secretmanager.SecretVersion(
        "version", secret=secret.id, secret_data=pulumi.Output.secret(value)
    )
    account = gcp.serviceaccount.Account(
        "account", account_id="kestra", display_name="Kestra", description=description
    )
    gcp.serviceaccount.IAMMember(
        "identity",
        service_account_id=account.name,
        role="roles/iam.workloadIdentityUser",
        member="serviceAccount:sandbox.svc.id.goog[kestra/kestra]",
    )
    role = gcp.projects.IAMCustomRole(
        "role", role_id="kestraLister", title="Lister", permissions=["secretmanager.secrets.list"]
    )
    gcp.projects.IAMMember(
        "lister",
        project="sandbox",
        role=role.name,
        member=account.member,
        condition={"title": "only", "expression": "true"},
    )
    gcp.secretmanager.SecretIamMember(
        "reader",
        secret_id=secret.id,
        role="roles/secretmanager.secretAccessor",
        member=account.member,
    )
    pulumi.export("version", version.name)
    pulumi.export("email", account.email)
    pulumi.export("number", project.number)
    pulumi.export("agent", agent.email)
    pulumi.export("labels", secret.effective_labels)


def test_a_life_of_every_resource(stack: CloudStack, cloud: GoogleCloud) -> None:
    assert stack.preview(everything) == {"create": 13}
    changes, outputs = stack.up(everything)
    assert changes == {"create": 13}
    assert outputs["version"] == f"{SECRET}/versions/1"
    assert outputs["email"] == EMAIL
    assert outputs["agent"] == (
        f"service-{outputs['number']}@gcp-sa-secretmanager.iam.gserviceaccount.com"
    )
    assert outputs["labels"] == {"team": "data", "goog-pulumi-provisioned": "true"}
    data = _call(cloud, "GET", f"{SECRET}/versions/latest:access")["payload"]["data"]
    assert base64.b64decode(data).decode() == PLANTED
    assert stack.resource("key")["id"] == KEY
    assert stack.resource("lister")["id"] == (
        f"sandbox/projects/sandbox/roles/kestraLister/serviceAccount:{EMAIL}/only//true"
    )

    assert stack.up(everything)[0] == {}
    assert stack.refresh(everything) == {}
    assert stack.up(everything)[0] == {}

    changes, outputs = stack.up(lambda: everything(team="ops", description="e", aliases=True))
    assert changes == {"update": 2}
    assert outputs["labels"]["team"] == "ops"
    changed = _call(cloud, "GET", SECRET)
    assert changed["labels"] == {"team": "ops", "goog-pulumi-provisioned": "true"}
    assert stack.outputs_of("secret")["versionAliases"] == {"current": "1"}

    changes, outputs = stack.up(lambda: everything(value="An0ther-Zq81", aliases=True))
    assert changes == {"replace": 1, "update": 2}
    assert outputs["version"] == f"{SECRET}/versions/2"
    assert _call(cloud, "GET", f"{SECRET}/versions/1")["state"] == "DESTROYED"

    places = [stack.state, cloud.directory]
    assert search(places, {"planted": PLANTED, "another": "An0ther-Zq81"}) == []
    assert PLANTED not in stack.told
    assert "An0ther-Zq81" not in stack.told

    assert stack.destroy(everything) == {"delete": 13}
    assert _call(cloud, "GET", SECRET) == 404
    # Google keeps key rings, keys, the accounts of services and, as it is told to, services for good.
    with FileBackedObjects(cloud.state).open() as objects:
        kept = {id_ for id_, o in objects.items() if not o.get("deleted")}
        assert kept == {
            RING,
            KEY,
            "sandbox/secretmanager.googleapis.com",
            "projects/sandbox/services/secretmanager.googleapis.com",
        }
        assert objects[KEY]["primaries"] == []
    assert "KeyRing projects/sandbox/locations/europe-west1/keyRings/kestra already exists" in (
        stack.refused(everything)
    )


def test_drift_is_seen_and_mended(stack: CloudStack, cloud: GoogleCloud) -> None:
    stack.up(everything)
    _call(cloud, "PATCH", SECRET, {"labels": {"team": "stolen", "foreign": "label"}})
    _call(cloud, "POST", f"{SECRET}/versions/1:disable")
    with FileBackedObjects(cloud.state).open() as objects:
        objects[KEY].pop("rotationPeriod")
        del objects[f"{SECRET}/roles/secretmanager.secretAccessor/serviceAccount:{EMAIL}"]
    assert stack.refresh(everything) == {"update": 3, "delete": 1}
    changes, outputs = stack.up(everything)
    assert changes == {"update": 3, "create": 1}
    # What others put on the secret stays theirs.
    assert outputs["labels"] == {
        "team": "data",
        "foreign": "label",
        "goog-pulumi-provisioned": "true",
    }
    assert _call(cloud, "GET", f"{SECRET}/versions/1")["state"] == "ENABLED"
    assert stack.refresh(everything) == {}

    _call(cloud, "DELETE", SECRET)
    # The version and the member of the policy go with their secret.
    assert stack.refresh(everything) == {"delete": 3}
    assert stack.up(everything)[0] == {"create": 3}


def test_what_is_there_is_imported(
    stack: CloudStack, cloud: GoogleCloud, tools: dict[str, Path], tmp_path: Path
) -> None:
    stack.up(everything)

    def adopted() -> None:
        gcp.secretmanager.Secret(
            "secret",
            secret_id="app_password",
            annotations={},
            version_destroy_ttl="86400s",
            replication={
                "user_managed": {
                    "replicas": [
                        {
                            "location": "europe-west1",
                            "customer_managed_encryption": {"kms_key_name": KEY},
                        }
                    ]
                }
            },
            opts=imported(SECRET),
        )
        gcp.secretmanager.SecretVersion(
            "version",
            secret=SECRET,
            secret_data=pulumi.Output.secret(PLANTED),
            opts=imported(f"{SECRET}/versions/1"),
        )
        gcp.kms.KeyRing("ring", name="kestra", location="europe-west1", opts=imported(RING))
        gcp.serviceaccount.Account(
            "account",
            account_id="kestra",
            display_name="Kestra",
            description="d",
            opts=imported(f"projects/sandbox/serviceAccounts/{EMAIL}"),
        )
        gcp.secretmanager.SecretIamMember(
            "reader",
            secret_id=SECRET,
            role="roles/secretmanager.secretAccessor",
            member=f"serviceAccount:{EMAIL}",
            opts=imported(f"{SECRET} roles/secretmanager.secretAccessor serviceAccount:{EMAIL}"),
        )
        gcp.projects.IAMMember(
            "lister",
            project="sandbox",
            role="projects/sandbox/roles/kestraLister",
            member=f"serviceAccount:{EMAIL}",
            condition={"title": "only", "expression": "true"},
            opts=imported(
                f"sandbox projects/sandbox/roles/kestraLister serviceAccount:{EMAIL} only"
            ),
        )

    other = CloudStack(tmp_path / "two", tools["pulumi"], ["gcp"], cloud.environment)
    assert other.up(adopted)[0] == {"create": 1, "import": 6}  # the stack itself is created
    assert other.resource("reader")["id"] == stack.resource("reader")["id"]
    assert search([other.state], {"planted": PLANTED}) == []


def test_another_replication_or_name_replaces_a_secret_and_another_key_does_not(
    stack: CloudStack,
) -> None:
    def program(name: str, replication: Any) -> Program:
        def act() -> None:
            gcp.secretmanager.Secret("secret", secret_id=name, replication=replication)

        return act

    key = "projects/other/locations/global/keyRings/r/cryptoKeys/k"
    stack.up(program("a", {"auto": {}}))
    with_key = {"auto": {"customer_managed_encryption": {"kms_key_name": key}}}
    assert stack.up(program("a", with_key))[0] == {"update": 1}
    regional = {"user_managed": {"replicas": [{"location": "europe-west1"}]}}
    assert stack.up(program("a", regional))[0] == {"replace": 1}
    assert stack.up(program("b", regional))[0] == {"replace": 1}
    more = {"user_managed": {"replicas": [*regional["user_managed"]["replicas"], {"location": "europe-west4"}]}}  # fmt: skip
    assert stack.up(program("b", more))[0] == {"replace": 1}


@pytest.mark.parametrize(
    ("type_", "properties", "words"),
    [
        ("gcp:secretmanager/secret:Secret", {"secretId": "a"}, 'The argument "replication" is required'),
        ("gcp:secretmanager/secret:Secret", {"secretId": "a", "versionAliases": {"current": "1"}, "replication": {"auto": {}}}, "names version 1, which does not exist"),
        ("gcp:secretmanager/secretVersion:SecretVersion", {"secret": "projects/sandbox/secrets/none", "secretData": "x"}, "Error 404: Secret [projects/sandbox/secrets/none] not found."),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_the_words_of_the_provider_and_the_server(
    stack: CloudStack, type_: str, properties: dict[str, Any], words: str
) -> None:
    assert words in stack.refused(raw(type_, "n", properties)).replace('\\"', '"')


def test_a_protected_secret_and_a_prevented_deletion_stay(stack: CloudStack) -> None:
    def program(protected: bool) -> Program:
        def act() -> None:
            gcp.secretmanager.Secret(
                "secret",
                secret_id="kept",
                replication={"auto": {}},
                deletion_protection=protected,
            )
            gcp.serviceaccount.Account(
                "account", account_id="kestra", deletion_policy="PREVENT" if protected else None
            )

        return act

    stack.up(program(True))
    words = stack.refused(lambda: None)
    assert "deletion_protection=false" in words
    assert "its deletion_policy is PREVENT" in words
    assert stack.up(program(False))[0] == {"update": 2}
    assert stack.up(lambda: None)[0] == {"delete": 2}


def test_without_an_endpoint_google_is_not_called(tmp_path: Path, tools: dict[str, Path]) -> None:
    environment = {"GOOGLE_PROJECT": "p", "KESTRA_SANDBOX_GCP_STATE": str(tmp_path / "s.json")}
    stack = CloudStack(tmp_path / "one", tools["pulumi"], ["gcp"], environment)
    secret = {"secretId": "a", "replication": {"auto": {}}}
    words = stack.refused(raw("gcp:secretmanager/secret:Secret", "n", secret))
    assert "this stand-in calls no server of Google" in words
