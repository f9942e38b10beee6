"""Values that are formally right and still lose what they hold, or what another key says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from ...backends.registry import BACKENDS, backend, data_keys
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.walk import is_empty_block, walk_values
from ..catalogue_versions import setting_place
from ..schema import Loc


def leaves(s: Settings) -> Iterator[tuple[Loc, Any]]:
    """Every value that the settings hold, with its place."""
    keys = ((setting_place(path), value) for path, value in walk_values(s.catalogue_keys))
    for loc, value in (*keys, *walk_values(s)):
        if not is_empty_block(value):
            yield loc, value


#: Empty here is judged by a check of its own, is a database without a password, or an empty variable.
_JUDGED_ELSEWHERE = ("encryption", "server", "declared-secrets", "datasources", "deployment")


def empty_secrets(s: Settings) -> Iterator[Finding]:
    """A credential that is there and empty: a `--secret` set from an unset variable."""
    for loc, value in leaves(s):
        if not isinstance(value, SecretStr) or value.get_secret_value():
            continue
        if loc[0] not in _JUDGED_ELSEWHERE and ".".join(map(str, loc)) not in data_keys():
            yield Finding(loc, "is empty", "a credential has a value", "set it, or remove the key")


def _is_read_here(loc: Loc) -> bool:
    """Whether the place is a key of a secret manager that the stack itself reads."""
    *_, type_, name = ("", *loc)
    return type_ in BACKENDS and name in backend(str(type_)).known_keys


def _has_host(address: str, loc: Loc) -> bool:
    # Variables, annotations and tags are the user's own, and may hold several addresses.
    if loc[0] not in ("secret", "store", "storage", "identity") and loc not in (
        ("deployment", "url"),
        ("url",),
    ):
        return True
    # The network policy opens the port of such an address, which a placeholder would hide.
    if "${" in address and not _is_read_here(loc):
        return True
    # Java, unlike Python, takes no other characters.
    if "${" not in address and not _WRITTEN.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


_WRITTEN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_CREDENTIALS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@")


def _is_extra_variable(loc: Loc) -> bool:
    return (
        loc[0] == "deployment" and loc[-1] == "value" and {"extra-env", "env"} & set(loc) != set()
    )


def addresses(s: Settings) -> Iterator[Finding]:
    """`https://user:password@host`: an address is rendered readable. JDBC URLs are rendered as secrets."""
    for loc, value in leaves(s):
        # A variable is a warning, with the command that encrypts it (`clear_secrets`).
        is_variable = loc[:2] == ("deployment", "environment") or _is_extra_variable(loc)
        # So is a text within an object of Kubernetes.
        is_variable = is_variable or sum(isinstance(part, int) for part in loc) > 1
        if loc[0] == "datasources" or is_variable or not isinstance(value, str):
            continue
        if value.startswith(("http://", "https://")) and not _has_host(value, loc):
            yield Finding(
                loc,
                "names no host and port",
                "an address is https://, a host, and a port from 1 to 65535 where it is not the usual one, in ASCII",
                "correct it",
            )
        if _CREDENTIALS.match(value):
            yield Finding(
                loc,
                "holds credentials",
                "an address stands readable in the rendered configuration",
                "write the address without them and use the keys for credentials",
            )
