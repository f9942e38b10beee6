"""What a stand-in keeps for itself: secrets in a server's words, its libraries' logs, the text of errors of its own."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.providers.runtime.values import Secret

SHORTEST = 4
"""Characters; a shorter value is part of other words, and no secret."""


def redact_error(message: str, secrets: Any) -> str:
    """An error's text with `[secret]` in the place of each secret that it quotes.

    Values in another form, such as base64, are left to the redaction of the engine's events (`components.redaction.secrets`).

    Args:
        message: the text.
        secrets: values in which secrets are marked. A shorter text than `SHORTEST` is not looked for.
    """
    texts = {text for text in _texts(secrets, False) if len(text) >= SHORTEST}
    for text in sorted(texts, key=len, reverse=True):
        message = message.replace(text, "[secret]")
    return message


def _texts(value: Any, secret: bool) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from _texts(value.value, True)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner, secret)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, secret)
    elif secret:
        yield str(value)


def describe_internal_error(error: Exception) -> str:
    """Where a stand-in itself failed, but never the error's text: that may quote a value."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"the stand-in failed with {type(error).__name__} at {place}"


def silence_client_logs() -> None:
    """Keeps client libraries from telling what they send and get: at DEBUG they log whole requests."""
    logging.disable(logging.INFO)
