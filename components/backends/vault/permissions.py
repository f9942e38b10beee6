"""What Kestra may do in HashiCorp Vault, as a table and as the policy of its role.

Sources: Kestra documentation, enterprise/governance/secrets-manager, HashiCorp Vault (capabilities of each mode, where
Kestra keeps what it creates), and enterprise/governance/read-only-secrets (a read-only view begins at
`secret-path-prefix`); Vault documentation, KV version 2 (what the paths hold) and policies (a path that ends in `*`
covers all that begins like it; one that ends in `/` is the list of a folder).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ...settings.model import AccessMode, Settings
from ..interface import PermissionRow
from ..teams import granted_teams
from .paths import (
    clean_path,
    folders_to,
    namespace_path,
    policy_rule,
    secret_path,
    stored_path,
)

Mode = AccessMode
Extent = Literal["folder", "secret", "list", "token"]

READ = ("read", "list")
WRITE = ("create", "read", "update", "delete", "list")
DEFAULT_TENANT = "main"


@dataclass(frozen=True)
class Permission:
    """Capabilities on one half of the KV engine, and why Kestra needs them."""

    path: str
    """Below `root-engine`; `{}` stands for the folder or the secret. Of a token Vault's own path."""
    extent: Extent
    """A folder with all that is in it; one secret; only the names in a folder; or the role's own token."""
    capabilities: tuple[str, ...]
    reason: str

    def on(self, root_engine: str, place: str) -> str:
        """The path as Vault's policy has it. The place `""` is the whole engine."""
        if self.extent == "token":
            return self.path
        below = self.path.format(place) if place else self.path.replace("{}/", "")
        return f"{root_engine}/{below}"


PERMISSIONS: Mapping[Mode, tuple[Permission, ...]] = {
    "read-only": (
        Permission(
            "data/{}/*", "folder", READ, "Flows read values; this stack or others write them."
        ),
        Permission(
            "metadata/{}/*", "folder", READ, "Kestra lists the secrets and reads their tags."
        ),
        Permission("data/{}", "secret", ("read",), "Flows read the value that this stack writes."),
        Permission("metadata/{}", "secret", ("read",), "Kestra reads the secret's tags."),
        Permission(
            "metadata/{}/",
            "list",
            ("list",),
            "Kestra lists the secrets. Vault shows the names of everything in such a folder, and no value.",
        ),
    ),
    "managed": (
        Permission(
            "data/{}/*",
            "folder",
            WRITE,
            "Kestra reads and writes the secrets that its users enter.",
        ),
        Permission(
            "metadata/{}/*",
            "folder",
            WRITE,
            "Kestra lists the secrets, writes their tags, and deletes a secret with all its versions.",
        ),
    ),
    "external-secrets": (
        Permission("data/{}", "secret", ("read",), "The operator reads the value."),
        Permission(
            "auth/token/lookup-self",
            "token",
            ("read",),
            "The operator asks whether its log-in holds; without this it reads nothing.",
        ),
        Permission(
            "auth/token/revoke-self",
            "token",
            ("update",),
            "The operator ends its token after each refresh, which else lives on.",
        ),
    ),
}


@dataclass(frozen=True)
class Scope:
    """What of an engine is Kestra's: paths below it, without `data/` and `metadata/`."""

    folders: tuple[str, ...] = ()
    """With everything in them; `""` is the whole engine."""
    secrets: tuple[str, ...] = ()
    """Secrets one by one (read-only mode)."""
    lists: tuple[str, ...] = ()
    """Folders on the way to these secrets."""

    def has(self, path: str) -> bool:
        """Whether a secret is in it, by its path below the engine."""
        inside = (f"{folder}/" if folder else "" for folder in self.folders)
        return path in self.secrets or any(path.startswith(folder) for folder in inside)

    def places(self, extent: Extent) -> tuple[str, ...]:
        """The paths of one extent."""
        return {
            "folder": self.folders,
            "secret": self.secrets,
            "list": self.lists,
            "token": ("",),
        }[extent]


WHOLE_ENGINE = Scope(folders=("",))


def scope(settings: Settings) -> Scope:
    """What of the engine at `root-engine` is Kestra's.

    - Read by External Secrets: the declared secrets one by one, and those that others made.
    - Shared with teams (`store.teams`): the declared secrets one by one, and the folders of the teams' namespaces.
    - `identity.vault.paths`: these folders, and in read-only mode the declared secrets that are not in them.
    - An engine that this stack mounts: all of it, since nobody else's secrets are there.
    - An engine that others use too, read-only: the declared secrets one by one; without any, what is below
      `secret-path-prefix`.
    - An engine that others use too, else: the folder of each of Kestra's tenants below `secret-path-prefix`.

    The settings are those of a stack with `secret.vault`.
    """
    assert settings.secret is not None
    assert settings.secret.vault is not None
    prefix = clean_path(settings.secret.vault.secret_path_prefix)
    if settings.uses_external_secrets:
        named = settings.stored_secrets.items()
        return Scope(secrets=tuple(sorted({stored_path(name, one, prefix) for name, one in named})))
    paths = tuple(clean_path(path) for path in settings.identity.vault.paths)
    is_shared = settings.is_shared_with_teams
    if not paths and settings.identity.vault.mount_engine and not is_shared:
        return WHOLE_ENGINE
    paths += tuple(
        namespace_path(team.tenant, namespace, prefix)
        for team in granted_teams(settings).values()
        for namespace in team.namespaces
    )
    secrets: tuple[str, ...] = ()
    if settings.secret.is_read_only:
        declared = settings.declared_secrets.items()
        every = sorted(secret_path(name, one, prefix) for name, one in declared)
        within = tuple(f"{folder}/" for folder in paths)
        secrets = tuple(path for path in every if not path.startswith(within))
    lists = tuple(dict.fromkeys(folder for path in secrets for folder in folders_to(path, prefix)))
    if paths or secrets or is_shared:
        return Scope(paths, secrets, lists)
    if settings.secret.is_read_only and prefix:
        return Scope(folders=(prefix,))
    return Scope(tuple("/".join(filter(None, (prefix, one))) for one in tenants(settings)))


def tenants(settings: Settings) -> tuple[str, ...]:
    """Kestra's tenants, as far as the settings name them: `main` and those of the first account."""
    first = settings.security.owner if settings.security else None
    more = first.tenant_admin_access if first else ()
    return tuple(dict.fromkeys((DEFAULT_TENANT, *more)))


def grants(root_engine: str, scope: Scope, *, mode: Mode) -> Iterator[tuple[Permission, list[str]]]:
    """Each permission of the mode that applies, with its paths as Vault's policy has them."""
    for permission in PERMISSIONS[mode]:
        places = scope.places(permission.extent)
        if places:
            yield permission, [permission.on(root_engine, place) for place in places]


def policy_text(root_engine: str, *, mode: Mode, scope: Scope = WHOLE_ENGINE) -> str:
    """The policy of the stack's role: exactly the paths and capabilities that its mode needs."""
    return "".join(
        policy_rule(path, permission.capabilities)
        for permission, paths in grants(root_engine, scope, mode=mode)
        for path in paths
    )


def rows() -> Iterator[PermissionRow]:
    """Each permission of each mode, with the path's variable parts in brackets, for the documentation."""
    words = {"folder": "<folder>", "secret": "<secret>", "list": "<folder>", "token": ""}
    for mode, permissions in PERMISSIONS.items():
        for p in permissions:
            path = p.on("<root-engine>", words[p.extent])
            yield PermissionRow(mode, ", ".join(p.capabilities), f"`{path}`", p.reason)
