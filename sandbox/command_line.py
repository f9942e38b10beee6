"""How every command of the sandbox ends when it is interrupted, or when nobody reads its output any more."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from rich.console import Console

from components.closed_output import OUTPUT_CLOSED, discard_closed_output
from components.closed_output import run_command as run_any_command

INTERRUPTED = 130
"""Exit code, as of a program that ends by SIGINT: 128 + 2."""


class CommandConsole(Console):
    """The console of a command; `up | head` ends like Ctrl-C, so that the engine finishes what it is doing."""

    def __init__(self) -> None:
        super().__init__(highlight=False, soft_wrap=True)
        self.is_closed = False
        self._closing = threading.Lock()

    def on_broken_pipe(self) -> None:
        """Called by rich, in whichever thread prints.

        Raises:
            KeyboardInterrupt: in the main thread; from another one it is sent there.
        """
        with self._closing:
            is_first, self.is_closed = not self.is_closed, True
            discard_closed_output()
        if not is_first:
            return
        main = threading.main_thread()
        if threading.current_thread() is main:
            raise KeyboardInterrupt
        # Not SIGINT, which a job in the background ignores.
        signal.pthread_kill(main.ident or 0, signal.SIGTERM)

    @property
    def interrupted(self) -> int:
        """The exit code of a command that was interrupted."""
        return OUTPUT_CLOSED if self.is_closed else INTERRUPTED


def run_command(main: Callable[[], int]) -> int:
    """Runs a command line; SIGTERM and SIGHUP end it like Ctrl-C, a closed output without a word."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    return run_any_command(main)
