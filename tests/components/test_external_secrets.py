"""Open source with a secret manager: External Secrets brings declared secrets to the pods."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.existing_secrets import exports
from components.kubernetes.external_secrets import template
from components.kubernetes.operator_hints import explain_not_ready
from components.settings.declared import DeclaredSecret
from components.validation import load
from tests.components.recording_support import Recorder, run
from tests.conftest import stack_document
from tests.settings.malformed_fixtures import PLANTED, oss

CLOUDS = ("vault", "aws", "gcp", "azure")
EXTERNAL_SECRET = "ExternalSecret"
STORE = "SecretStore"
VAULT = {"type": "vault", "vault": {"address": "https://vault:8200"}}
PLAIN = {"existing": {"kubernetes-secret": "smtp", "key": "password"}}


def _example(cloud: str) -> Recorder:
    """The example without its bucket, of which the pods have an identity."""
    document = stack_document(f"example-oss-{cloud}")
    document.pop("storage-bucket", None)
    return run(document)


def _specs(recorded: Recorder) -> dict[str, Any]:
    return {name: inputs["spec"] for name, inputs in recorded.of(EXTERNAL_SECRET).items()}


def _pods(recorded: Recorder) -> list[Any]:
    deployments = recorded.of("Deployment").values()
    return [inputs["spec"]["template"] for inputs in deployments]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_example_has_a_store_without_a_credential_and_waits_for_the_operator(cloud: str) -> None:
    recorded = _example(cloud)
    (store,) = recorded.of(STORE).values()
    assert "secretref" not in json.dumps(store).lower()
    assert "kestra-secrets" in json.dumps(store["spec"])
    ready = {"pulumi.com/waitFor": "condition=Ready"}
    for inputs in (store, *recorded.of(EXTERNAL_SECRET).values()):
        assert inputs["metadata"]["annotations"] == ready
        assert "name" not in inputs["metadata"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_values_are_in_no_secret_that_pulumi_makes(cloud: str) -> None:
    recorded = _example(cloud)
    in_cluster = {n: i for n, (t, i) in recorded.resources.items() if t.startswith("kubernetes:")}
    text = json.dumps(in_cluster)
    declared = [n for n in recorded.resources if n.startswith("generated-declared-")]
    assert declared
    for name in declared:
        value = f"Password-1-of-{name}"
        assert value not in text
        assert base64.b64encode(value.encode()).decode() not in text


def _declared(cloud: str) -> set[str]:
    document: dict[str, Any] = stack_document(f"example-oss-{cloud}")
    return set(document["declared-secrets"])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_the_stack_wrote_is_pinned_and_what_others_rotate_is_followed(cloud: str) -> None:
    specs = _specs(_example(cloud))
    pinned = specs["kestra-external-secrets-declared"]
    followed = specs["kestra-external-secrets-followed"]
    assert pinned["refreshPolicy"] == "CreatedOnce"
    assert pinned["target"]["immutable"] is True
    assert all(entry["remoteRef"]["version"] for entry in pinned["data"])
    assert followed["refreshPolicy"] == "Periodic"
    assert "immutable" not in followed["target"]
    assert all("version" not in entry["remoteRef"] for entry in followed["data"])
    for spec in specs.values():
        assert (spec["target"]["creationPolicy"], spec["target"]["deletionPolicy"]) == (
            "Owner",
            "Retain",
        )
    names = {entry["secretKey"] for entry in (*pinned["data"], *followed["data"])}
    assert names == _declared(cloud)


def test_what_aws_rotates_itself_is_followed() -> None:
    followed = _specs(_example("aws"))["kestra-external-secrets-followed"]
    assert {entry["secretKey"] for entry in followed["data"]} == {
        "DATABASE_PASSWORD",
        "SMTP_PASSWORD",
    }


@pytest.mark.parametrize("cloud", CLOUDS)
def test_another_version_or_store_is_another_object(cloud: str) -> None:
    recorded = _example(cloud)
    for name in (*recorded.of(STORE), *recorded.of(EXTERNAL_SECRET)):
        assert list(recorded.requests[name].replaceOnChanges) == ["spec"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_pods_read_the_operators_secrets_and_have_no_identity_in_the_store(cloud: str) -> None:
    recorded = _example(cloud)
    names = set(recorded.of(EXTERNAL_SECRET))
    for pod in _pods(recorded):
        sources = pod["spec"]["containers"][0]["envFrom"]
        assert names <= {source["secretRef"]["name"] for source in sources if "secretRef" in source}
        assert pod["spec"]["serviceAccountName"] == "kestra"
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert "azure.workload.identity/use" not in pod["metadata"]["labels"]
    accounts = recorded.of("ServiceAccount")
    own, operators = accounts["kestra-service-account"], accounts["kestra-external-secrets-account"]
    assert operators["metadata"]["name"] == "kestra-secrets"
    shared = set((own["metadata"].get("annotations") or {}).values()) & set(
        (operators["metadata"].get("annotations") or {}).values()
    )
    assert not shared


def test_reloader_is_told_of_what_others_rotate_alone() -> None:
    document = oss(
        declared_secrets={
            "TOKEN": {"generate": {}},
            "SMTP": {"existing": {"name": "a"}},
            "OLD": PLAIN,
        },
        store=VAULT,
    )
    (deployment,) = run(document).of("Deployment").values()
    annotation = deployment["metadata"]["annotations"]["secret.reloader.stakater.com/reload"]
    assert annotation == "kestra-external-secrets-followed,smtp"
    without = oss(declared_secrets={"TOKEN": {"generate": {}}}, store=VAULT)
    (deployment,) = run(without).of("Deployment").values()
    assert "secret.reloader.stakater.com/reload" not in deployment["metadata"]["annotations"]


def test_vaults_policy_names_each_secret_and_no_list() -> None:
    document = oss(
        declared_secrets={
            "TOKEN": {"generate": {}},
            "SMTP": {"existing": {"name": "platform/smtp"}},
        },
        store=VAULT,
    )
    (policy,) = run(document).of("Policy").values()
    assert policy["policy"] == (
        'path "kestra/data/main/TOKEN" {\n  capabilities = ["read"]\n}\n'
        'path "kestra/data/platform/smtp" {\n  capabilities = ["read"]\n}\n'
        'path "auth/token/lookup-self" {\n  capabilities = ["read"]\n}\n'
        'path "auth/token/revoke-self" {\n  capabilities = ["update"]\n}\n'
    )


def test_aws_allows_the_value_of_each_secret_and_nothing_else() -> None:
    (policy,) = _example("aws").of("RolePolicy").values()
    allowed = [s for s in json.loads(policy["policy"])["Statement"] if s["Effect"] == "Allow"]
    assert [action for s in allowed for action in s["Action"]] == [
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
    ]
    secrets = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
    assert allowed[0]["Resource"] == [
        f"{secrets}{name}-??????"
        for name in (
            "kestra-oss/main/API_TOKEN",
            "kestra-oss/main/DATABASE_PASSWORD",
            "platform/smtp",
        )
    ]


def test_google_grants_each_secret_and_nothing_on_the_project() -> None:
    recorded = _example("gcp")
    assert not [n for n, (t, _) in recorded.resources.items() if t.startswith("gcp:projects/iAM")]
    grants = recorded.of("SecretIamMember").values()
    assert {grant["secretId"] for grant in grants} == {
        "kestra-oss-API_TOKEN",
        "platform-smtp-password",
    }


def test_azure_gives_a_role_on_each_secret_and_none_on_the_vault() -> None:
    roles = _example("azure").of("RoleAssignment").values()
    assert sorted(role["scope"].rpartition("/secrets/")[2] for role in roles) == [
        "kestra-API-TOKEN",
        "platform-smtp-password",
    ]


def test_the_operator_is_installed_for_one_namespace_where_the_settings_ask() -> None:
    asked = oss(declared_secrets={"TOKEN": {"generate": {}}}, store=VAULT | {"install": True})
    (release,) = run(asked).of("Release").values()
    assert release["version"] == "0.16.2"
    assert (release["values"]["scopedNamespace"], release["values"]["scopedRBAC"]) == (
        "kestra",
        True,
    )
    assert release["values"]["processClusterStore"] is False
    assert not _example("vault").of("Release")


def test_a_stack_without_a_store_registers_nothing_of_external_secrets() -> None:
    recorded = run(oss(declared_secrets={"TOKEN": {"generate": {}}, "OLD": PLAIN}))
    assert not [name for name in recorded.resources if "external-secrets" in name]
    data = recorded.of("Secret")["kestra-secret"]["stringData"]
    assert "SECRET_TOKEN" in json.dumps(data)
    assert "SECRET_OLD" not in json.dumps(data)


def test_a_plain_secret_is_encoded_by_the_container_that_reads_it(tmp_path: Path) -> None:
    value = f"{PLANTED} ü\n'\"$(id)"
    (tmp_path / "OLD").write_text(value)
    settings = load(oss(declared_secrets={"OLD": PLAIN}), source="test").settings
    (command,) = exports(settings)
    script = command.replace("/etc/kestra-secrets", str(tmp_path)) + ' && printf %s "$SECRET_OLD"'
    shown = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True).stdout
    assert base64.b64decode(shown).decode() == value
    (tmp_path / "OLD").unlink()
    assert subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=False).returncode


def test_a_value_that_is_encoded_already_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "OLD").write_text("UGw0bnRlZA==")
    block = {"existing": PLAIN["existing"] | {"encoding": "base64"}}
    settings = load(oss(declared_secrets={"OLD": block}), source="test").settings
    (command,) = exports(settings)
    script = command.replace("/etc/kestra-secrets", str(tmp_path)) + ' && printf %s "$SECRET_OLD"'
    shown = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True).stdout
    assert shown == b"UGw0bnRlZA=="
    declared = DeclaredSecret.model_validate({"existing": {"name": "a", "encoding": "base64"}})
    assert template("OLD", declared) == '{{ index . "OLD" }}'
    declared = DeclaredSecret.model_validate({"existing": {"name": "a"}})
    assert template("OLD", declared) == '{{ index . "OLD" | b64enc }}'


def test_a_file_of_a_volume_is_read_where_it_is() -> None:
    block = {"existing": {"file": "/mnt/secrets/smtp-password"}}
    settings = load(oss(declared_secrets={"SMTP": block}), source="test").settings
    assert exports(settings) == [
        'SECRET_SMTP="$(base64 -w 0 /mnt/secrets/smtp-password)" && export SECRET_SMTP'
    ]


def test_what_fails_names_the_command_that_shows_the_operators_words() -> None:
    inputs = {"kind": "ExternalSecret", "metadata": {"namespace": "kestra", "name": "kestra-1a2b"}}
    words = "timed out waiting for the condition"
    assert explain_not_ready(words, inputs).endswith(
        "kubectl --namespace kestra describe externalsecret kestra-1a2b"
    )
    assert "kestra:identity" in explain_not_ready(words, inputs | {"kind": "SecretStore"})
    assert explain_not_ready(words, inputs | {"kind": "Deployment"}) == ""
    assert explain_not_ready('no matches for kind "ExternalSecret"', inputs) == ""
