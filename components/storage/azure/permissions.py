"""What Kestra's pods may do in a container of Azure Blob Storage, as a table and as the definition of their role.

Sources: kestra-io/storage-azure, AzureStorage.java (the requests that Kestra makes); Azure documentation, permissions for
calling data operations (what each request needs). The built-in role Storage Blob Data Contributor holds more: it makes and
deletes containers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...backends.interface import PermissionRow
from ..interface import MODE

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
SCOPE = "the container"


@dataclass(frozen=True)
class Permission:
    """One operation, and why Kestra needs it."""

    action: str
    reason: str
    is_data: bool = True
    """Whether it is on data, and not on the container itself."""


PERMISSIONS = (
    Permission(f"{_CONTAINERS}/read", "Kestra asks whether the container is there.", is_data=False),
    Permission(f"{_CONTAINERS}/blobs/read", "Kestra reads its files, and lists folders."),
    Permission(f"{_CONTAINERS}/blobs/write", "Kestra writes, copies and marks its files."),
    Permission(
        f"{_CONTAINERS}/blobs/delete",
        "Kestra deletes its files. A deleted version stays until its time is over.",
    ),
)


def actions(*, data: bool) -> list[str]:
    """The operations of the role on data, or on the container."""
    return [one.action for one in PERMISSIONS if one.is_data == data]


def rows() -> Iterator[PermissionRow]:
    """Each permission, for the documentation."""
    for one in PERMISSIONS:
        yield PermissionRow(MODE, one.action, SCOPE, one.reason)
