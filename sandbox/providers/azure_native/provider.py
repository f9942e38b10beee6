"""The provider for Azure: names and locations, and what counts as a change of a resource's inputs."""

from __future__ import annotations

import hashlib
import operator
import os
import re
import uuid
from collections.abc import Collection
from typing import Any

from sandbox.providers.azure_native.blobs import (
    BlobContainer,
    BlobServiceProperties,
    ManagementPolicy,
    RoleDefinition,
    StorageAccount,
)
from sandbox.providers.azure_native.identities import (
    FederatedIdentityCredential,
    RoleAssignment,
    UserAssignedIdentity,
)
from sandbox.providers.azure_native.resource import Azure, AzureResource, normal
from sandbox.providers.azure_native.surroundings import (
    DiagnosticSetting,
    PrivateDnsZoneGroup,
    PrivateEndpoint,
    ResourceGroup,
)
from sandbox.providers.azure_native.values import applied, as_secret_as, restricted, without
from sandbox.providers.azure_native.vaults import KeyVaultSecret, Vault
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects, changes, stable_uuid
from sandbox.providers.runtime.provider import Autonaming, Checked, Diff, Engine, Read, Urn
from sandbox.providers.runtime.schema_provider import SchemaProvider
from sandbox.providers.runtime.schema_validation import AzureNative
from sandbox.providers.runtime.schemas import ResourceSchema
from sandbox.providers.runtime.values import UNKNOWN, Properties, Unknown, has_unknown, plain

STATE = "KESTRA_SANDBOX_AZURE_STATE"
"""Names the file in which the objects are kept."""
_AUTO_NAMED = "__createBeforeDelete"

RESOURCES: dict[str, AzureResource] = {
    "azure-native:keyvault:Vault": Vault(),
    "azure-native:keyvault:Secret": KeyVaultSecret(),
    "azure-native:managedidentity:UserAssignedIdentity": UserAssignedIdentity(),
    "azure-native:managedidentity:FederatedIdentityCredential": FederatedIdentityCredential(),
    "azure-native:authorization:RoleAssignment": RoleAssignment(),
    "azure-native:authorization:RoleDefinition": RoleDefinition(),
    "azure-native:network:PrivateEndpoint": PrivateEndpoint(),
    "azure-native:network:PrivateDnsZoneGroup": PrivateDnsZoneGroup(),
    "azure-native:monitor:DiagnosticSetting": DiagnosticSetting(),
    "azure-native:resources:ResourceGroup": ResourceGroup(),
    "azure-native:storage:BlobContainer": BlobContainer(),
    "azure-native:storage:BlobServiceProperties": BlobServiceProperties(),
    "azure-native:storage:ManagementPolicy": ManagementPolicy(),
    "azure-native:storage:StorageAccount": StorageAccount(),
}


def _client(azure: Azure, args: Properties) -> Properties:
    """Who runs the program, and where."""
    return {
        "clientId": azure.client,
        "objectId": azure.object,
        "subscriptionId": azure.subscription,
        "tenantId": azure.tenant,
    }


class AzureProvider(SchemaProvider[Azure, AzureResource]):
    """The provider. It needs no log-in, for it never calls Azure."""

    version = "3.29.0"
    types = RESOURCES
    functions = {"azure-native:authorization:getClientConfig": _client}  # noqa: RUF012
    words = AzureNative()

    def __init__(self) -> None:
        super().__init__()
        self._azure: Azure | None = None

    def configure(self, config: Properties, engine: Engine) -> None:
        store = FileBackedObjects.named_by(STATE)

        def setting(name: str, variable: str) -> str:
            return config.get(name) or os.environ.get(variable) or stable_uuid("sandbox", name)

        self._azure = Azure(
            store,
            setting("subscriptionId", "ARM_SUBSCRIPTION_ID"),
            setting("tenantId", "ARM_TENANT_ID"),
            setting("clientId", "ARM_CLIENT_ID"),
            config.get("location") or os.environ.get("ARM_LOCATION"),
        )

    def connect(self, p: Properties) -> Azure:
        assert self._azure is not None
        return self._azure

    def mark(self, schema: ResourceSchema, outputs: Properties, inputs: Properties) -> Properties:
        return as_secret_as(outputs, inputs)

    def merged(self, kept: Properties, known: Properties) -> Properties:
        return plain(known)

    def check(
        self,
        urn: Urn,
        olds: Properties,
        news: Properties,
        seed: bytes = b"",
        autonaming: Autonaming = Autonaming(),
    ) -> Checked:
        schema, kind = self._of(urn)
        inputs, named = dict(news), kind.named or ""
        if inputs.get(named) is None:
            if olds.get(named) is not None:
                inputs[named] = olds[named]
                inputs |= {_AUTO_NAMED: olds[_AUTO_NAMED]} if _AUTO_NAMED in olds else {}
            else:
                inputs |= {named: _auto_name(kind, urn.name, seed), _AUTO_NAMED: True}
        if kind.place != "none" and inputs.get("location") is None:
            location = olds.get("location") or self.connect({}).location or self._of_group(inputs)
            inputs |= {"location": location} if location is not None else {}
        failures = schema.check(urn.name, inputs)
        if kind.place == "required" and inputs.get("location") is None:
            failures.append(
                (
                    "",
                    "missing required property 'location'. Either set it explicitly or configure it with "
                    "'pulumi config set azure-native:location <value>'.",
                )
            )
        return Checked(inputs, failures or kind.check(plain(inputs)))

    def diff(
        self,
        urn: Urn,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        ignored: Collection[str] = (),
    ) -> Diff:
        schema, _ = self._of(urn)
        before, after = plain(old_inputs), plain(news)
        changed = changes(before, after, operator.eq)
        places = before.get("location"), after.get("location")
        if not has_unknown(places[1]) and normal(places[0]) == normal(places[1]):
            changed.discard("location")
        replacing = {path for path in changed if _replaces(schema, path)}
        named_by_program = not before.get(_AUTO_NAMED)
        return Diff.of(changed, replacing, delete_first=named_by_program).without(ignored)

    def read(self, urn: Urn, id_: str, inputs: Properties, olds: Properties) -> Read | None:
        schema, kind = self._of(urn)
        parts = kind.parse(id_)
        kept = self.connect({}).store.get(id_.lower())
        if kept is None:
            return None
        outputs = kind.outputs(kept)
        now = restricted(outputs, schema.inputs, schema.types)
        if not olds:
            return Read(kept["id"], without(now, kind.unasked) | parts, outputs)
        then = restricted(plain(olds), schema.inputs, schema.types)
        return Read(kept["id"], applied(inputs, then, now), as_secret_as(outputs, inputs))

    def _of_group(self, inputs: Properties) -> Any:
        """The location of the resource group, where it is known."""
        group = plain(inputs.get("resourceGroupName"))
        if isinstance(group, Unknown):
            return UNKNOWN
        if not isinstance(group, str):
            return None
        azure = self.connect({})
        id_ = ResourceGroup().id(azure, {"resourceGroupName": group})
        return (azure.store.get(id_.lower()) or {}).get("location")


def _replaces(schema: ResourceSchema, path: str) -> bool:
    """Whether the property or one that it is in replaces."""
    steps = [m.start() for m in re.finditer(r"[.\[]", path)]
    return any(schema.replaces(path[:end]) for end in (*steps, len(path)))


def _auto_name(kind: AzureResource, name: str, seed: bytes) -> str:
    digest = hashlib.sha256(seed + name.encode()).hexdigest()
    return str(uuid.UUID(digest[:32])) if kind.naming == "uuid" else f"{name}{digest[:8]}"
