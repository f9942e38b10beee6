"""Values as Pulumi writes them, to the engine's protocol and into saved states, read as the controls see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .values import UNKNOWN, Sealed, Unknown

#: The key by which an object says that it stands for something else, and what it may say.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a signature
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
#: What stands for a value that is not known yet: one text for each kind of value.
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWN_TEXTS = frozenset(
    (
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    )
)
_REDACTED = "[secret]"
"""What Pulumi shows of a secret that it cannot, or must not, decrypt."""


def decode(value: Any, *, is_secret: bool = False) -> Any:
    """A value with what is unknown and what is secret marked.

    A secret that is encrypted, or redacted, is known to be one and no more.

    Args:
        value: of JSON's types.
        is_secret: whether something around it is.
    """
    if isinstance(value, Mapping):
        signature = value.get(SIGNATURE)
        if signature == SECRET:
            return decode(_plaintext(value), is_secret=True)
        if signature == _OUTPUT:
            secret = is_secret or value.get("secret") is True
            return decode(value.get("value", UNKNOWN_TEXT), is_secret=secret)
        # Files and references to resources stay what they are. The protocol keeps no order of keys.
        return {k: decode(value[k], is_secret=is_secret) for k in sorted(value) if k != SIGNATURE}
    if isinstance(value, (list, tuple)):
        return [decode(inner, is_secret=is_secret) for inner in value]
    if isinstance(value, Unknown) or (isinstance(value, str) and value in _UNKNOWN_TEXTS):
        return UNKNOWN
    if value == _REDACTED:
        return Sealed(UNKNOWN)
    if is_secret and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return Sealed(str(value))
    return value


def _plaintext(secret: Mapping[str, Any]) -> Any:
    """What a secret holds: as the engine sends it, as an export shows it, or encrypted."""
    if "value" in secret:
        return secret["value"]
    if "plaintext" in secret:
        try:
            return json.loads(secret["plaintext"])
        except (TypeError, ValueError, RecursionError):
            return _REDACTED
    return _REDACTED


def encode(value: Any) -> Any:
    """A value for the engine's protocol: the reverse of `decode`."""
    if isinstance(value, Mapping):
        return {key: encode(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(inner) for inner in value]
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, Sealed):
        return {SIGNATURE: SECRET, "value": encode(value.value)}
    return value
