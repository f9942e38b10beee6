"""`kestra:rotation`: only what the stack itself makes, and what can be made anew."""

from __future__ import annotations

from collections.abc import Iterator

from components.backends.vault.rules import vault_method
from components.settings.findings import Finding
from components.settings.model import Settings

_KEPT = {
    "encryption.secret-key": "Kestra has one key and no re-encryption: with another key it reads nothing of before",
    "secret.jdbc.secret": "Kestra documents no way to change it: the secrets that it stores need the key of before",
    "secret.elasticsearch.secret": (
        "Kestra documents no way to change it: the secrets that it stores need the key of before"
    ),
}


def made(s: Settings) -> set[str]:
    """The values that the stack makes and can make anew, as its output `generated` names them."""
    found: set[str] = set()
    login = s.server.basic_auth
    if login is not None and login.password is None:
        found.add("server.basic-auth.password")
    everything = s.endpoints.all
    if everything and everything.basic_auth and everything.basic_auth.password is None:
        found.add("endpoints.all.basic-auth.password")
    # One name for both spellings, as the output has it.
    admin = s.security.owner if s.security else None
    if s.is_enterprise and admin is not None and admin.password is None:
        found.add("security.super-admin.password")
    vault = s.secret.vault if s.secret and s.secret.type == "vault" else None
    if vault is not None:
        method = vault_method(vault)
        if method == "app-role" and vault.app_role and vault.app_role.role_id is None:
            found.add("secret.vault.app-role.secret-id")
        if method == "password" and vault.password and vault.password.password is None:
            found.add("secret.vault.password.password")
        if method == "token" and vault.token and vault.token.token is None:
            found.add("secret.vault.token.token")
    return found


def rotation(s: Settings) -> Iterator[Finding]:
    """Names of values that the stack makes."""
    possible = made(s)
    for name in s.rotation:
        if name in possible:
            continue
        at = ("rotation", name)
        if name in _KEPT:
            yield Finding(
                at, "cannot be rotated here", _KEPT[name], "read docs/rotation.md and remove it"
            )
        elif name.startswith("declared-secrets."):
            yield Finding(
                at,
                "is a declared secret",
                "a declared secret carries its own text",
                f"set kestra:{name}.generate.rotation",
            )
        else:
            yield Finding(
                at,
                "is nothing that this stack makes",
                f"one of {', '.join(sorted(possible))}" if possible else "this stack makes none",
                "remove it; a value that the settings give is changed there",
            )
