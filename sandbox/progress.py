"""Progress of long work: what is done, which step of how many, and since when."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

HEARTBEAT_SECONDS = 10


class Progress:
    """Prints steps as they begin and end. On a terminal the running step shows its seconds."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._detail = ""

    @contextmanager
    def step(self, title: str, n: int | None = None, of: int | None = None) -> Iterator[Progress]:
        """A step; `n` of `of` when there are several. Ends with its time, or with `failed`."""
        label = f"[{n}/{of}] {title}" if n and of else title
        started = time.monotonic()
        self._detail = ""
        ended = threading.Event()
        if self.console.is_terminal:
            with self.console.status(label) as status:
                thread = threading.Thread(
                    target=self._tick, args=(label, started, ended, status.update), daemon=True
                )
                thread.start()
                yield from self._run(label, started, ended)
        else:
            self.console.print(f"… {label}", markup=False)
            thread = threading.Thread(
                target=self._tick, args=(label, started, ended, None), daemon=True
            )
            thread.start()
            yield from self._run(label, started, ended)

    def _run(self, label: str, started: float, ended: threading.Event) -> Iterator[Progress]:
        try:
            yield self
        except BaseException:
            ended.set()
            self.console.print(f"✗ {label}: failed after {_seconds(started)}", markup=False)
            raise
        ended.set()
        self.console.print(f"✓ {label} ({_seconds(started)})", markup=False)

    def _tick(self, label: str, started: float, ended: threading.Event, update: object) -> None:
        wait = 0.5 if update else HEARTBEAT_SECONDS
        while not ended.wait(wait):
            detail = f" · {self._detail}" if self._detail else ""
            line = f"{label} · {_seconds(started)}{detail}"
            if callable(update):
                update(line.replace("[", "\\["))
            else:
                self.console.print(f"  {line}", markup=False)
                sys.stdout.flush()

    def detail(self, text: str) -> None:
        """What the running step is at; shown after its seconds."""
        self._detail = text

    def note(self, text: str) -> None:
        """A line of its own."""
        self.console.print(f"  {text}", markup=False)


def _seconds(started: float) -> str:
    return duration(time.monotonic() - started)


def duration(seconds: float) -> str:
    """A time for people: `12.3 s`, `4 min 5 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
