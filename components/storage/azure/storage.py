"""Azure Blob Storage, as this project knows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...backends.azure.backend import SDK
from ...backends.azure.workload_identity import CLIENT_ID
from ...backends.interface import AccessRow, PermissionRow
from ...backends.login import Identity
from ...settings.model import Settings
from ..interface import ObjectStorage, StorageAccess
from . import permissions, rules
from .principals import account_name

if TYPE_CHECKING:
    import pulumi


class AzureBlobStorage(ObjectStorage):
    """Azure Blob Storage."""

    type = "azure"
    title = "Azure Blob Storage"
    cloud = "azure"
    provider = "azure-native"
    provider_title = "Azure"
    sdk_package = SDK
    credentials = ("connection-string", "shared-key-account-access-key", "sas-token")
    rules = (rules.identity, rules.names, rules.container)
    account_annotation = CLIENT_ID

    def takes_identity(self, settings: Settings) -> bool:
        return account_name(settings) is not None

    def permission_rows(self) -> Iterator[PermissionRow]:
        return permissions.rows()

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        container = self.place(settings)
        for one in permissions.PERMISSIONS:
            yield AccessRow(one.action, container, one.reason)
        yield AccessRow(
            "making, opening and deleting containers, deleting versions, keys of the account",
            container,
            "its role holds nothing else; the account takes no shared keys",
            is_allowed=False,
        )

    def location_facts(self, settings: Settings) -> dict[str, str]:
        account, _, container = self.place(settings).partition("/")
        return {"storage.azure.endpoint": account, "storage.azure.container": container}

    def create(
        self,
        name: str,
        settings: Settings,
        identity: Identity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> StorageAccess:
        from .container import BlobStorage

        component = BlobStorage(name, settings, identity, opts)
        return StorageAccess(component.identity, component.container)

    def place(self, settings: Settings) -> str:
        assert settings.storage is not None
        assert settings.storage.azure is not None
        return f"{account_name(settings)}/{settings.storage.azure.container}"


BLOB = AzureBlobStorage()
