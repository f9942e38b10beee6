"""The real External Secrets Operator on loopback: what it brings, what it may not read, and what an update says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from kubernetes import client, config
from pulumi import automation
from pulumi_kubernetes.apiextensions import CustomResource

from sandbox.custom_resources import EXTERNAL_SECRETS as DEFINITIONS
from sandbox.custom_resources import fetch, install
from sandbox.doctor.callers import api_versions
from sandbox.external_secrets import Cluster, owner_of_missing_values
from sandbox.external_secrets_check import check_limits, read_delivered
from sandbox.progress import Progress
from sandbox.services import AwsServer, ControlPlane, ExternalSecrets, GoogleCloud, Vault
from sandbox.store_owner import Remote, VaultOwner
from sandbox.tools import EXTERNAL_SECRETS, ensure
from sandbox.vault_check import Client
from tests.conftest import running
from tests.plugins.kubernetes_stack_support import KubernetesStack
from tests.tiers import long

pytestmark = [pytest.mark.engine, long("stacks")]

ROLE = "kestra-secrets"
VALUE = "Planted-Value-91c2ä{{ }}\n"
NOWHERE = GoogleCloud(Path("/nonexistent"))
POLICY = """
path "kestra-eso/data/main/*" { capabilities = ["read"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
"""


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane,
    aws_server: AwsServer,
    progress: Progress,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ExternalSecrets]:
    install(control_plane, fetch(DEFINITIONS, progress))
    tool = ensure([EXTERNAL_SECRETS], progress)
    folder = tmp_path_factory.mktemp("external-secrets")
    with running(ExternalSecrets(folder, tool, control_plane, aws_server, NOWHERE)) as started:
        yield started


@pytest.fixture(scope="module")
def owner(control_plane: ControlPlane, vault_server: Vault, space: str) -> VaultOwner:
    """The engine of Vault that a role of the namespace's account reads in part."""
    root = Client(vault_server.address, vault_server.root_token)
    kubernetes = {
        "kubernetes_host": control_plane.url,
        "kubernetes_ca_cert": control_plane.ca_file.read_text(),
        "disable_local_ca_jwt": True,
    }
    role = {
        "bound_service_account_names": [ROLE],
        "bound_service_account_namespaces": [space],
        "token_policies": [ROLE],
        "token_no_default_policy": True,
    }
    for path, body in (
        ("sys/mounts/kestra-eso", {"type": "kv", "options": {"version": "2"}}),
        ("sys/auth/eso", {"type": "kubernetes"}),
        ("auth/eso/config", kubernetes),
        (f"sys/policies/acl/{ROLE}", {"policy": POLICY}),
        (f"auth/eso/role/{ROLE}", role),
    ):
        root.call("POST", path, body).raise_for_status()
    return VaultOwner(root, "kestra-eso")


@pytest.fixture(scope="module")
def account(space: str, control_plane: ControlPlane) -> str:
    """The service account that logs in to Vault; Vault reviews its token with the token itself."""
    config.load_kube_config(str(control_plane.kubeconfig), persist_config=False)
    body: Any = {"metadata": {"name": ROLE}}
    client.CoreV1Api().create_namespaced_service_account(space, body)
    binding: Any = {
        "metadata": {"name": f"{space}-review"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": ROLE, "namespace": space}],
    }  # fmt: skip
    client.RbacAuthorizationV1Api().create_cluster_role_binding(binding)
    return ROLE


def _vault(vault_server: Vault, role: str = ROLE) -> dict[str, Any]:
    login = {"mountPath": "eso", "role": role, "serviceAccountRef": {"name": ROLE}}
    return {
        "vault": {
            "server": vault_server.address,
            "path": "kestra-eso",
            "version": "v2",
            "auth": {"kubernetes": login},
        }
    }


def _secret(name: str, key: str, **more: Any) -> dict[str, Any]:
    return {
        "secretStoreRef": {"kind": "SecretStore", "name": "store"},
        "target": {
            "creationPolicy": "Owner",
            "deletionPolicy": "Retain",
            "template": {
                "engineVersion": "v2",
                "mergePolicy": "Replace",
                "data": {f"SECRET_{name}": f'{{{{ index . "{name}" | b64enc }}}}'},
            },
        },
        "data": [{"secretKey": name, "remoteRef": {"key": key, "property": "value"}}],
        **more,
    }


def _object(name: str, kind: str, space: str, spec: Any, *after: pulumi.Resource) -> CustomResource:
    annotations = {"pulumi.com/waitFor": "condition=Ready"}
    return CustomResource(
        name,
        api_version="external-secrets.io/v1",
        kind=kind,
        metadata={"name": name, "namespace": space, "annotations": annotations},
        spec=spec,
        opts=pulumi.ResourceOptions(
            depends_on=list(after), custom_timeouts=pulumi.CustomTimeouts(create="15s")
        ),
    )


def _program(space: str, provider: Any, **secrets: Any) -> Callable[[], None]:
    def program() -> None:
        store = _object("store", "SecretStore", space, {"provider": provider})
        for name, spec in secrets.items():
            _object(name, "ExternalSecret", space, spec, store)

    return program


@pytest.fixture
def limits(
    operator: ExternalSecrets,
    owner: VaultOwner,
    account: str,
    stack: KubernetesStack,
    vault_server: Vault,
    control_plane: ControlPlane,
) -> Cluster:
    """A stack with a secret at one version and one that its owner changes."""
    owner.write(Remote("main/API_TOKEN"), VALUE)
    pinned = _secret("API_TOKEN", "main/API_TOKEN", refreshPolicy="CreatedOnce")
    pinned["data"][0]["remoteRef"]["version"] = "1"
    followed = _secret("SMTP_PASSWORD", "main/platform/smtp", refreshInterval="10s")
    program = _program(stack.namespace, _vault(vault_server), pinned=pinned, followed=followed)
    notes: list[str] = []
    with owner_of_missing_values(
        control_plane, stack.namespace, (vault_server, None, None), notes.append
    ):
        assert stack.up(program)["create"] == 4
    assert notes == [
        "Nobody owns main/platform/smtp on this machine: the sandbox put a value there."
    ]
    assert VALUE.strip() not in stack.state_text()
    assert set(stack.up(program)) == {"same"}
    return Cluster(control_plane, stack.namespace)


def test_a_secret_arrives_another_name_is_refused_and_a_rotation_follows(
    limits: Cluster, vault_server: Vault, operator: ExternalSecrets
) -> None:
    servers = (vault_server, None, None)
    delivered = read_delivered(limits, servers, "none")
    assert delivered.values["API_TOKEN"] == VALUE
    bad = [c["what"] for c in delivered.checks if not c["ok"]]
    # Nothing runs here that has them in its environment.
    assert all(what.startswith("the pods have the variables") for what in bad)
    checks = check_limits(limits, servers, ["API_TOKEN"])["checks"]
    assert [c["ok"] for c in checks] == [True, True]
    assert "refused (403)" in checks[0]["what"]
    seconds = re.search(r"after ([\d.]+) s \(refresh-interval 10 s\)", checks[1]["what"])
    assert seconds
    assert float(seconds[1]) < 15
    # The one at a version stays as it is.
    assert read_delivered(limits, servers, "none").values["API_TOKEN"] == VALUE
    assert VALUE.strip() not in operator.server.log.read_text()


def test_an_update_that_is_refused_says_so_in_the_operators_words(
    operator: ExternalSecrets,
    owner: VaultOwner,
    account: str,
    stack: KubernetesStack,
    vault_server: Vault,
) -> None:
    owner.write(Remote("other/X"), VALUE)
    refused = _secret("X", "other/X", refreshInterval="1h")
    with pytest.raises(automation.CommandError) as error:
        stack.up(_program(stack.namespace, _vault(vault_server), refused=refused))
    words = str(error.value)
    assert "[SecretSyncedError] could not get secret data from provider" in words
    assert "ExternalSecret refused: [UpdateFailed]" in words
    assert "permission denied" in words
    assert VALUE.strip() not in words
    core: Any = client.CoreV1Api()
    names = [s.metadata.name for s in core.list_namespaced_secret(stack.namespace).items]
    assert "refused" not in names


def test_a_store_whose_log_in_fails_says_why(
    operator: ExternalSecrets, owner: VaultOwner, account: str, stack: KubernetesStack, vault_server: Vault
) -> None:  # fmt: skip
    with pytest.raises(automation.CommandError) as error:
        stack.up(_program(stack.namespace, _vault(vault_server, role="nosuch")))
    assert "[InvalidProviderConfig] unable to create client" in str(error.value)
    assert 'invalid role name "nosuch"' in str(error.value)


def test_its_webhook_refuses_what_no_definition_refuses(
    operator: ExternalSecrets, stack: KubernetesStack
) -> None:
    aws = {"service": "SecretsManager", "region": "nowhere-1"}
    with pytest.raises(automation.CommandError) as error:
        stack.up(_program(stack.namespace, {"aws": aws}))
    assert "validate.secretstore.external-secrets.io" in str(error.value)


def test_aws_is_read_as_the_service_account(
    operator: ExternalSecrets, aws_server: AwsServer, stack: KubernetesStack
) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = aws_server.client("iam").create_role(
        RoleName="eso", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    body: Any = {"metadata": {"name": "aws", "annotations": {"eks.amazonaws.com/role-arn": role}}}
    stack.core.create_namespaced_service_account(stack.namespace, body)
    secrets = aws_server.client("secretsmanager")
    secrets.create_secret(Name="team/token", SecretString=json.dumps({"value": VALUE}))
    jwt = {"jwt": {"serviceAccountRef": {"name": "aws"}}}
    provider = {"aws": {"service": "SecretsManager", "region": "eu-central-1", "auth": jwt}}
    stack.up(_program(stack.namespace, provider, read=_secret("TOKEN", "team/token")))
    data = stack.core.read_namespaced_secret("read", stack.namespace).data
    assert list(data) == ["SECRET_TOKEN"]


def test_it_has_the_rights_of_its_chart_and_no_others(
    operator: ExternalSecrets, control_plane: ControlPlane
) -> None:
    assert "v1" in api_versions("external-secrets.io", control_plane.kubeconfig)
    own = config.new_client_from_config(str(operator.directory / "kubeconfig"))
    reviews: Any = client.AuthorizationV1Api(own)

    def may(verb: str, resource: str, group: str = "") -> bool:
        attributes = {"verb": verb, "resource": resource, "group": group}
        review = {"spec": {"resourceAttributes": attributes}}
        return reviews.create_self_subject_access_review(review).status.allowed

    assert may("update", "secrets")
    assert may("watch", "externalsecrets", "external-secrets.io")
    for verb, resource, group in (
        ("list", "pods", ""),
        ("create", "serviceaccounts", ""),
        ("update", "configmaps", ""),
        ("create", "externalsecrets", "external-secrets.io"),
        ("get", "deployments", "apps"),
        ("create", "clusterrolebindings", "rbac.authorization.k8s.io"),
    ):
        assert not may(verb, resource, group), (verb, resource)


def test_it_starts_again_where_a_server_has_moved_and_ends_by_its_id(
    operator: ExternalSecrets, control_plane: ControlPlane, tmp_path: Path
) -> None:
    before = operator.server.identity
    assert operator.start().server.identity == before
    moved = AwsServer(tmp_path)
    (tmp_path / "port").write_text("1")
    tool = {EXTERNAL_SECRETS: Path(operator.command()[0])}
    other = ExternalSecrets(operator.directory, tool, control_plane, moved, NOWHERE)
    after = other.start().server.identity
    assert after is not None
    assert after != before
    assert other.healthy
    other.stop()
    assert not after.alive
    operator.start()
