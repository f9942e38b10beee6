"""Every object storage, and which one a stack has. None is loaded before it is asked for; none loads an SDK."""

from __future__ import annotations

from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from ..backends.registry import clouds
from .interface import ObjectStorage, StorageAccess

if TYPE_CHECKING:
    import pulumi

    from ..backends.login import Identity
    from ..settings.model import Settings

#: `kestra:storage.type` to the object storage.
STORAGES: dict[str, str] = {
    "s3": ".aws.storage:S3",
    "gcs": ".gcp.storage:GCS",
    "azure": ".azure.storage:BLOB",
}


@cache
def _load(place: str) -> ObjectStorage:
    return resolve_name(f"{__package__}{place}" if place.startswith(".") else place)


def object_storage(type_: str) -> ObjectStorage:
    """The object storage of a `kestra:storage.type`.

    Raises:
        KeyError: for a type that takes no workload identity.
    """
    return _load(STORAGES[type_])


def all_storages() -> list[ObjectStorage]:
    """Every object storage."""
    return [_load(place) for place in STORAGES.values()]


def storage_of(settings: Settings) -> ObjectStorage | None:
    """The object storage that Kestra's pods use by their identity; None without `kestra:storage-bucket`."""
    storage = settings.storage
    if settings.storage_bucket is None or storage is None or storage.type not in STORAGES:
        return None
    return object_storage(storage.type)


def create_storage(
    name: str,
    settings: Settings,
    identity: Identity,
    opts: pulumi.ResourceOptions | None = None,
) -> StorageAccess | None:
    """Registers the bucket and the access to it; imports only the SDK that it needs. None where there is neither."""
    chosen = storage_of(settings)
    return None if chosen is None else chosen.create(name, settings, identity, opts)


def used_clouds(settings: Settings) -> list[str]:
    """The clouds of a stack's secret managers and of its bucket, sorted."""
    storage = storage_of(settings)
    return sorted({*clouds(settings), *([storage.cloud] if storage else [])})
