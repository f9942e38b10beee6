"""The stand-in for the azure-native plugin, through the real engine. No Azure can be had: it goes by its inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_azure_native as azure
import pytest

from sandbox.leak_scan.scan import search
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects
from tests.plugins.cloud_support import CloudStack, Program, imported, raw

pytestmark = pytest.mark.engine

PLANTED = "Pl4nted-Azure-Zq81"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TENANT = "66666666-7777-8888-9999-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/apps"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kestra-kv"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/kestra"
SECRETS_USER = (
    "/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"
)
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net/subnets/private"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "azure.json"


@pytest.fixture
def store(file: Path) -> FileBackedObjects:
    return FileBackedObjects(file)


@pytest.fixture
def new(tmp_path: Path, file: Path, tools: dict[str, Path]) -> Callable[[str], CloudStack]:
    """A stack of the given name; all see the same Azure."""
    environment = {
        "KESTRA_SANDBOX_AZURE_STATE": str(file),
        "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
        "ARM_TENANT_ID": TENANT,
    }
    return lambda name: CloudStack(tmp_path / name, tools["pulumi"], ["azure-native"], environment)


@pytest.fixture
def stack(new: Callable[[str], CloudStack]) -> CloudStack:
    return new("one")


def _vault(group: pulumi.Input[str], **properties: Any) -> azure.keyvault.Vault:
    return azure.keyvault.Vault(
        "vault",
        vault_name="kestra-kv",
        resource_group_name=group,
        properties=azure.keyvault.VaultPropertiesArgs(
            tenant_id=TENANT,
            sku=azure.keyvault.SkuArgs(family="A", name=azure.keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
            public_network_access="Disabled",
            network_acls=azure.keyvault.NetworkRuleSetArgs(
                default_action="Deny",
                bypass="AzureServices",
                ip_rules=[azure.keyvault.IPRuleArgs(value="10.0.0.1/32")],
            ),
            **{"soft_delete_retention_in_days": 7, **properties},
        ),
    )


def everything(
    value: str = PLANTED,
    team: str = "data",
    subject: str = "system:serviceaccount:kestra:kestra",
    secret: bool = True,
) -> None:
    client = azure.authorization.get_client_config()
    group = azure.resources.ResourceGroup(
        "group", resource_group_name="apps", location="westeurope"
    )
    vault = _vault(group.name)
    if secret:
        kept = azure.keyvault.Secret(
            "secret",
            vault_name=vault.name,
            secret_name="app-password",
            resource_group_name=group.name,
            tags={"team": team},
            properties={
                "value": pulumi.Output.secret(value),
                "content_type": "text/plain",
                "attributes": {"expires": 1893456000},
            },
        )
        pulumi.export("uri", kept.properties.secret_uri)
        pulumi.export("version", kept.properties.secret_uri_with_version)
    identity = azure.managedidentity.UserAssignedIdentity(
        "identity", resource_name_="kestra", resource_group_name=group.name
    )
    azure.managedidentity.FederatedIdentityCredential(
        "federation",
        federated_identity_credential_resource_name="kestra",
        resource_name_=identity.name,
        resource_group_name=group.name,
        issuer="https://oidc.example.com/",
        subject=subject,
        audiences=["api://AzureADTokenExchange"],
    )
    azure.authorization.RoleAssignment(
        "role",
        scope=vault.id,
        principal_id=identity.principal_id,
        principal_type="ServicePrincipal",
        role_definition_id=f"/subscriptions/{client.subscription_id}{SECRETS_USER}",
    )
    endpoint = azure.network.PrivateEndpoint(
        "endpoint",
        private_endpoint_name="kestra-kv",
        resource_group_name=group.name,
        subnet={"id": SUBNET},
        private_link_service_connections=[
            {"name": "vault", "private_link_service_id": vault.id, "group_ids": ["vault"]}
        ],
    )
    azure.network.PrivateDnsZoneGroup(
        "names",
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=group.name,
        private_dns_zone_configs=[
            {"name": "vault", "private_dns_zone_id": f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"}
        ],
    )  # fmt: skip
    azure.monitor.DiagnosticSetting(
        "logs",
        name="audit",
        resource_uri=vault.id,
        workspace_id=WORKSPACE,
        logs=[{"category_group": "audit", "enabled": True}],
    )
    pulumi.export("vault", vault.id)
    pulumi.export("vaultUri", vault.properties.vault_uri)
    pulumi.export("identity", identity.id)
    pulumi.export("principal", identity.principal_id)
    pulumi.export("client", identity.client_id)
    pulumi.export("tenant", client.tenant_id)


def test_a_life_of_every_resource(stack: CloudStack, file: Path, store: FileBackedObjects) -> None:
    assert stack.preview(everything) == {"create": 10}
    changes, outputs = stack.up(everything)
    assert changes == {"create": 10}
    assert outputs["vault"] == VAULT
    assert outputs["vaultUri"] == "https://kestra-kv.vault.azure.net/"
    assert outputs["identity"] == IDENTITY
    assert outputs["tenant"] == TENANT
    assert outputs["principal"] != outputs["client"]
    assert outputs["uri"] == "https://kestra-kv.vault.azure.net/secrets/app-password"
    first = outputs["version"]
    assert first.startswith(f"{outputs['uri']}/")
    assert stack.resource("federation")["id"] == f"{IDENTITY}/federatedIdentityCredentials/kestra"
    assert stack.resource("role")["id"].startswith(
        f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/"
    )
    assert stack.outputs_of("identity")["location"] == "westeurope"
    assert "value" not in stack.outputs_of("secret")["properties"]

    assert stack.up(everything)[0] == {}
    assert stack.refresh(everything) == {}
    assert stack.up(everything)[0] == {}

    changes, outputs = stack.up(lambda: everything(value="An0ther-Zq81", subject="s"))
    assert changes == {"update": 2}
    assert outputs["version"] != first
    assert stack.up(lambda: everything(value="An0ther-Zq81", subject="s", secret=False))[0] == {
        "delete": 1
    }
    assert search([stack.state, file], {"planted": PLANTED, "another": "An0ther-Zq81"}) == []
    assert PLANTED not in stack.told
    assert "An0ther-Zq81" not in stack.told

    assert stack.destroy(everything) == {"delete": 9}
    with store.open() as objects:
        # Azure keeps a deleted vault, and with it its secrets, until it is purged.
        assert set(objects) == {
            "deleted/vaults/kestra-kv",
            "deleted/vaults/kestra-kv/secrets/app-password",
        }
    words = stack.refused(everything)
    assert "A vault with the same name already exists in deleted state" in words


def test_a_deleted_vault_is_recovered_and_the_name_of_a_deleted_secret_stays_taken(
    stack: CloudStack,
) -> None:
    def program(secret: bool = True, **properties: Any) -> Program:
        def act() -> None:
            group = azure.resources.ResourceGroup(
                "group", resource_group_name="apps", location="westeurope"
            )
            vault = _vault(group.name, **properties)
            if secret:
                azure.keyvault.Secret(
                    "secret",
                    vault_name=vault.name,
                    secret_name="a",
                    resource_group_name=group.name,
                    properties={"value": pulumi.Output.secret(PLANTED)},
                )

        return act

    stack.up(program(enable_purge_protection=True))
    stack.up(program(secret=False, enable_purge_protection=True))
    words = stack.refused(program(enable_purge_protection=True))
    assert "Secret a is currently in a deleted but recoverable state" in words
    assert PLANTED not in words

    stack.up(lambda: None)
    recovered = program(secret=False, create_mode=azure.keyvault.CreateMode.RECOVER)
    assert stack.up(recovered)[0] == {"create": 2}
    assert stack.outputs_of("vault")["properties"]["enablePurgeProtection"] is True
    words = stack.refused(program(secret=False, soft_delete_retention_in_days=30))
    assert "has been set already and it can't be modified" in words


def test_drift_is_seen_and_mended(stack: CloudStack, store: FileBackedObjects) -> None:
    stack.up(everything)
    role = stack.resource("role")["id"]
    with store.open() as objects:
        objects[VAULT.lower()]["properties"]["publicNetworkAccess"] = "Enabled"
        objects[f"{VAULT}/secrets/app-password".lower()]["tags"] = {"team": "stolen"}
        objects[f"{IDENTITY}/federatedIdentityCredentials/kestra".lower()]["subject"] = "other"
        del objects[role.lower()]
    assert stack.refresh(everything) == {"update": 3, "delete": 1}
    assert stack.up(everything)[0] == {"update": 3, "create": 1}
    with store.open() as objects:
        assert objects[VAULT.lower()]["properties"]["publicNetworkAccess"] == "Disabled"
        assert objects[f"{VAULT}/secrets/app-password".lower()]["tags"] == {"team": "data"}
    assert stack.refresh(everything) == {}


def test_what_is_there_is_imported(stack: CloudStack, new: Callable[[str], CloudStack]) -> None:
    stack.up(everything)
    # Azure writes ids in any case.
    ids = {
        "identity": IDENTITY.replace("resourceGroups", "resourcegroups"),
        "secret": f"{VAULT}/secrets/app-password",
        "role": stack.resource("role")["id"],
    }
    name = ids["role"].rsplit("/", 1)[-1]
    principal = stack.outputs_of("identity")["principalId"]

    def adopted() -> None:
        azure.managedidentity.UserAssignedIdentity(
            "identity",
            resource_name_="kestra",
            resource_group_name="apps",
            location="westeurope",
            opts=imported(ids["identity"]),
        )
        azure.keyvault.Secret(
            "secret",
            vault_name="kestra-kv",
            secret_name="app-password",
            resource_group_name="apps",
            tags={"team": "data"},
            properties={
                "content_type": "text/plain",
                "attributes": {"expires": 1893456000},
            },
            opts=imported(ids["secret"]),
        )
        azure.authorization.RoleAssignment(
            "role",
            scope=VAULT,
            role_assignment_name=name,
            principal_id=principal,
            principal_type="ServicePrincipal",
            role_definition_id=f"/subscriptions/{SUBSCRIPTION}{SECRETS_USER}",
            opts=imported(ids["role"]),
        )

    other = new("two")
    # The stack itself is created.
    assert other.up(adopted)[0] == {"create": 1, "import": 3}
    assert other.resource("identity")["id"] == IDENTITY


def test_what_a_change_replaces(stack: CloudStack) -> None:
    def program(location: str, principal: str, subnet: str) -> Program:
        def act() -> None:
            vault = _vault("apps")
            azure.managedidentity.UserAssignedIdentity(
                "identity", resource_group_name="apps", location=location
            )
            azure.authorization.RoleAssignment(
                "role",
                scope="/subscriptions/x",
                principal_id=principal,
                role_definition_id=SECRETS_USER,
            )
            azure.network.PrivateEndpoint(
                "endpoint",
                private_endpoint_name="e",
                resource_group_name="apps",
                location="westeurope",
                subnet={"id": subnet},
                private_link_service_connections=[
                    {"name": "v", "private_link_service_id": vault.id, "group_ids": ["vault"]}
                ],
            )

        return act

    config = {"azure-native:location": "westeurope"}
    stack.configure(config)
    stack.up(program("westeurope", TENANT, SUBNET))
    assert stack.up(program("West Europe", TENANT, SUBNET))[0] == {}
    assert stack.up(program("northeurope", SUBSCRIPTION, f"{SUBNET}2"))[0] == {"replace": 3}
    stack.configure({"azure-native:location": "northeurope"})
    # The place of what is there stays, whatever the settings say now.
    assert stack.up(program("northeurope", SUBSCRIPTION, f"{SUBNET}2"))[0] == {}


def test_a_refusal_comes_before_anything_is_made(
    stack: CloudStack, store: FileBackedObjects
) -> None:
    vault = {
        "vaultName": "kestra",
        "resourceGroupName": "apps",
        "location": "westeurope",
        "properties": {"sku": {"family": "A", "name": "gold"}},
    }
    words = stack.refused(raw("azure-native:keyvault:Vault", "n", vault), preview=True)
    assert "missing required property 'properties.tenantId'" in words
    assert "'properties.sku.name' should be one of standard, premium" in words
    with store.open() as objects:
        assert objects == {}
