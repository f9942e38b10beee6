"""Resource groups, private endpoints with their names, and diagnostic settings."""

from __future__ import annotations

from typing import ClassVar

from sandbox.providers.azure_native.resource import (
    Azure,
    AzureError,
    AzureResource,
    Objects,
    part,
    require,
    same_place,
)
from sandbox.providers.azure_native.vaults import Vault
from sandbox.providers.runtime.file_backed_objects import stable_uuid
from sandbox.providers.runtime.values import Properties

_GROUP = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}"
_ENDPOINTS = _GROUP + "/providers/Microsoft.Network/privateEndpoints/{privateEndpointName}"
_SINKS = (
    "workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId", "serviceBusRuleId",
)  # fmt: skip


class ResourceGroup(AzureResource):
    """A group. What is in it goes with it."""

    type = "Microsoft.Resources/resourceGroups"
    path = _GROUP
    api = "2024-03-01"
    named = "resourceGroupName"
    place = "required"
    has_system_data = False
    patterns: ClassVar[dict[str, str]] = {"resourceGroupName": r"^[-\w\._\(\)]{1,90}$"}

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        if p["resourceGroupName"].endswith("."):
            raise AzureError(
                400,
                "InvalidResourceGroup",
                f"The provided resource group name '{p['resourceGroupName']}' has these invalid characters: "
                "'.'. The name can only be a letter, digit, '-', '.', '(', ')' or '_', and cannot end with a "
                "period.",
            )

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        current = super().answer(a, objects, p, before)
        return current | {"properties": {"provisioningState": "Succeeded"}}

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        key = id_.lower()
        vaults = [
            k for k, o in objects.items() if k.startswith(f"{key}/") and o["type"] == Vault.type
        ]
        for inner in vaults:
            Vault().remove(a, objects, inner)
        for inner in [k for k in objects if k == key or k.startswith(f"{key}/")]:
            del objects[inner]


class PrivateEndpoint(AzureResource):
    """A way to a service inside a network."""

    type = "Microsoft.Network/privateEndpoints"
    path = _ENDPOINTS
    api = "2024-05-01"
    named = "privateEndpointName"
    place = "optional"
    has_system_data = False
    unasked: ClassVar[Properties] = {
        "manualPrivateLinkServiceConnections": [],
        "customNetworkInterfaceName": "",
    }

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        if not (p.get("subnet") or {}).get("id"):
            raise AzureError(
                400,
                "InvalidRequestFormat",
                f"Private endpoint {self.id(a, p)} must have a subnet.",
            )
        connections = _connections(p)
        if len(connections) != 1:
            raise AzureError(
                400,
                "PrivateEndpointMustHaveExactlyOnePrivateLinkServiceConnection",
                f"Private endpoint {self.id(a, p)} must have exactly one private link service connection.",
            )
        target = connections[0].get("privateLinkServiceId") or ""
        if "/providers/Microsoft.KeyVault/vaults/" in target:
            require(objects, target)
            if connections[0].get("groupIds") != ["vault"]:
                raise AzureError(
                    400,
                    "PrivateEndpointCannotBeCreatedInvalidGroupIds",
                    f"The group ids of the connection to {target} must be [vault].",
                )
        if before is not None and before.get("location"):
            same_place(before, p)

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        id_ = self.id(a, p)
        network = id_.rpartition("/privateEndpoints/")[0]
        state = {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
        kind = "privateLinkServiceConnections"
        connections = [
            c
            | {
                "id": f"{id_}/{kind}/{c.get('name')}",
                "type": f"{self.type}/{kind}",
                "provisioningState": "Succeeded",
                "privateLinkServiceConnectionState": state,
            }
            for c in p.get(kind) or []
        ]
        return super().answer(a, objects, p, before) | {
            kind: connections,
            "manualPrivateLinkServiceConnections": p.get("manualPrivateLinkServiceConnections")
            or [],
            "customDnsConfigs": p.get("customDnsConfigs") or [],
            "networkInterfaces": [
                {"id": f"{network}/networkInterfaces/{p['privateEndpointName']}.nic"}
            ],
            "provisioningState": "Succeeded",
            "etag": f'W/"{stable_uuid(id_)}"',
        }

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        key = id_.lower()
        for inner in [k for k in objects if k == key or k.startswith(f"{key}/")]:
            del objects[inner]


class PrivateDnsZoneGroup(AzureResource):
    """The names by which a private endpoint is found."""

    type = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
    path = _ENDPOINTS + "/privateDnsZoneGroups/{privateDnsZoneGroupName}"
    api = "2024-05-01"
    named = "privateDnsZoneGroupName"
    has_system_data = False

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        require(objects, _ENDPOINTS.format_map({"subscription": a.subscription} | p))

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        current = super().answer(a, objects, p, before)
        etag = f'W/"{stable_uuid(self.id(a, p))}"'
        return current | {"provisioningState": "Succeeded", "etag": etag}


class DiagnosticSetting(AzureResource):
    """Where the logs of a resource go."""

    type = "Microsoft.Insights/diagnosticSettings"
    path = "/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}"
    api = "2021-05-01-preview"
    named = "name"

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        if "/providers/Microsoft.KeyVault/vaults/" in p["resourceUri"]:
            require(objects, p["resourceUri"])
        if not any(p.get(sink) for sink in _SINKS):
            raise AzureError(400, "BadRequest", "At least one data sink needs to be specified.")
        for log in p.get("logs") or []:
            if bool(log.get("category")) == bool(log.get("categoryGroup")):
                raise AzureError(
                    400, "BadRequest", "A log needs either a category or a category group."
                )
        taken = [
            o
            for k, o in objects.items()
            if k.startswith(f"{p['resourceUri'].lower()}/") and o["type"] == self.type
            and part(o["id"], "diagnosticSettings") != p["name"]
            and p.get("workspaceId") and o.get("workspaceId") == p["workspaceId"]
        ]  # fmt: skip
        if taken:
            raise AzureError(
                409,
                "Conflict",
                f"Data sink '{p['workspaceId']}' is already used in diagnostic setting '{taken[0]['name']}'. "
                "Data sinks can't be reused in different settings on the same category for the same resource.",
            )


def _connections(p: Properties) -> list[Properties]:
    kinds = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    return [c for kind in kinds for c in p.get(kind) or []]
