"""What Kestra's pods may do in a bucket of Google Cloud Storage, and why.

Sources: kestra-io/storage-gcs, GcsStorage.java (the requests that Kestra makes); Google Cloud documentation, IAM
permissions for JSON methods, and attributes for conditions (`resource.name`, the prefix of a list).

Google encrypts and decrypts for whoever may use an object (the service agent holds the key), so Kestra has no
permission on any key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ...backends.interface import PermissionRow
from ..interface import MODE

#: Cloud Storage's service agent may use the key.
KEY_USER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


class Scope(StrEnum):
    """On what a grant is; the values are the documentation's."""

    OBJECTS = "objects below its path (IAM condition)"
    LIST = "the bucket, lists below its path (IAM condition)"


@dataclass(frozen=True)
class Grant:
    """One grant to Kestra's service account: permissions of a role of the stack's own."""

    name: str
    """Short name, part of the resources' names."""
    permissions: tuple[str, ...]
    scope: Scope
    reason: str


GRANTS = (
    Grant(
        "files",
        ("storage.objects.create", "storage.objects.delete", "storage.objects.get"),
        Scope.OBJECTS,
        "Kestra reads, writes, moves and deletes its files, and to write over one is to delete it. A deleted version "
        "stays until the bucket's lifecycle ends it.",
    ),
    Grant(
        "list",
        ("storage.objects.list",),
        Scope.LIST,
        "Kestra lists folders; Google checks it on the bucket.",
    ),
)


def condition(scope: Scope, bucket: str, path: str) -> str | None:
    """The IAM condition (CEL) of a grant; None for the whole bucket.

    Args:
        scope: of the grant.
        bucket: name of the bucket.
        path: `kestra.storage.gcs.path` as it begins the names of objects, with a slash at its end.
    """
    if not path:
        return None
    if scope is Scope.OBJECTS:
        below = json.dumps(f"projects/_/buckets/{bucket}/objects/{path}")
        return f"resource.name.startsWith({below})"
    prefix = 'api.getAttribute("storage.googleapis.com/objectListPrefix", "")'
    return f"{prefix}.startsWith({json.dumps(path)})"


def rows() -> Iterator[PermissionRow]:
    """Each grant, for the documentation."""
    for grant in GRANTS:
        yield PermissionRow(MODE, ", ".join(grant.permissions), grant.scope, grant.reason)
