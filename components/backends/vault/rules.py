"""Vault: paths that a policy can name, an engine that others use too, and lives that Vault would shorten."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...settings.durations import milliseconds
from ...settings.findings import Finding
from ...settings.managers import Vault
from ...settings.model import Settings

_UNFIT = re.compile(r'["\\\\{}]')
_RULE = (
    "a path is names with single slashes between them, none of them . or .., without * and + (wildcards of Vault's "
    "policies), quotes, backslashes, braces and control characters"
)
#: Vault's own limit of a mount where nobody set one (`max_lease_ttl` of the server).
MAX_LEASE_HOURS = 768


def vault_methods(block: Vault) -> list[str]:
    """The auth methods whose blocks are set."""
    every = ("password", "token", "app-role", "kubernetes")
    return [m for m in every if getattr(block, m.replace("-", "_")) is not None]


def vault_method(block: Vault) -> str | None:
    """The auth method whose block is set, when it is exactly one."""
    methods = vault_methods(block)
    return methods[0] if len(methods) == 1 else None


def _block(s: Settings) -> Vault | None:
    return s.secret.vault if s.secret is not None and s.secret.type == "vault" else None


def log_in(s: Settings) -> Iterator[Finding]:
    """Exactly one way to log in; lives of tokens that Vault accepts."""
    block = s.secret and s.secret.vault
    if not block or s.secret is None:
        return
    at = ("secret", "vault")
    methods = vault_methods(block)
    if len(methods) > 1:
        yield Finding(
            at,
            f"has {len(methods)} auth methods",
            "one of password, token, app-role and kubernetes",
            "keep one; `kubernetes: {}` needs no credential",
        )
    if block.read_only is not None and block.read_only != s.secret.read_only:
        yield Finding(
            (*at, "read-only"),
            "differs from kestra:secret.read-only",
            "both places say the same, since Kestra's documentation names either",
            "set only kestra:secret.read-only",
        )
    app_role = block.app_role
    if app_role and (app_role.role_id is None) != (app_role.secret_id is None):
        missing = "role-id" if app_role.role_id is None else "secret-id"
        yield Finding(
            (*at, "app-role", missing),
            "is missing",
            "role-id and secret-id go together",
            "set both, or neither to have them provisioned",
            kind="missing",
        )
    identity = s.identity.vault
    if (milliseconds(identity.token_ttl) or 0) > (milliseconds(identity.token_max_ttl) or 0):
        yield Finding(
            ("identity", "vault", "token-ttl")
            if "token_ttl" in identity.model_fields_set
            else ("identity", "vault", "token-max-ttl"),
            "is above token-max-ttl"
            if "token_ttl" in identity.model_fields_set
            else "is below token-ttl (1h)",
            "token-ttl <= token-max-ttl",
            "shorten token-ttl or lengthen token-max-ttl",
            kind="relation",
        )
    for name, value in (
        ("token-ttl", identity.token_ttl),
        ("token-max-ttl", identity.token_max_ttl),
        ("secret-id-ttl", identity.secret_id_ttl),
    ):
        if (milliseconds(value) or 0) % 1000:
            yield Finding(
                ("identity", "vault", name),
                "is no whole second",
                "Vault counts seconds",
                "round it",
            )


def paths(s: Settings) -> Iterator[Finding]:
    """Paths that stand in Kestra's policy: none may say more than itself."""
    block = _block(s)
    if block is None:
        return
    at = ("secret", "vault")
    yield from _path((*at, "root-engine"), block.root_engine)
    if s.uses_external_secrets:
        yield from _paths_of_the_operator(at, block)
    elif block.secret_path_prefix:
        if "${" not in block.secret_path_prefix:
            yield from _path((*at, "secret-path-prefix"), block.secret_path_prefix)
        elif s.declared_secrets or not s.identity.vault.mount_engine:
            yield Finding(
                (*at, "secret-path-prefix"),
                "names a variable",
                "this stack writes secrets and Kestra's policy for this path; only Kestra resolves ${NAME}",
                "write the path itself",
            )
    for i, path in enumerate(s.identity.vault.paths):
        yield from _path(("identity", "vault", "paths", i), path)


def _paths_of_the_operator(at: tuple[str, ...], block: Vault) -> Iterator[Finding]:
    if block.kubernetes is not None:
        yield from _path((*at, "kubernetes", "path"), block.kubernetes.path)
    folder, place = block.secret_path_prefix, (*at, "secret-path-prefix")
    if folder is None:
        return
    if folder.strip() and any(c.isspace() for c in folder.strip()):
        yield Finding(
            place, "holds a space", f"{_RULE}; here without spaces, too", "write it without spaces"
        )
    else:
        yield from _path(place, folder, "name the folder itself")


#: More folders than one, in the Enterprise Edition.
_FOLDERS = "name the folder itself; more folders go under kestra:identity.vault.paths, one by one"


def _path(at: tuple[str | int, ...], path: str, instead: str = _FOLDERS) -> Iterator[Finding]:
    names = path.split("/")
    if not path.strip("/ "):
        yield Finding(at, "names no folder", _RULE, "name one, or remove it")
    elif "*" in path or "+" in path:
        yield Finding(at, "holds a wildcard of Vault's policies", _RULE, instead)
    elif not names[0] or not names[-1]:
        end = "ends" if names[0] else "begins"
        yield Finding(at, f"{end} with a slash", _RULE, "remove that slash")
    elif "" in names:
        yield Finding(at, "has two slashes in a row", _RULE, "write one")
    elif "." in names or ".." in names:
        yield Finding(at, "has . or .. as a name", _RULE, "write the path that is meant")
    elif _UNFIT.search(path) or not path.isprintable() or any(n != n.strip() for n in names):
        yield Finding(
            at, "holds a character that a policy of Vault cannot hold", _RULE, "write it without"
        )


def shared_engine(s: Settings) -> Iterator[Finding]:
    """An engine that others use too: what is Kestra's in it, and what nothing says."""
    block = _block(s)
    vault = s.identity.vault
    if block is None or s.secret is None or vault.mount_engine or vault.paths:
        return
    if s.is_secrets_alone or s.is_shared_with_teams:
        # What the engine has of whom is said by kestra:store.teams.
        return
    if block.prefix:
        yield Finding(
            ("secret", "vault", "prefix"),
            "is not in the policy of Kestra's role",
            "Kestra's documentation does not say where it puts this prefix, and in an engine that others use too "
            "(mount-engine: false) its role reaches only what is known to be Kestra's",
            "name the folders that Kestra uses under kestra:identity.vault.paths",
            warning=True,
        )
    if s.secret.is_read_only and (s.declared_secrets or block.secret_path_prefix):
        return
    if s.secret.is_read_only:
        yield Finding(
            ("identity", "vault", "mount-engine"),
            "is false, and nothing says which secrets of the engine are Kestra's: its role reads the folder of "
            "tenant main",
            "in an engine that others use too Kestra's role reaches the declared secrets, what is below "
            "secret-path-prefix, or the folders of identity.vault.paths",
            "set kestra:secret.vault.secret-path-prefix, or kestra:identity.vault.paths",
            warning=True,
        )
    yield from _tenants(s)


def _tenants(s: Settings) -> Iterator[Finding]:
    if s.security is None or s.security.owner is None:
        return
    account = "instance-owner" if s.security.instance_owner else "super-admin"
    for i, tenant in enumerate(s.security.owner.tenant_admin_access):
        if not re.fullmatch(r"[A-Za-z0-9_-]+", tenant):
            yield Finding(
                ("security", account, "tenant-admin-access", i),
                "is no name of a tenant that a policy of Vault can hold",
                "a tenant is letters, digits, - and _; its folder in Vault stands in the policy of Kestra's role",
                "correct it, or name the folders under kestra:identity.vault.paths",
            )


def lives(s: Settings) -> Iterator[Finding]:
    """Lives above the limit of the auth mount, which Vault shortens without a word."""
    block = _block(s)
    mount = log_in_mount(block) if block is not None else None
    if block is None or mount is None or s.is_secrets_alone:
        return
    method, vault = vault_method(block), s.identity.vault
    lengths = {"token-max-ttl": vault.token_max_ttl}
    if method != "token":
        lengths["token-ttl"] = vault.token_ttl
    if method == "app-role":
        lengths["secret-id-ttl"] = vault.secret_id_ttl
    for name, length in lengths.items():
        if (milliseconds(length) or 0) <= MAX_LEASE_HOURS * 3_600_000:
            continue
        hours = -(-(milliseconds(length) or 0) // 3_600_000)
        again = " and rotate secret.vault.app-role.secret-id" if name == "secret-id-ttl" else ""
        yield Finding(
            ("identity", "vault", name),
            f"is longer than {MAX_LEASE_HOURS}h, Vault's own max_lease_ttl",
            "Vault shortens it without a word to the max_lease_ttl of the auth mount, which is the server's "
            f"({MAX_LEASE_HOURS}h where nobody set it) until the mount is tuned; this stack does not tune it",
            f"shorten it to {MAX_LEASE_HOURS}h or less; or have Vault's owner run "
            f"`vault auth tune -max-lease-ttl={hours}h {mount}/`{again}",
            warning=True,
        )


def log_in_mount(block: Vault) -> str | None:
    """Path of the auth method in which the stack makes Kestra's log-in; None where it makes none."""
    method = vault_method(block)
    if method is None:
        return None
    path, is_provisioned = {
        "kubernetes": (block.kubernetes and block.kubernetes.path, True),
        "app-role": (block.app_role and block.app_role.path, not _has_ids(block)),
        "password": ("userpass", block.password is not None and block.password.password is None),
        "token": ("token", block.token is not None and block.token.token is None),
    }[method]
    return (path or method).strip("/") if is_provisioned else None


def _has_ids(block: Vault) -> bool:
    return block.app_role is not None and block.app_role.role_id is not None
