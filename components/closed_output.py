"""Command lines whose output nobody reads to its end: `python -m components render FILE | head`.

Only Python's own modules are used here.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

OUTPUT_CLOSED = 141
"""Exit code, as of a program that ends by SIGPIPE: 128 + 13."""


def run_command(main: Callable[[], int]) -> int:
    """Runs a command line, and ends it without a word when what reads its output has ended.

    Args:
        main: the command line; its result is the exit code.

    Returns:
        The exit code; `OUTPUT_CLOSED` where the output was closed.

    Raises:
        BrokenPipeError: of another pipe or connection than the output.
    """
    try:
        try:
            return main()
        finally:
            # Else Python does so when it ends, and complains.
            sys.stdout.flush()
            sys.stderr.flush()
    except BrokenPipeError:
        if not discard_closed_output():
            raise
        return OUTPUT_CLOSED


def discard_closed_output() -> bool:
    """Discards from here on what is written to an output that is closed. Whether one is."""
    closed = [stream for stream in (sys.stdout, sys.stderr) if _is_closed(stream)]
    if closed:
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in closed:
            os.dup2(null, stream.fileno())
        os.close(null)
    return bool(closed)


def _is_closed(stream: TextIO) -> bool:
    """Whether nobody reads what is written to a pipe or a connection."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        # In memory, or ours to close.
        return False
    poll = select.poll()
    poll.register(number, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
