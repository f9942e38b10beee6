"""Google Cloud Storage, as this project knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...backends.gcp.backend import METADATA, SDK
from ...backends.gcp.names import ACCOUNT
from ...backends.interface import AccessRow, PermissionRow
from ...backends.login import Identity
from ...settings.model import Settings
from ..interface import ObjectStorage, StorageAccess, bucket_name, path_prefix, storage_key
from . import permissions, rules

if TYPE_CHECKING:
    import pulumi


class GoogleCloudStorage(ObjectStorage):
    """Google Cloud Storage."""

    type = "gcs"
    title = "Google Cloud Storage"
    cloud = "gcp"
    provider = "gcp"
    provider_title = "Google Cloud"
    sdk_package = SDK
    credentials = ("service-account",)
    rules = (rules.identity, rules.names, rules.bucket)
    account_annotation = ACCOUNT

    def node_services(self, settings: Settings) -> Sequence[tuple[str, int]]:
        return METADATA

    def permission_rows(self) -> Iterator[PermissionRow]:
        return permissions.rows()

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        bucket, path = bucket_name(settings), path_prefix(storage_key(settings, "path"))
        scopes = {
            permissions.Scope.OBJECTS: f"{bucket}/{path}*",
            permissions.Scope.LIST: f"{bucket}, names that begin with {path}" if path else bucket,
        }
        for grant in permissions.GRANTS:
            yield AccessRow(", ".join(grant.permissions), scopes[grant.scope], grant.reason)
        yield AccessRow(
            "storage.objects.update, storage.buckets.* and the like",
            bucket,
            "its roles hold nothing else; settings and grants of the bucket are not Kestra's",
            is_allowed=False,
        )

    def create(
        self,
        name: str,
        settings: Settings,
        identity: Identity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> StorageAccess:
        from .bucket import GcsStorage

        component = GcsStorage(name, settings, identity, opts)
        return StorageAccess(component.identity, component.bucket)


GCS = GoogleCloudStorage()
