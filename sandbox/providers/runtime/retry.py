"""Asking a server again, and until when: what an official provider does of itself when a server fails for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotEnded
from contextvars import ContextVar, copy_context
from typing import TypeVar

T = TypeVar("T")

#: Seconds of one operation where the resource's customTimeouts say nothing: the plugin SDK of Terraform, on which
#: the official plugins for AWS, Google and Vault stand, gives 20 minutes (helper/schema/resource_timeout.go).
OPERATION_SECONDS = 20 * 60.0

_DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)


class DeadlineExceeded(Exception):
    """An operation did not end in its time; what it was asking may still happen at the server."""


def deadline() -> float:
    """Until when the running operation may ask, on the clock of `time.monotonic`."""
    result = _DEADLINE.get()
    return time.monotonic() + OPERATION_SECONDS if result is None else result


def run_with_deadline(pool: ThreadPoolExecutor, seconds: float, act: Callable[[], T]) -> T:
    """Runs an operation in a thread of a pool, and leaves it when its time is over.

    Args:
        pool: gives the thread.
        seconds: its time; 0 stands for `OPERATION_SECONDS`, as in the provider protocol.
        act: the operation; what it asks with `ask` ends with its time too.

    Raises:
        DeadlineExceeded: when it did not end.
    """
    seconds = seconds or OPERATION_SECONDS
    context = copy_context()
    context.run(_DEADLINE.set, time.monotonic() + seconds)
    running = pool.submit(context.run, act)
    try:
        return running.result(seconds)
    except NotEnded:
        if running.done():  # its own error, and not the end of its time
            raise
        raise DeadlineExceeded(
            f"context deadline exceeded: the server gave no answer within {seconds:g} s"
        ) from None


def retry_until(
    send: Callable[[], T],
    pause: Callable[[int, T | Exception], float | None],
    failures: type[Exception],
    until: float | None = None,
) -> T:
    """Sends until the outcome stands, or the time is over.

    Args:
        send: one request.
        pause: seconds until the next request, by how often was asked and what came of it, an answer or a failure;
            None when that stands.
        failures: what `send` raises when there is no answer.
        until: when to ask no more (default: `deadline`).

    Raises:
        Exception: the last failure.
    """
    end = deadline() if until is None else until
    asked = 0
    while True:
        asked += 1
        try:
            outcome: T | Exception = send()
        except failures as error:
            outcome = error
        seconds = pause(asked, outcome)
        if seconds is None or time.monotonic() + seconds >= end:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        time.sleep(seconds)


def retry_after(value: str | None) -> float | None:
    """Whole seconds of a Retry-After header; None when it has none."""
    return float(value) if value and value.isdigit() else None
