"""Azure Key Vault: what is provisioned, for whom, and what Kestra's identity can never read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.backends.azure.identity import assignment_name
from components.backends.azure.permissions import ROLES, SECRETS
from components.validation import load
from tests.components.azure_fixtures import SUBSCRIPTION, azure, managed
from tests.components.inventory_support import SECRET_MARK
from tests.components.recording_support import Recorder, run
from tests.conftest import ROOT

PLANTED = "Pl4nted-Value-Zq81"
USER, OFFICER = ROLES["read-only"], ROLES["managed"]


def _types(recorded: Recorder) -> set[str]:
    return {t.rsplit(":", 1)[-1] for t, _ in recorded.resources.values() if t.startswith("azure")}


def _vault(recorded: Recorder, name: str = "store-vault") -> dict[str, Any]:
    return recorded.of("Vault")[name]["properties"]


def _secret(recorded: Recorder, name: str) -> dict[str, Any]:
    properties = recorded.resources[name][1]["properties"]
    assert SECRET_MARK in properties
    return properties["value"]


def test_a_vault_is_opened_by_roles_alone_and_to_no_network() -> None:
    for properties in (
        _vault(run(azure())),
        _vault(run(azure()), "store-recovery-vault"),
    ):
        assert properties["enableRbacAuthorization"] is True
        assert properties["accessPolicies"] == []
        assert properties["publicNetworkAccess"] == "Disabled"
        assert properties["networkAcls"] == {
            "bypass": "None",
            "defaultAction": "Deny",
            "ipRules": [],
            "virtualNetworkRules": [],
        }
        assert not any(
            properties[f"enabledFor{use}"]
            for use in ("Deployment", "DiskEncryption", "TemplateDeployment")
        )


@pytest.mark.parametrize(
    ("environment", "store", "days", "purge"),
    [
        ("development", {}, 7, None),
        ("staging", {}, 90, True),
        ("production", {}, 90, True),
        ("development", {"purge-protection": True, "soft-delete-days": 30}, 30, True),
        ("production", {"purge-protection": False, "soft-delete-days": 14}, 14, None),
    ],
)
def test_what_is_deleted_can_be_recovered_as_long_as_the_environment_asks_for(
    environment: str, store: dict[str, Any], days: int, purge: bool | None
) -> None:
    recorded = run(azure(environment, store=store))
    for name in ("store-vault", "store-recovery-vault"):
        properties = _vault(recorded, name)
        assert properties["enableSoftDelete"] is True
        assert properties["softDeleteRetentionInDays"] == days
        # Key Vault refuses `false`.
        assert properties.get("enablePurgeProtection") is purge


def test_only_the_networks_of_the_settings_are_let_in_and_never_to_the_recovery_copy() -> None:
    store = {
        "public-network": True,
        "allowed-addresses": ["203.0.113.7", "198.51.100.0/24"],
        "allowed-subnet-ids": ["/subscriptions/s/subnets/a"],
    }
    recorded = run(azure(store=store))
    properties = _vault(recorded)
    assert properties["publicNetworkAccess"] == "Enabled"
    assert properties["networkAcls"]["defaultAction"] == "Deny"
    assert [r["value"] for r in properties["networkAcls"]["ipRules"]] == [
        "203.0.113.7/32",
        "198.51.100.0/24",
    ]
    assert properties["networkAcls"]["virtualNetworkRules"] == [
        {"id": "/subscriptions/s/subnets/a"}
    ]
    recovery = _vault(recorded, "store-recovery-vault")
    assert recovery["publicNetworkAccess"] == "Disabled"
    assert (
        recovery["networkAcls"]["ipRules"] == recovery["networkAcls"]["virtualNetworkRules"] == []
    )


def test_the_endpoint_is_in_the_subnet_and_in_the_zone_of_the_settings() -> None:
    recorded = run(azure())
    (endpoint,) = recorded.of("PrivateEndpoint").values()
    (connection,) = endpoint["privateLinkServiceConnections"]
    assert connection["privateLinkServiceId"] == "store-vault-id"
    assert connection["groupIds"] == ["vault"]
    assert endpoint["subnet"]["id"].endswith("/subnets/endpoints")
    (zone,) = recorded.of("PrivateDnsZoneGroup").values()
    assert zone["privateEndpointName"] == "store-endpoint"
    (config,) = zone["privateDnsZoneConfigs"]
    assert config["privateDnsZoneId"].endswith("/privatelink.vaultcore.azure.net")
    elsewhere = {"subnet-id": "/subscriptions/s/subnets/e", "location": "northeurope"}
    recorded = run(azure(store={"location": "westeurope", "private-endpoint": elsewhere}))
    (endpoint,) = recorded.of("PrivateEndpoint").values()
    assert endpoint["location"] == "northeurope"
    assert recorded.of("PrivateDnsZoneGroup") == {}


def test_audit_events_of_both_vaults_go_to_the_workspace_and_nowhere_without_one() -> None:
    settings = run(azure()).of("DiagnosticSetting")
    assert {s["resourceUri"] for s in settings.values()} == {
        "store-vault-id",
        "store-recovery-vault-id",
    }
    for setting in settings.values():
        assert setting["workspaceId"].endswith("/workspaces/example")
        assert setting["logs"] == [{"categoryGroup": "audit", "enabled": True}]
    assert run(azure(store={})).of("DiagnosticSetting") == {}


def test_a_declared_secret_has_its_name_type_expiry_and_the_tags_that_make_it_visible() -> None:
    secrets: dict[str, Any] = {
        "API_TOKEN": {
            "namespace": "company.team",
            "tenant": "acme",
            "value": PLANTED,
            "content-type": "application/json",
            "expires": "2027-01-31T00:00:00Z",
            "tags": {"rotation": "quarterly"},
        },
        "OTHER": {"namespace": "company", "generate": {}},
    }
    recorded = run(azure(declared_secrets=secrets))
    inputs = recorded.of("Secret")["store-declared-API_TOKEN"]
    assert inputs["vaultName"] == "example-kestra-prod"
    assert inputs["secretName"] == "API-TOKEN"
    assert inputs["tags"] == {
        "application": "kestra",
        "environment": "production",
        "owner": "platform",
        "data-class": "confidential",
        "rotation": "quarterly",
        "namespace": "company.team",
        "tenant": "acme",
        "key": "API_TOKEN",
        "prefix": "kestra",
    }
    assert _secret(recorded, "store-declared-API_TOKEN") == {
        "value": PLANTED,
        "contentType": "application/json",
        # date -u -d 2027-01-31 +%s
        "attributes": {"enabled": True, "expires": 1801353600},
    }
    other = _secret(recorded, "store-declared-OTHER")
    assert other["contentType"] == "text/plain"
    assert other["attributes"] == {"enabled": True}


def test_a_value_is_nowhere_but_in_its_secret() -> None:
    secrets = {"API_TOKEN": {"namespace": "company", "value": PLANTED}}
    recorded = run(azure(declared_secrets=secrets))
    assert [n for n, (_, i) in recorded.resources.items() if PLANTED in json.dumps(i)] == [
        "store-declared-API_TOKEN"
    ]
    assert PLANTED not in json.dumps(recorded.outputs)
    assert recorded.secret_outputs == {"generated"}


def test_addresses_and_versions_are_outputs_and_a_version_rolls_the_pods() -> None:
    recorded = run(azure())
    assert recorded.outputs["secretIds"]["API_TOKEN"] == (
        "https://example-kestra-prod.vault.azure.net/secrets/API-TOKEN"
    )
    assert recorded.outputs["versionIds"] == {
        "API_TOKEN": "version-of-store-declared-API_TOKEN",
        "DATABASE_PASSWORD": "version-of-store-declared-DATABASE_PASSWORD",
        "encryption.secret-key": "version-of-store-encryption-key",
    }
    for deployment in recorded.of("Deployment").values():
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        assert annotations["kestra.pulumi/secret-versions"]


@pytest.mark.parametrize("document", [azure(), managed()], ids=["read-only", "managed"])
def test_no_role_of_kestra_reaches_the_vault_of_the_encryption_key(
    document: dict[str, Any],
) -> None:
    recorded = run(document)
    assert recorded.of("Secret")["store-encryption-key"]["vaultName"] == "example-kestra-prod-rec"
    assert recorded.of("Vault")["store-recovery-vault"]["vaultName"] == "example-kestra-prod-rec"
    (assigned,) = recorded.of("RoleAssignment").values()
    assert assigned["scope"] == "store-vault-id"
    in_kestras = [
        n
        for n, i in recorded.of("Secret").items()
        if i.get("vaultName") == recorded.of("Vault")["store-vault"]["vaultName"]
    ]
    assert "store-encryption-key" not in in_kestras
    assert "example-kestra-prod-rec" not in recorded.outputs["configuration"]


def test_the_recovery_vault_stays_and_the_stack_s_own_goes_with_its_secrets() -> None:
    recorded = run(azure())
    assert {n for n in recorded.protected if n.startswith("store")} == {
        "store-vault",
        "store-recovery-vault",
        "store-encryption-key",
    }
    kept = {"store-recovery-vault", "store-encryption-key", "store-recovery-audit"}
    assert {n for n in recorded.retained if n.startswith("store")} == kept
    development = run(azure("development"))
    assert not {n for n in development.protected if n.startswith("store")}
    assert {n for n in development.retained if n.startswith("store")} == kept
    for name in ("store-declared-API_TOKEN", "store-declared-DATABASE_PASSWORD"):
        assert recorded.deleted_with[name].endswith("keyvault:Vault::store-vault")
    assert "store-encryption-key" not in recorded.deleted_with


def test_a_recovery_vault_can_be_named_and_is_not_made_for_a_key_that_others_keep() -> None:
    recorded = run(azure(store={"recovery-vault-name": "break-glass"}))
    assert recorded.of("Vault")["store-recovery-vault"]["vaultName"] == "break-glass"
    # A longer vault name than "<name>-rec" allows, which is no fault without the copy.
    long = {"vault-name": "a" * 24}
    recorded = run(azure(block=long, encryption={"secret-key": "${KESTRA_KEY}"}))
    assert list(recorded.of("Vault")) == ["store-vault"]


def test_an_existing_vault_is_used_as_it_is() -> None:
    recorded = run(azure(store={"create-vault": False}))
    assert list(recorded.of("Vault")) == ["store-recovery-vault"]
    (assigned,) = recorded.of("RoleAssignment").values()
    assert assigned["scope"] == (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/group"
        "/providers/Microsoft.KeyVault/vaults/example-kestra-prod"
    )
    assert recorded.of("Secret")["store-declared-API_TOKEN"]["vaultName"] == "example-kestra-prod"
    assert recorded.deleted_with == {}


def test_without_the_block_nothing_is_provisioned_but_an_identity_that_is_asked_for() -> None:
    document = azure()
    del document["store"], document["declared-secrets"]
    document["identity"]["azure"]["resource-group"] = "identities"
    recorded = run(document)
    assert _types(recorded) == {"UserAssignedIdentity", "FederatedIdentityCredential"}
    assert recorded.of("UserAssignedIdentity")["identity-identity"]["resourceGroupName"] == (
        "identities"
    )
    loaded = load(document, source="test")
    assert "makes an identity without a role" in [w.message for w in loaded.warnings]
    document["secret"]["azure-key-vault"]["workload-identity-client-id"] = "given"
    del document["identity"]["azure"]
    assert _types(run(document)) == set()


def test_the_credential_takes_one_account_of_one_namespace_of_one_issuer() -> None:
    deployment = azure()["deployment"]
    identity = {
        "service-account": {"name": "runner"},
        "azure": {"oidc-issuer-url": "https://issuer.example/", "name": "kestra-prod"},
    }
    recorded = run(azure(identity=identity, deployment=deployment | {"namespace": "flows"}))
    (federated,) = recorded.of("FederatedIdentityCredential").values()
    assert federated["issuer"] == "https://issuer.example/"
    assert federated["subject"] == "system:serviceaccount:flows:runner"
    assert federated["audiences"] == ["api://AzureADTokenExchange"]
    assert federated["resourceName"] == "kestra-prod"
    (identity,) = recorded.of("UserAssignedIdentity").values()
    assert identity["resourceName"] == "kestra-prod"


@pytest.mark.parametrize(
    ("document", "role"), [(azure(), USER), (managed(), OFFICER)], ids=["read-only", "managed"]
)
def test_the_role_is_that_of_the_mode(document: dict[str, Any], role: Any) -> None:
    (assigned,) = run(document).of("RoleAssignment").values()
    assert assigned["roleDefinitionId"] == (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role.id}"
    )
    assert assigned["principalId"] == "principal-id-of-mock"
    assert assigned["principalType"] == "ServicePrincipal"
    assert assigned["roleAssignmentName"] == assignment_name(
        "store-vault-id", "principal-id-of-mock", role.id
    )


def test_an_assignment_has_the_same_name_for_the_same_and_another_for_others() -> None:
    name = assignment_name("/v", "p", "r")
    assert name == assignment_name("/V", "p", "r")
    others = {assignment_name(*of) for of in (("/w", "p", "r"), ("/v", "q", "r"), ("/v", "p", "s"))}
    assert len(others | {name}) == 4


def test_pods_and_account_carry_what_workload_identity_needs_and_no_other_token() -> None:
    settings = azure(
        block={"vault-name": "example-kestra-prod", "workload-identity-client-id": "given"},
        identity={},
    )
    for document, client in ((azure(), "client-id-of-mock"), (settings, "given")):
        recorded = run(document)
        (account,) = recorded.of("ServiceAccount").values()
        annotations = account["metadata"]["annotations"]
        assert annotations == {"azure.workload.identity/client-id": client}
        assert account["automountServiceAccountToken"] is False
        assert recorded.of("ClusterRoleBinding") == {}
        for deployment in recorded.of("Deployment").values():
            template = deployment["spec"]["template"]
            assert template["metadata"]["labels"]["azure.workload.identity/use"] == "true"
            assert template["spec"]["automountServiceAccountToken"] is False


def test_kestra_is_told_the_client_id_of_the_identity_that_was_made() -> None:
    recorded = run(azure())
    (secret,) = (i for n, i in recorded.of("Secret").items() if n == "kestra-secret")
    name = "STACK_KESTRA_SECRET_AZURE_KEY_VAULT_WORKLOAD_IDENTITY_CLIENT_ID"
    assert secret["stringData"]["value"][name] == "client-id-of-mock"
    assert f"workload-identity-client-id: ${{{name}}}" in recorded.outputs["configuration"]


def test_a_service_principal_s_secret_travels_as_a_secret_and_no_identity_is_made() -> None:
    block = {
        "vault-name": "example-kestra-prod",
        "client-secret": {"tenant-id": "t", "client-id": "c", "client-secret": PLANTED},
    }
    recorded = run(azure(block=block, identity={}))
    assert not _types(recorded) & {
        "UserAssignedIdentity",
        "FederatedIdentityCredential",
        "RoleAssignment",
    }
    assert [n for n, (_, i) in recorded.resources.items() if PLANTED in json.dumps(i)] == [
        "kestra-secret"
    ]
    secret = recorded.resources["kestra-secret"][1]
    assert PLANTED in secret["stringData"]["value"].values()
    for deployment in recorded.of("Deployment").values():
        assert (
            "azure.workload.identity/use"
            not in deployment["spec"]["template"]["metadata"]["labels"]
        )


@pytest.mark.parametrize(
    ("action", "user", "officer"),
    [
        (f"{SECRETS}/getSecret/action", True, True),
        (f"{SECRETS}/readMetadata/action", True, True),
        (f"{SECRETS}/setSecret/action", False, True),
        (f"{SECRETS}/update/action", False, True),
        (f"{SECRETS}/delete", False, True),
        (f"{SECRETS}/recover/action", False, True),
        (f"{SECRETS}/purge/action", False, True),
        (f"{SECRETS}/backup/action", False, True),
        (f"{SECRETS}/restore/action", False, True),
        ("Microsoft.KeyVault/vaults/keys/decrypt/action", False, False),
        ("Microsoft.KeyVault/vaults/keys/read", False, False),
        ("Microsoft.KeyVault/vaults/certificates/read", False, False),
    ],
)
def test_a_role_allows_what_its_definition_says(action: str, user: bool, officer: bool) -> None:
    assert (USER.allows(action), OFFICER.allows(action)) == (user, officer)
    for role, allowed in ((USER, user), (OFFICER, officer)):
        assert (action in [p.action for p in role.permissions]) == allowed


def test_the_documentation_names_the_roles_by_their_ids() -> None:
    text = (ROOT / "docs" / "backends" / "azure-key-vault.md").read_text()
    for role in ROLES.values():
        assert role.name.removeprefix("Key Vault ") in " ".join(text.split())
        assert role.id in text


def test_there_is_no_secret_of_a_vault_without_a_value() -> None:
    external = {"API_TOKEN": {"namespace": "company.team", "external": True}}
    changed: dict[str, Any] = {"declared-secrets": external}
    recorded = run(azure(**changed))
    assert recorded.of("Secret").keys() & {"store-declared-API_TOKEN"} == set()
    assert recorded.outputs["secretIds"]["API_TOKEN"].endswith("API-TOKEN")
    assert "API_TOKEN" not in recorded.outputs["versionIds"]
