"""`kestra:rotation`: only what the stack itself makes, and what can be made anew."""

from __future__ import annotations

from collections.abc import Iterator

from ...backends.registry import backend_of, data_keys
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.worker_channel import SIGNING_KEY, STORE_PASSWORD, token_key

_ONE_KEY = "Kestra has one key and no re-encryption: with another key it reads nothing of before"
_NO_CHANGE = (
    "Kestra documents no way to change it: the secrets that it stores need the key of before"
)

_ONCE = (
    "Kestra takes the tokens of its configuration for groups that are new, and leaves those of others alone: make the "
    "next one in Kestra, set it as registration-token of the group, and revoke the old one"
)


def rotatable(s: Settings) -> set[str]:
    """The values that the stack makes and can make anew, as its output `generated` names them."""
    values: set[str] = set()
    login = s.server.basic_auth
    if login is not None and login.password is None:
        values.add("server.basic-auth.password")
    everything = s.endpoints.all
    if everything and everything.basic_auth and everything.basic_auth.password is None:
        values.add("endpoints.all.basic-auth.password")
    # One name for both spellings, as the output has it.
    admin = s.security.owner if s.security else None
    if s.is_enterprise and admin is not None and admin.password is None:
        values.add("security.super-admin.password")
    if s.grpc_tls is not None:
        values.add(STORE_PASSWORD)
    if s.registration_groups:
        values.add(SIGNING_KEY)
    return values | backend_of(s).rotatable(s)


def rotation(s: Settings) -> Iterator[Finding]:
    """Names of values that the stack makes."""
    possible = rotatable(s)
    kept = {"encryption.secret-key": _ONE_KEY} | dict.fromkeys(data_keys(), _NO_CHANGE)
    kept |= {token_key(group): _ONCE for group in s.registration_groups}
    for name in s.rotation:
        if name in possible:
            continue
        at = ("rotation", name)
        if name in kept:
            yield Finding(
                at, "cannot be rotated here", kept[name], "read docs/rotation.md and remove it"
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
