"""What Kestra may do in Google Cloud, by mode, and why.

Sources: Google Cloud documentation, IAM (Secret Manager roles and permissions, resource attributes for
conditions, configure resource-based access); Kestra documentation, enterprise/governance/secrets-manager.

Google decrypts for whoever may read a secret (Secret Manager's service agent holds the key), so Kestra has
no permission on any key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal

#: Kestra's Kubernetes service account may act as its Google service account.
WORKLOAD_IDENTITY = "roles/iam.workloadIdentityUser"
#: Secret Manager's service agent may use the key.
KEY_USER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


@dataclass(frozen=True)
class Grant:
    """One grant to Kestra's service account: a predefined role, or permissions of a role of the stack's own."""

    name: str
    """Short name, part of the resource's name."""
    scope: Literal["secret", "prefix", "project"]
    """Each declared secret; every secret whose name begins with the prefix; or the project itself."""
    reason: str
    role: str = ""
    permissions: tuple[str, ...] = ()


READ_ONLY = (
    Grant(
        "reader",
        "secret",
        "reads the values of the declared secrets, and of no other",
        role="roles/secretmanager.secretAccessor",
    ),
    Grant(
        "index",
        "project",
        "finds secrets by name and label; Google checks list on the project only, and get returns what list "
        "returns: names and labels, never values",
        permissions=("secretmanager.secrets.get", "secretmanager.secrets.list"),
    ),
)

MANAGED = (
    Grant(
        "admin",
        "prefix",
        "reads, writes, labels and deletes the secrets that Kestra itself made, known by their prefix",
        role="roles/secretmanager.admin",
    ),
    Grant(
        "index",
        "project",
        "makes and finds secrets; Google checks create and list on the project, where no condition on a "
        "secret's name can hold",
        permissions=("secretmanager.secrets.create", "secretmanager.secrets.list"),
    ),
)


def grants(*, read_only: bool, provisioned: bool, has_prefix: bool) -> tuple[Grant, ...]:
    """The grants of a stack.

    Args:
        read_only: the mode.
        provisioned: whether the stack has `kestra:store.gcp`, so that its own secrets are those to read.
        has_prefix: whether `filter-on-prefix` names the secrets of an existing store. Without it nothing there
            becomes readable: whoever owns a secret grants it.
    """
    if not read_only:
        return MANAGED
    if provisioned:
        return READ_ONLY
    reader, *others = READ_ONLY
    below = replace(
        reader,
        scope="prefix",
        reason="reads the values of an existing store's secrets below filter-on-prefix",
    )
    return (below, *others) if has_prefix else tuple(others)


def condition(project_number: str, prefix: str) -> str:
    """The IAM condition (CEL) that holds for secrets below a prefix, and their versions.

    Google compares with the project's number, never with its id.
    """
    below = json.dumps(f"projects/{project_number}/secrets/{prefix}")
    return f"resource.name.startsWith({below})"


#: Scope to the words of the documentation.
_WHERE = {
    "secret": "each declared secret",
    "prefix": "secrets whose names begin with the prefix (IAM condition)",
    "project": "the project",
}


def rows() -> list[tuple[str, str, str, str]]:
    """Mode, what is granted, on what, and why: one row a grant, for the documentation."""
    return [
        (mode, grant.role or ", ".join(grant.permissions), _WHERE[grant.scope], grant.reason)
        for mode, granted in (("read-only", READ_ONLY), ("managed", MANAGED))
        for grant in granted
    ]
