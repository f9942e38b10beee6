"""What Azure's provider fills in, for the recording mocks; and stacks that use it."""

from __future__ import annotations

from typing import Any

from tests.conftest import stack_document

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
#: What Azure answers about who calls.
CLIENT = {
    "clientId": "deployer",
    "objectId": "deployer-object",
    "subscriptionId": SUBSCRIPTION,
    "tenantId": "11111111-1111-1111-1111-111111111111",
}


def filled(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a resource that its inputs do not say."""
    match type_.rsplit(":", 1)[-1]:
        case "Secret":
            address = (
                f"https://{inputs['vaultName']}.vault.azure.net/secrets/{inputs['secretName']}"
            )
            # Marked as the inputs are, for the value in them; Key Vault never answers with the value.
            return {
                "properties": inputs["properties"]
                | {
                    "value": {
                        "secretUri": address,
                        "secretUriWithVersion": f"{address}/version-of-{name}",
                    }
                }
            }
        case "UserAssignedIdentity":
            return {"clientId": "client-id-of-mock", "principalId": "principal-id-of-mock"}
        case "StorageAccount":
            return {"name": inputs["accountName"]}
        case "RoleDefinition":
            return {"name": inputs["roleDefinitionId"]}
        case _:
            return {"name": name}


def azure(
    environment: str = "production",
    *,
    store: dict[str, Any] | None = None,
    block: dict[str, Any] | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """The production example without its storage, in an environment, with another store, manager or keys."""
    document: dict[str, Any] = stack_document("example-azure-key-vault")
    del document["storage-bucket"]
    document["tags"] = document["tags"] | {"environment": environment}
    if store is not None:
        document["store"] = {"azure": {"resource-group": "group"} | store}
    if block is not None:
        document["secret"] = document["secret"] | {"azure-key-vault": block}
    return document | {key.replace("_", "-"): value for key, value in changed.items()}


def managed() -> dict[str, Any]:
    """The example in managed mode, where Kestra itself writes its secrets."""
    block = {"vault-name": "example-kestra-prod"}
    document = azure(secret={"type": "azure-key-vault", "azure-key-vault": block})
    document.pop("declared-secrets")
    return document


def staging() -> dict[str, Any]:
    """The example as staging, reached over the public network of some."""
    store = {
        "public-network": True,
        "allowed-addresses": ["203.0.113.7"],
        "allowed-subnet-ids": [
            "/subscriptions/s/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/v/subnets/kestra"
        ],
    }
    return azure("staging", store=store, block={"vault-name": "kestra-staging"})
