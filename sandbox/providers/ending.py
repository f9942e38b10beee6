"""How a plugin ends."""

from __future__ import annotations

import os
import signal


def end_silently() -> None:
    """Ends the process at once when the engine asks for it, also while a request waits for a server.

    The engine interrupts a plugin when all is over, and takes a traceback, or an end that comes late, for a defect.
    """
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
