"""`SECRET_…` variables of open-source Kestra, decoded exactly as Kestra decodes them.

Source: kestra-io/kestra, `SecretService`: Java's basic Base64 decoder after line feeds are removed; what it refuses is
logged and the secret does not exist. The name is upper-cased.
"""

from __future__ import annotations

import base64
import re

PREFIX = "SECRET_"
_ALPHABET = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def decode(text: str) -> str | None:
    """The secret that a flow would get; None where Kestra has none: the text is no base64, or its bytes are no text."""
    text = text.replace("\n", "").replace("\r", "")
    if not _ALPHABET.fullmatch(text):
        return None
    body = text.rstrip("=")
    # Java takes a text without its padding, but neither a wrong padding nor a single character at the end.
    if len(body) % 4 == 1 or (body != text and len(text) % 4):
        return None
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except ValueError:
        return None


def secret_name(variable: str) -> str:
    """The name of the secret of a variable: `SECRET_api` is `API`."""
    return variable.removeprefix(PREFIX).upper()
