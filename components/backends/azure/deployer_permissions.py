"""What whoever runs `pulumi up` must be allowed in Azure, by resource type.

Sources: pulumi-azure-native's operations; Azure's resource provider operations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_ENDPOINTS = "Microsoft.Network/privateEndpoints"
_ACCOUNTS = "Microsoft.Storage/storageAccounts"


def _azure(resource: str, *more: str, delete: bool = True) -> tuple[str, ...]:
    verbs = ("read", "write", *(("delete",) if delete else ()))
    return (*(f"{resource}/{verb}" for verb in verbs), *more)


ACTIONS: Mapping[str, tuple[str, ...]] = {
    "azure-native:authorization:RoleAssignment": _azure("Microsoft.Authorization/roleAssignments"),
    "azure-native:authorization:RoleDefinition": _azure("Microsoft.Authorization/roleDefinitions"),
    # The control plane of Key Vault has no deletion of a secret.
    "azure-native:keyvault:Secret": _azure("Microsoft.KeyVault/vaults/secrets", delete=False),
    "azure-native:keyvault:Vault": _azure("Microsoft.KeyVault/vaults"),
    "azure-native:managedidentity:FederatedIdentityCredential": _azure(
        f"{_IDENTITIES}/federatedIdentityCredentials"
    ),
    "azure-native:managedidentity:UserAssignedIdentity": _azure(_IDENTITIES),
    "azure-native:monitor:DiagnosticSetting": _azure(
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    ),
    "azure-native:network:PrivateDnsZoneGroup": _azure(
        f"{_ENDPOINTS}/privateDnsZoneGroups", "Microsoft.Network/privateDnsZones/join/action"
    ),
    "azure-native:network:PrivateEndpoint": _azure(
        _ENDPOINTS,
        "Microsoft.KeyVault/vaults/privateEndpointConnectionsApproval/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    ),
    "azure-native:storage:BlobContainer": _azure(f"{_ACCOUNTS}/blobServices/containers"),
    "azure-native:storage:BlobServiceProperties": _azure(f"{_ACCOUNTS}/blobServices", delete=False),
    "azure-native:storage:ManagementPolicy": _azure(f"{_ACCOUNTS}/managementPolicies"),
    "azure-native:storage:StorageAccount": _azure(_ACCOUNTS),
}


def team_policy(group: str, vault: str, names: Iterable[str]) -> str:
    """What whoever deploys a stack of secrets alone needs, as JSON: actions at the scope of each secret.

    Args:
        group: resource group of the vault.
        vault: its name.
        names: of the secrets there.
    """
    at = f"/subscriptions/SUBSCRIPTION/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{vault}"
    policy = {
        "actions": list(ACTIONS["azure-native:keyvault:Secret"]),
        "scopes": [f"{at}/secrets/{name}" for name in sorted(names)],
    }
    return json.dumps(policy, indent=2) + "\n"
