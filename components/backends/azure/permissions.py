"""What Kestra may do in Azure Key Vault, as a table: a built-in role a mode, at the scope of one vault.

Sources: Kestra documentation, enterprise/governance/secrets-manager (the permissions of each mode); Azure
documentation, built-in roles for security (what a role holds), Key Vault RBAC guide (scopes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ...settings.model import AccessMode
from ..interface import PermissionRow

SECRETS = "Microsoft.KeyVault/vaults/secrets"
SCOPE = "the vault"
ONE_BY_ONE = "each secret by its name"


@dataclass(frozen=True)
class Permission:
    """One operation on secrets of the vault, and why Kestra needs it."""

    action: str
    reason: str


@dataclass(frozen=True)
class Role:
    """A built-in role of Azure."""

    name: str
    id: str
    """Id of the role's definition, the same in every subscription."""
    data_actions: tuple[str, ...]
    """What its definition allows on data, as Azure writes it."""
    permissions: tuple[Permission, ...]
    """What that comes to, one by one."""

    def allows(self, action: str) -> bool:
        """Whether the role's definition allows an operation on data."""
        return any(fnmatchcase(action.lower(), allowed.lower()) for allowed in self.data_actions)


_READ = (
    Permission(f"{SECRETS}/readMetadata/action", "Kestra lists the secrets and reads their tags."),
    Permission(f"{SECRETS}/getSecret/action", "Flows read the values."),
)

ROLES: Mapping[AccessMode, Role] = {
    "read-only": Role(
        "Key Vault Secrets User",
        "4633458b-17de-408a-b874-0445c86b69e6",
        (f"{SECRETS}/getSecret/action", f"{SECRETS}/readMetadata/action"),
        _READ,
    ),
    "managed": Role(
        "Key Vault Secrets Officer",
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        (f"{SECRETS}/*",),
        (
            *_READ,
            Permission(f"{SECRETS}/setSecret/action", "Kestra writes what its users enter."),
            Permission(
                f"{SECRETS}/update/action",
                "Comes with the role: tags and expiry can change without a new version. Kestra does not ask for it.",
            ),
            Permission(f"{SECRETS}/delete", "Users delete secrets in Kestra."),
            Permission(
                f"{SECRETS}/recover/action",
                "Kestra asks for it: a deleted name is free again only once it is recovered or purged.",
            ),
            Permission(
                f"{SECRETS}/purge/action",
                "Kestra asks for it; with purge-protection nobody can purge, Kestra included.",
            ),
            Permission(
                f"{SECRETS}/backup/action",
                "Kestra asks for it. A backup is encrypted and restores only in the same subscription and geography.",
            ),
            Permission(f"{SECRETS}/restore/action", "Kestra asks for it."),
        ),
    ),
    "external-secrets": Role(
        "Key Vault Secrets User",
        "4633458b-17de-408a-b874-0445c86b69e6",
        (f"{SECRETS}/getSecret/action", f"{SECRETS}/readMetadata/action"),
        (
            Permission(f"{SECRETS}/getSecret/action", "The operator reads the values."),
            Permission(
                f"{SECRETS}/readMetadata/action",
                "Comes with the role. The operator does not ask for it, and at the scope of one secret Key Vault lists "
                "none.",
            ),
        ),
    ),
}


def rows() -> Iterator[PermissionRow]:
    """Each permission of each mode, for the documentation."""
    for mode, chosen in ROLES.items():
        for permission in chosen.permissions:
            scope = ONE_BY_ONE if mode == "external-secrets" else SCOPE
            yield PermissionRow(mode, permission.action, scope, permission.reason)
