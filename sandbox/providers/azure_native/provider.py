"""The provider: checks, differences of inputs, and the life cycle of what is kept."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from pathlib import Path
from typing import Any

from sandbox.providers.azure_native.identities import (
    FederatedIdentityCredential,
    RoleAssignment,
    UserAssignedIdentity,
)
from sandbox.providers.azure_native.resource import Azure, Resource, normal
from sandbox.providers.azure_native.surroundings import (
    DiagnosticSetting,
    PrivateDnsZoneGroup,
    PrivateEndpoint,
    ResourceGroup,
)
from sandbox.providers.azure_native.values import applied, as_secret_as, restricted, without
from sandbox.providers.azure_native.vaults import Secret as VaultSecret
from sandbox.providers.azure_native.vaults import Vault
from sandbox.providers.bridge import asked
from sandbox.providers.fitting import AzureNative
from sandbox.providers.inputs import ResourceSchema, Schemas
from sandbox.providers.recorded import Properties, Store, changes, stable_uuid
from sandbox.providers.server import Diff, Engine, ProviderError, take_urn
from sandbox.providers.values import UNKNOWN, Unknown, has_unknown, plain

STATE = "KESTRA_SANDBOX_AZURE_STATE"
"""Names the file in which the objects are kept."""
_AUTO_NAMED = "__createBeforeDelete"

RESOURCES: dict[str, Resource] = {
    "azure-native:keyvault:Vault": Vault(),
    "azure-native:keyvault:Secret": VaultSecret(),
    "azure-native:managedidentity:UserAssignedIdentity": UserAssignedIdentity(),
    "azure-native:managedidentity:FederatedIdentityCredential": FederatedIdentityCredential(),
    "azure-native:authorization:RoleAssignment": RoleAssignment(),
    "azure-native:network:PrivateEndpoint": PrivateEndpoint(),
    "azure-native:network:PrivateDnsZoneGroup": PrivateDnsZoneGroup(),
    "azure-native:monitor:DiagnosticSetting": DiagnosticSetting(),
    "azure-native:resources:ResourceGroup": ResourceGroup(),
}


class AzurePlugin:
    """The provider. It needs no log-in, for it never calls Azure."""

    version = "3.29.0"

    def __init__(self) -> None:
        self._schemas = Schemas(Path(__file__).with_name("schema.json"), AzureNative())
        self._azure: Azure | None = None

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        store = Store.named_by(STATE)

        def setting(name: str, variable: str) -> str:
            return config.get(name) or os.environ.get(variable) or stable_uuid("sandbox", name)

        self._azure = Azure(
            store,
            setting("subscriptionId", "ARM_SUBSCRIPTION_ID"),
            setting("tenantId", "ARM_TENANT_ID"),
            setting("clientId", "ARM_CLIENT_ID"),
            config.get("location") or os.environ.get("ARM_LOCATION"),
        )

    @property
    def azure(self) -> Azure:
        """What the provider is configured with."""
        assert self._azure is not None
        return self._azure

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        inputs = dict(news)
        if inputs.get(resource.named) is None:
            if olds.get(resource.named) is not None:
                inputs[resource.named] = olds[resource.named]
                filled = {_AUTO_NAMED: olds[_AUTO_NAMED]} if _AUTO_NAMED in olds else {}
            else:
                inputs[resource.named] = _automatic(resource, name, seed)
                filled = {_AUTO_NAMED: True}
            inputs |= filled
        if resource.place != "none" and inputs.get("location") is None:
            location = olds.get("location") or self.azure.location or self._of_group(inputs)
            if location is not None:
                inputs["location"] = location
        failures = schema.check(name, inputs)
        if resource.place == "required" and inputs.get("location") is None:
            failures.append(
                (
                    "",
                    "missing required property 'location'. Either set it explicitly or configure it with "
                    "'pulumi config set azure-native:location <value>'.",
                )
            )
        return inputs, failures or [("", reason) for reason in resource.check(plain(inputs))]

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        schema = self._schemas.of(type_)
        before, after = plain(old_inputs), plain(news)
        changed = changes(before, after, lambda a, b: a == b)
        places = before.get("location"), after.get("location")
        if not has_unknown(places[1]) and normal(places[0]) == normal(places[1]):
            changed.discard("location")
        replacing = {path for path in changed if _replaces(schema, path)}
        return Diff(changed, replacing, delete_first=not before.get(_AUTO_NAMED))

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        take_urn(news)
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        known = asked(news)
        if preview:
            made = {k: UNKNOWN for k in schema.outputs if k not in schema.inputs}
            return "", known | made
        p = plain(known)
        id_ = resource.id(self.azure, p)
        with self.azure.store.open() as objects:
            if id_.lower() in objects:
                raise ProviderError(f"cannot create already existing resource '{id_}'")
            resource.refuse(self.azure, objects, p, None)
            kept = resource.kept(self.azure, objects, p, None)
            objects[id_.lower()] = kept
        return id_, as_secret_as(_outputs(resource, kept), known)

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        parts = resource.parse(id_)
        kept = self.azure.store.get(id_.lower())
        if kept is None:
            return None
        outputs = _outputs(resource, kept)
        if olds:
            then, now = (restricted(o, schema.inputs, schema.types) for o in (plain(olds), outputs))
            asked = applied(inputs, then, now)
            return kept["id"], asked, as_secret_as(outputs, inputs)
        asked = without(restricted(outputs, schema.inputs, schema.types), resource.unasked)
        return kept["id"], asked | parts, outputs

    def update(
        self,
        type_: str,
        id_: str,
        old_inputs: dict[str, Any],
        olds: dict[str, Any],
        news: dict[str, Any],
        preview: bool,
        timeout: float,
    ) -> dict[str, Any]:
        take_urn(news)
        resource = RESOURCES[type_]
        known = asked(news)
        if preview:
            return olds | known
        p = plain(known)
        with self.azure.store.open() as objects:
            before = objects.get(id_.lower())
            resource.refuse(self.azure, objects, p, before)
            kept = resource.kept(self.azure, objects, p, before)
            objects[id_.lower()] = kept
        return as_secret_as(_outputs(resource, kept), known)

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        take_urn(olds)
        with self.azure.store.open() as objects:
            RESOURCES[type_].delete(self.azure, objects, id_)

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]:
        if token != "azure-native:authorization:getClientConfig":  # noqa: S105 - a function's name
            raise ProviderError(
                f"{token} is not known to this stand-in; install the official plugin to use it"
            )
        return {
            "clientId": self.azure.client,
            "objectId": self.azure.object,
            "subscriptionId": self.azure.subscription,
            "tenantId": self.azure.tenant,
        }

    def _of_group(self, inputs: Properties) -> Any:
        """The location of the resource group, where it is known."""
        group = plain(inputs.get("resourceGroupName"))
        if isinstance(group, Unknown):
            return UNKNOWN
        if not isinstance(group, str):
            return None
        id_ = ResourceGroup().id(self.azure, {"resourceGroupName": group})
        return (self.azure.store.get(id_.lower()) or {}).get("location")


def _outputs(resource: Resource, kept: Properties) -> Properties:
    shown = {k: v for k, v in kept.items() if k != "id" and not k.startswith("_")}
    return shown | {"azureApiVersion": resource.api}


def _replaces(schema: ResourceSchema, path: str) -> bool:
    """Whether the property or one that it is in replaces."""
    steps = [m.start() for m in re.finditer(r"[.\[]", path)]
    return any(schema.replaces(path[:end]) for end in (*steps, len(path)))


def _automatic(resource: Resource, name: str, seed: bytes) -> str:
    digest = hashlib.sha256(seed + name.encode()).hexdigest()
    return str(uuid.UUID(digest[:32])) if resource.naming == "uuid" else f"{name}{digest[:8]}"
