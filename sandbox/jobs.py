"""Commands that run at the same time, with the progress of all of them in one table."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import shorten

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from sandbox.errors import SandboxError
from sandbox.progress import HEARTBEAT_SECONDS, duration

_TERMINAL_SECONDS = 0.5
_LAST_LINES = 12


@dataclass(eq=False)
class Job:
    """Commands that run one after another.

    Its state changes in this order: waiting, running, done or failed.
    """

    title: str
    commands: Sequence[Sequence[str]]
    after: Job | None = None
    """The job that has to be done before this one starts."""
    on_done: Callable[[], Sequence[Job]] | None = None
    """Gives the jobs that can start once this one is done."""
    lines: list[str] = field(default_factory=list)
    """What the commands have printed."""
    started: float | None = None
    ended: float | None = None
    status: int | None = None
    """Exit code of the last command that ran; None while it has none."""
    process: subprocess.Popen[str] | None = None
    thread: threading.Thread | None = None

    @property
    def state(self) -> str:
        """`waiting`, `running`, `done` or `failed`."""
        if self.started is None:
            return "waiting"
        if self.ended is None:
            return "running"
        return "failed" if self.status else "done"

    @property
    def elapsed(self) -> str:
        """How long it has run."""
        if self.started is None:
            return ""
        return duration((self.ended or time.monotonic()) - self.started)

    def start(self) -> None:
        """Starts the first command; the others follow it."""
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Ends the command that runs, and waits for it."""
        process = self.process
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait()

    def _run(self) -> None:
        try:
            for command in self.commands:
                self.status = self._run_one(command)
                if self.status:
                    break
            else:
                self.status = 0
        except OSError as error:
            self.lines.append(f"{error.filename}: {error.strerror}")
            self.status = 1
        finally:
            self.ended = time.monotonic()

    def _run_one(self, command: Sequence[str]) -> int:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as self.process:
            assert self.process.stdout is not None
            for line in self.process.stdout:
                if text := line.strip():
                    self.lines.append(text)
        return self.process.returncode


def run_jobs(jobs: Sequence[Job], console: Console) -> None:
    """Runs jobs at the same time, and those that they bring; returns when all are done.

    Args:
        jobs: the jobs to begin with.
        console: a terminal shows a table that is kept current; anything else gets a line for every start and end,
            and every ten seconds one for each running job.

    Raises:
        SandboxError: when a job fails, with the end of what it printed; the other jobs are stopped.
    """
    everything = list(jobs)
    display = _Terminal(console) if console.is_terminal else _Lines(console)
    try:
        with display:
            while True:
                for job in everything:
                    if job.state == "done" and job.on_done is not None:
                        on_done, job.on_done = job.on_done, None
                        everything += on_done()
                for job in everything:
                    if job.state == "waiting" and (job.after is None or job.after.state == "done"):
                        job.start()
                display.show(everything)
                if failed := next((job for job in everything if job.state == "failed"), None):
                    raise _failure(failed)
                if all(job.state == "done" and job.on_done is None for job in everything):
                    return
                _wait(everything, display.seconds)
    finally:
        for job in everything:
            job.stop()


def _wait(jobs: Sequence[Job], seconds: float) -> None:
    """Waits until a running job ends, at most for some seconds."""
    deadline = time.monotonic() + seconds
    running = [job for job in jobs if job.state == "running"]
    while time.monotonic() < deadline and all(job.state == "running" for job in running):
        time.sleep(0.1)


def _failure(job: Job) -> SandboxError:
    lines = [line for line in job.lines if not line.startswith("✗")][-_LAST_LINES:]
    # The commands of the sandbox end with one sentence that says it all.
    errors = [line for line in lines if line.startswith(("Error:", "ERROR:"))]
    text = errors[-1].partition(":")[2].strip() if errors else "\n".join(lines)
    return SandboxError(f"{job.title}: {text or f'exit code {job.status}'}")


class _Terminal:
    """One table of all jobs, drawn again and again."""

    seconds = _TERMINAL_SECONDS

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> _Terminal:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, jobs: Sequence[Job]) -> None:
        """Draws the table."""
        self._live.update(table(jobs), refresh=True)


def table(jobs: Sequence[Job]) -> Table:
    """A row for each job: its state, its time, and the last line of a running one."""
    signs = {"waiting": " ", "running": "…", "done": "✓", "failed": "✗"}
    result = Table.grid(padding=(0, 2))
    result.add_column(no_wrap=True)
    result.add_column(no_wrap=True)
    result.add_column(no_wrap=True, justify="right")
    result.add_column(no_wrap=True, overflow="ellipsis")
    for job in jobs:
        last = job.lines[-1] if job.lines and job.state == "running" else ""
        result.add_row(signs[job.state], escape(job.title), job.elapsed, escape(last), style="")
    return result


class _Lines:
    """Lines for a log: starts, ends, and every ten seconds what runs."""

    seconds = HEARTBEAT_SECONDS

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[Job, str] = {}

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def show(self, jobs: Sequence[Job]) -> None:
        """Prints what is new, and what runs."""
        for job in jobs:
            state, before = job.state, self._shown.get(job)
            self._shown[job] = state
            if state == "running" and before == "running":
                last = f" · {shorten(job.lines[-1], 100, placeholder='…')}" if job.lines else ""
                self._print(f"  {job.title} · {job.elapsed}{last}")
            elif state == "running":
                self._print(f"… {job.title}")
            elif state != before and state in ("done", "failed"):
                sign = "✓" if state == "done" else "✗"
                self._print(f"{sign} {job.title} ({job.elapsed})")
        sys.stdout.flush()

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False)
