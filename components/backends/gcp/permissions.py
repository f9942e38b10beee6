"""What Kestra may do in Google Cloud, by mode, and why.

Sources: Google Cloud documentation, IAM (Secret Manager roles and permissions, resource attributes for
conditions, configure resource-based access); Kestra documentation, enterprise/governance/secrets-manager.

Google decrypts for whoever may read a secret (Secret Manager's service agent holds the key), so Kestra has
no permission on any key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ...settings.model import AccessMode
from ..interface import PermissionRow

#: Kestra's Kubernetes service account may act as its Google service account.
WORKLOAD_IDENTITY = "roles/iam.workloadIdentityUser"
#: Secret Manager's service agent may use the key.
KEY_USER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


class Scope(StrEnum):
    """On what a grant is; the values are the documentation's."""

    EACH_DECLARED = "each declared secret"
    NAME_PATTERN = "secrets whose names begin with the prefix (IAM condition)"
    PROJECT = "the project"


@dataclass(frozen=True)
class Grant:
    """One grant to Kestra's service account: a predefined role, or permissions of a role of the stack's own."""

    name: str
    """Short name, part of the resource's name."""
    scope: Scope
    reason: str
    role: str = ""
    permissions: tuple[str, ...] = ()
    begin: str = ""
    """Of a grant by names: how they begin; empty for the prefix of the settings."""


READ_ONLY = (
    Grant(
        "reader",
        Scope.EACH_DECLARED,
        "reads the values of the declared secrets, and of no other",
        role="roles/secretmanager.secretAccessor",
    ),
    Grant(
        "index",
        Scope.PROJECT,
        "finds secrets by name and label; Google checks list on the project only, and get returns what list "
        "returns: names and labels, never values",
        permissions=("secretmanager.secrets.get", "secretmanager.secrets.list"),
    ),
)

DELIVERED = (
    Grant(
        "reader",
        Scope.EACH_DECLARED,
        "the operator reads the values of these secrets, and of no other",
        role="roles/secretmanager.secretAccessor",
    ),
)

MANAGED = (
    Grant(
        "admin",
        Scope.NAME_PATTERN,
        "reads, writes, labels and deletes the secrets that Kestra itself made, known by their prefix",
        role="roles/secretmanager.admin",
    ),
    Grant(
        "index",
        Scope.PROJECT,
        "makes and finds secrets; Google checks create and list on the project, where no condition on a "
        "secret's name can hold",
        permissions=("secretmanager.secrets.create", "secretmanager.secrets.list"),
    ),
)


def grants(
    *, mode: AccessMode, provisioned: bool, has_prefix: bool, teams: Mapping[str, str] | None = None
) -> tuple[Grant, ...]:
    """The grants of a stack.

    Args:
        mode: how the secret manager is used.
        provisioned: whether the stack has `kestra:store.gcp`, so that its own secrets are those to read.
        has_prefix: whether `filter-on-prefix` names the secrets of an existing store. Without it nothing there
            becomes readable: whoever owns a secret grants it.
        teams: where stacks of teams write into the store: team to how the names of its secrets begin.
    """
    if mode == "external-secrets":
        return DELIVERED
    if mode == "managed":
        return MANAGED
    reader, *others = READ_ONLY
    if teams is not None:
        below = (
            replace(
                reader,
                name=f"reader-of-{team}",
                scope=Scope.NAME_PATTERN,
                reason=f"reads the values of the secrets of team {team}",
                begin=begin,
            )
            for team, begin in teams.items()
        )
        return (*READ_ONLY, *below)
    if provisioned:
        return READ_ONLY
    below = replace(
        reader,
        scope=Scope.NAME_PATTERN,
        reason="reads the values of an existing store's secrets below filter-on-prefix",
    )
    return (below, *others) if has_prefix else tuple(others)


def condition(project_number: str, prefix: str) -> str:
    """The IAM condition (CEL) that holds for secrets below a prefix, and their versions.

    Google compares with the project's number, never with its id.
    """
    below = json.dumps(f"projects/{project_number}/secrets/{prefix}")
    return f"resource.name.startsWith({below})"


def rows() -> Iterator[PermissionRow]:
    """One row for each grant of each mode, for the documentation."""
    modes = (("read-only", READ_ONLY), ("managed", MANAGED), ("external-secrets", DELIVERED))
    for mode, granted in modes:
        for grant in granted:
            actions = grant.role or ", ".join(grant.permissions)
            yield PermissionRow(mode, actions, grant.scope, grant.reason)
