"""Managed identities, who may act as them, and what they may do."""

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
)
from sandbox.providers.runtime.file_backed_objects import stable_uuid
from sandbox.providers.runtime.values import Properties

_IDENTITIES = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}"
_MOST_CREDENTIALS = 20
_NOT_UPDATED = ("roleDefinitionId", "principalType", "delegatedManagedIdentityResourceId")


class UserAssignedIdentity(AzureResource):
    """An identity of its own."""

    type = "Microsoft.ManagedIdentity/userAssignedIdentities"
    path = _IDENTITIES
    api = "2023-01-31"
    named = "resourceName"
    place = "required"

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}", p["resourceName"]):
            raise AzureError(
                400,
                "InvalidParameter",
                f"The value '{p['resourceName']}' of parameter 'resourceName' is invalid. It must begin with a "
                "letter or digit and hold 3 to 128 letters, digits, hyphens and underscores.",
            )

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        id_ = self.id(a, p).lower()
        return super().answer(a, objects, p, before) | {
            "principalId": stable_uuid("principal", id_),
            "clientId": stable_uuid("client", id_),
            "tenantId": a.tenant,
        }

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        key = id_.lower()
        for inner in [k for k in objects if k == key or k.startswith(f"{key}/")]:
            del objects[inner]


class FederatedIdentityCredential(AzureResource):
    """Who may act as an identity: the tokens of one issuer for one subject."""

    type = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    path = _IDENTITIES + "/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}"
    api = "2023-01-31"
    named = "federatedIdentityCredentialResourceName"
    patterns: ClassVar[dict[str, str]] = {
        "federatedIdentityCredentialResourceName": "^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$"
    }

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        identity = _IDENTITIES.format_map({"subscription": a.subscription} | p)
        if identity.lower() not in objects:
            raise AzureError(
                404,
                "ParentResourceNotFound",
                "Can not perform requested operation on nested resource. Parent resource "
                f"'{p['resourceName']}' not found.",
            )
        if not p["issuer"].startswith("https://"):
            raise AzureError(
                400,
                "BadRequest",
                "The issuer of the federated identity credential must be a valid HTTPS address.",
            )
        if not p["audiences"] or not p["subject"]:
            raise AzureError(
                400,
                "BadRequest",
                "A federated identity credential needs a subject and an audience.",
            )
        id_ = self.id(a, p).lower()
        others = [
            o
            for k, o in objects.items()
            if k.startswith(f"{identity.lower()}/federatedidentitycredentials/") and k != id_
        ]
        if any((o["issuer"], o["subject"]) == (p["issuer"], p["subject"]) for o in others):
            raise AzureError(
                409,
                "Conflict",
                "Issuer and subject combination already exists for this Managed Identity.",
            )
        if len(others) >= _MOST_CREDENTIALS:
            raise AzureError(
                400,
                "BadRequest",
                f"Too many Federated Identity Credentials: at most {_MOST_CREDENTIALS} for a Managed Identity.",
            )


class RoleAssignment(AzureResource):
    """What somebody may do in a scope."""

    type = "Microsoft.Authorization/roleAssignments"
    path = "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}"
    api = "2022-04-01"
    named = "roleAssignmentName"
    naming = "uuid"
    has_system_data = False

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        name, role = p["roleAssignmentName"], p["roleDefinitionId"]
        if not GUID.fullmatch(name):
            raise AzureError(
                400,
                "InvalidRoleAssignmentId",
                f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
            )
        if not re.fullmatch(
            rf"(?:/subscriptions/[^/]+)?/providers/Microsoft\.Authorization/roleDefinitions/{GUID.pattern}",
            role,
            re.IGNORECASE,
        ):
            raise AzureError(
                400, "InvalidRoleDefinitionId", f"The role definition ID '{role}' is not valid."
            )
        if not GUID.fullmatch(p["principalId"]):
            raise AzureError(
                400,
                "InvalidPrincipalId",
                f"The Principal ID '{p['principalId']}' is not valid. Principal ID must be a GUID.",
            )
        if "/providers/Microsoft.KeyVault/vaults/" in p["scope"]:
            require(objects, re.sub(r"(/vaults/[^/]+)/.*", r"\1", p["scope"]))
        if before is not None and any(before.get(k) != p.get(k) for k in _NOT_UPDATED if p.get(k)):
            raise AzureError(
                403,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        id_ = self.id(a, p).lower()
        for key, other in objects.items():
            if other.get("type") == self.type and key != id_ and _grant(other) == _grant(p):
                raise AzureError(
                    409,
                    "RoleAssignmentExists",
                    "The role assignment already exists. The ID of the conflicting role assignment is "
                    f"{other['name'].replace('-', '')}.",
                )

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        return super().answer(a, objects, p, before) | {
            "scope": p["scope"],
            "principalType": p.get("principalType") or "ServicePrincipal",
            "createdBy": a.object,
            "updatedBy": a.object,
        }


def _grant(p: Properties) -> tuple[str, str, str]:
    return (
        p["scope"].strip("/").lower(),
        p["principalId"].lower(),
        p["roleDefinitionId"].rsplit("/", 1)[-1].lower(),
    )
