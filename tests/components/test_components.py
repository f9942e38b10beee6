"""What every component keeps to, and what outlives a stack."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from tests.components.inventory_support import documents
from tests.components.recording_support import register, run
from tests.conftest import stack_document

STACKS = documents()


def _production(stack: str, **deployment: Any) -> dict[str, Any]:
    document = stack_document(stack)
    tags: Any = document["tags"]
    settings: Any = document["deployment"]
    return document | {
        "tags": tags | {"environment": "production"},
        "deployment": settings | deployment,
    }


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_has_a_component_for_a_parent(stack: str) -> None:
    recorded = run(STACKS[stack])
    for name, (type_, _) in recorded.resources.items():
        if not type_.startswith("kestra:"):
            assert re.search(r"kestra:\w+:\w+::", recorded.parents[name]), name


#: States of every user hold these: another token would replace what is under it, protected keys included.
TYPE_TOKENS = {
    "AwsIdentity": "kestra:identity:AwsIdentity",
    "AwsParameterStore": "kestra:stores:AwsParameterStore",
    "AwsStore": "kestra:stores:AwsStore",
    "AzureIdentity": "kestra:identity:AzureIdentity",
    "AzureStore": "kestra:stores:AzureStore",
    "BlobStorage": "kestra:storage:BlobStorage",
    "EmbeddedStore": "kestra:stores:EmbeddedStore",
    "ExternalSecrets": "kestra:kestra:ExternalSecrets",
    "GcpIdentity": "kestra:identity:GcpIdentity",
    "GcpStore": "kestra:stores:GcpStore",
    "GcsStorage": "kestra:storage:GcsStorage",
    "GeneratedSecrets": "kestra:generated:GeneratedSecrets",
    "Guard": "kestra:guard:Guard",
    "Kestra": "kestra:kestra:Kestra",
    "S3Storage": "kestra:storage:S3Storage",
    "VaultIdentity": "kestra:identity:VaultIdentity",
    "VaultStore": "kestra:stores:VaultStore",
}


#: Attributes with an entry for each secret, which would be in the state once more.
PER_SECRET = {"secret_ids", "version_ids", "values", "declared"}
#: What the program hands on to the pods, whose parts are outputs.
HANDED_ON = {"identity"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_component_has_its_frozen_token_and_registers_its_attributes(
    stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: dict[type, set[str]] = {}

    def keep(self: pulumi.ComponentResource, outputs: Any) -> None:
        registered[type(self)] = set(outputs)

    monkeypatch.setattr(pulumi.ComponentResource, "register_outputs", keep)
    recorded = register(STACKS[stack])
    assert len(registered) >= 3
    tokens = {t for t, _ in recorded.resources.values() if t.startswith("kestra:")}
    assert tokens == {TYPE_TOKENS[component.__name__] for component in registered}
    for component, outputs in registered.items():
        assert outputs == set(component.__annotations__) - PER_SECRET - HANDED_ON, component
        assert "Example:" in (component.__doc__ or "")


@pytest.mark.parametrize("stack", ["local", "local-vault"])
def test_the_encryption_key_is_protected_and_stays_in_every_environment(stack: str) -> None:
    recorded = run(stack_document(stack))
    assert "generated-encryption-secret-key" in recorded.protected & recorded.retained


def test_production_protects_what_holds_secrets_and_data() -> None:
    recorded = run(_production("local-vault"))
    assert recorded.protected == {
        "generated-encryption-secret-key",
        "guard",
        "kestra-namespace",
        "store-encryption-key",
        "store-engine",
        "store-stack-engine",
    }
    volume = run(_production("local", **{"storage-volume": {"size": "1Gi"}}))
    assert "kestra-storage" in volume.protected


def test_protection_is_a_setting_of_its_own() -> None:
    recorded = run(_production("local-vault", protect=False))
    assert recorded.protected == {"generated-encryption-secret-key"}


def test_the_copy_of_the_encryption_key_stays_when_the_stack_goes() -> None:
    recorded = run(stack_document("local-vault"))
    assert recorded.retained == {
        "generated-encryption-secret-key",
        "store-encryption-key",
        "store-stack-engine",
    }


def test_only_vault_log_in_by_service_account_may_review_tokens() -> None:
    (binding,) = run(stack_document("local-vault")).of("ClusterRoleBinding").values()
    assert binding["roleRef"]["name"] == "system:auth-delegator"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "kestra", "namespace": "kestra-vault"}
    ]
    assert run(stack_document("local")).of("ClusterRoleBinding") == {}
    assert run(STACKS["enterprise-2.0-app-role"]).of("ClusterRoleBinding") == {}


def _vault_stack(method: dict[str, Any], **identity: Any) -> dict[str, Any]:
    block = {"address": "https://vault.example.com:8200", "root-engine": "kestra", **method}
    return stack_document("local-vault") | {
        "secret": {"type": "vault", "read-only": True, "vault": block},
        "identity": {"vault": identity},
    }


def test_the_role_of_kubernetes_auth_takes_one_account_of_one_namespace() -> None:
    document = _vault_stack({"kubernetes": {"role": "kestra-reader"}}, **{"token-ttl": "10m"})
    recorded = run(document)
    (role,) = recorded.of("AuthBackendRole").values()
    assert role["roleName"] == "kestra-reader"
    assert role["boundServiceAccountNames"] == ["kestra"]
    assert role["boundServiceAccountNamespaces"] == ["kestra-vault"]
    assert role["tokenPolicies"] == ["kestra-vault-read-only"]
    assert role["tokenNoDefaultPolicy"] is True
    assert (role["tokenTtl"], role["tokenMaxTtl"]) == (600, 24 * 3600)
    (config,) = recorded.of("AuthBackendConfig").values()
    assert "tokenReviewerJwt" not in config


@pytest.mark.parametrize(
    ("method", "needed"),
    [
        ({"token": {}}, "secret.vault.token.token"),
        ({"password": {"user": "kestra"}}, "secret.vault.password.password"),
        ({"app-role": {}}, "secret.vault.app-role.secret-id"),
    ],
)
def test_a_provisioned_credential_is_a_secret_of_the_stack_and_of_the_pods(
    method: dict[str, Any], needed: str
) -> None:
    recorded = run(_vault_stack(method))
    value = recorded.outputs["generated"][needed]
    (secret,) = recorded.of("Secret").values()
    assert value in secret["stringData"]["value"].values()
    (account,) = recorded.of("ServiceAccount").values()
    assert account["automountServiceAccountToken"] is False
    assert value not in str(list(recorded.of("Deployment").values()))


def test_methods_and_engine_that_are_mounted_already_are_left_alone() -> None:
    recorded = run(_vault_stack({"kubernetes": {}}, **{"mount-auth": False, "mount-engine": False}))
    assert recorded.of("AuthBackend") == {}
    assert list(recorded.of("Mount")) == ["store-stack-engine"]
