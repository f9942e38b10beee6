"""Work that is repeated while a command waits for something else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import requests

from sandbox.errors import SandboxError

_PAUSE = 0.5
_END_SECONDS = 10


@contextlib.contextmanager
def meanwhile(step: Callable[[], None]) -> Iterator[None]:
    """Repeats a step of work in a thread of its own until the block ends.

    What it works on is made meanwhile: a step that fails because something is not there yet is tried again.

    Args:
        step: the work; called twice a second.
    """
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(_PAUSE):
            with contextlib.suppress(SandboxError, requests.RequestException, OSError, KeyError):
                step()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_SECONDS)
