"""What a stand-in may tell: a server's words without the secrets that it was sent, and nothing of its libraries'."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

from sandbox.leaks import redacted
from sandbox.plugins.values import secret_texts, unmarshal


def told(text: str, request: Any) -> str:
    """A server's words without the secrets of the engine's request, which it may quote."""
    found: set[str] = set()
    for descriptor, value in request.ListFields():
        if descriptor.message_type is not None and hasattr(value, "fields"):
            found |= set(secret_texts(unmarshal(value)))
    return redacted(text, found)


def unexpected(error: Exception) -> str:
    """Where a stand-in itself failed, but never the error's text: that may quote a value."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"the stand-in failed with {type(error).__name__} at {place}"


def quiet() -> None:
    """Keeps client libraries from telling what they send and get: at DEBUG they log whole requests."""
    logging.disable(logging.INFO)
