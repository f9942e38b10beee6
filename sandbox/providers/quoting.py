"""What a stand-in keeps for itself: its libraries' logs, and the text of an error of its own."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path


def unexpected(error: Exception) -> str:
    """Where a stand-in itself failed, but never the error's text: that may quote a value."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"the stand-in failed with {type(error).__name__} at {place}"


def quiet() -> None:
    """Keeps client libraries from telling what they send and get: at DEBUG they log whole requests."""
    logging.disable(logging.INFO)
