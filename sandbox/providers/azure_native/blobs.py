"""Storage accounts with their blobs, and roles of one's own; by inputs only."""

from __future__ import annotations

import re
from typing import ClassVar

from sandbox.providers.azure_native.resource import (
    GUID,
    Azure,
    AzureError,
    AzureResource,
    Objects,
    require,
    same_place,
)
from sandbox.providers.runtime.values import Properties

_ACCOUNT = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}"
_API = "2024-01-01"


class StorageAccount(AzureResource):
    """A storage account. What is in it goes with it."""

    type = "Microsoft.Storage/storageAccounts"
    path = _ACCOUNT
    api = _API
    named = "accountName"
    place = "required"
    has_system_data = False

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        name = p["accountName"]
        if not re.fullmatch(r"[a-z0-9]{3,24}", name):
            raise AzureError(
                400,
                "AccountNameInvalid",
                f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in "
                "length and use numbers and lower-case letters only.",
            )
        if before is not None:
            same_place(before, p)
        other = f"/storageaccounts/{name}"
        if before is None and any(key.endswith(other) for key in objects):
            raise AzureError(
                409,
                "StorageAccountAlreadyTaken",
                f"The storage account named {name} is already taken.",
            )

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        endpoint = f"https://{p['accountName']}.blob.core.windows.net/"
        return super().answer(a, objects, p, before) | {
            "primaryEndpoints": {"blob": endpoint},
            "provisioningState": "Succeeded",
        }

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        key = id_.lower()
        for inner in [k for k in objects if k == key or k.startswith(f"{key}/")]:
            del objects[inner]


class _OfAccount(AzureResource):
    """Something of a storage account."""

    api = _API
    has_system_data = False

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        require(objects, _ACCOUNT.format_map({"subscription": a.subscription} | p))


class BlobContainer(_OfAccount):
    """A container."""

    type = "Microsoft.Storage/storageAccounts/blobServices/containers"
    path = _ACCOUNT + "/blobServices/default/containers/{containerName}"
    named = "containerName"
    patterns: ClassVar[dict[str, str]] = {
        "containerName": r"^[a-z0-9$](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$"
    }


class BlobServiceProperties(_OfAccount):
    """What holds for every blob of an account. It is there with the account, and cannot be deleted."""

    type = "Microsoft.Storage/storageAccounts/blobServices"
    path = _ACCOUNT + "/blobServices/{blobServicesName}"
    named = "blobServicesName"

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        """Only the program forgets it."""
        objects.pop(id_.lower(), None)


class ManagementPolicy(_OfAccount):
    """What goes after its time."""

    type = "Microsoft.Storage/storageAccounts/managementPolicies"
    path = _ACCOUNT + "/managementPolicies/{managementPolicyName}"
    named = "managementPolicyName"


class RoleDefinition(AzureResource):
    """A role of one's own. Its name is one in the tenant."""

    type = "Microsoft.Authorization/roleDefinitions"
    path = "/{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}"
    api = "2022-05-01-preview"
    named = "roleDefinitionId"
    naming = "uuid"
    has_system_data = False

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        if not GUID.fullmatch(p["roleDefinitionId"]):
            raise AzureError(
                400,
                "InvalidRoleDefinitionId",
                f"The role definition ID '{p['roleDefinitionId']}' is not valid.",
            )
        if not p.get("assignableScopes"):
            raise AzureError(
                400, "MissingRequiredParameter", "A role definition needs an assignable scope."
            )
        id_ = self.id(a, p).lower()
        for key, other in objects.items():
            is_role = other.get("type") == self.type and key != id_
            if is_role and other.get("roleName") == p.get("roleName"):
                raise AzureError(
                    409,
                    "RoleDefinitionWithSameNameExists",
                    f"A custom role with the name '{p.get('roleName')}' already exists in this directory.",
                )

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        return super().answer(a, objects, p, before) | {
            "createdBy": a.object,
            "updatedBy": a.object,
        }
