"""Goes on after a command that was killed: its engine, its lock, its half-written files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from sandbox.services.process import Identity, began_at, private
from sandbox.state import State

GRACE_SECONDS = 20.0


def orphaned_processes(state: State) -> Iterator[Identity]:
    """Engines and plugins of this state that still run. To be asked only by who holds the state's lock."""
    for process in psutil.process_iter():
        # Another user's does not tell its environment.
        with contextlib.suppress(psutil.Error):
            is_ours = process.environ().get("PULUMI_HOME") == str(state.pulumi_home)
            began = began_at(process.pid)
            if is_ours and process.pid != os.getpid() and began is not None:
                yield Identity(process.pid, began)


def end_orphaned_processes(state: State, grace: float = GRACE_SECONDS) -> int:
    """Ends what a killed command left running. How many processes there were.

    The engine is asked and has time to end its operations; then the rest is killed.
    """
    orphans = list(orphaned_processes(state))
    engines = [process for process in orphans if is_engine(process.pid)]
    for processes, sign, seconds in (
        (engines, signal.SIGINT, grace),
        (orphans, signal.SIGKILL, 5.0),
    ):
        alive = [process for process in processes if process.alive]
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, sign)
        deadline = time.monotonic() + seconds
        while any(process.alive for process in alive) and time.monotonic() < deadline:
            time.sleep(0.05)
    return len(orphans)


def is_engine(pid: int) -> bool:
    """Whether a process is Pulumi's engine, no plugin of it."""
    try:
        return psutil.Process(pid).name() == "pulumi"
    except psutil.Error:
        return False


def repair_backend(state: State) -> None:
    """Removes what a killed engine had half written.

    The state files themselves are replaced whole, but not the attributes beside them: an empty one makes the
    state unreadable ("failed to load checkpoint: EOF"), a missing one does not matter.
    """
    folder = state.backend / ".pulumi"
    if folder.is_dir():
        for file in folder.rglob("*"):
            if (file.name.endswith(".attrs") and file.stat().st_size == 0) or (
                file.name.endswith(".tmp") and file.is_file()
            ):
                file.unlink()


def redact_init_errors(state: State, stack: str, redact: Callable[[str], str]) -> None:
    """Takes secrets out of what the engine keeps of objects that are not ready: a provider's words, as they came.

    Args:
        state: whose backend is looked at, with its backups and its history.
        stack: nothing is written while its state holds no secret there.
        redact: gives a text without the secrets.
    """
    if not _redact_init_errors(state.latest(stack), redact):
        return
    files = [*(state.backend / ".pulumi").rglob("*.json"), *state.backend.rglob("*.json.bak")]
    for file in files:
        with contextlib.suppress(ValueError):
            document = json.loads(file.read_text(encoding="utf-8"))
            if _redact_init_errors(document, redact):
                private(file, json.dumps(document, indent=4))
                # Has the sum of what was there.
                file.with_name(f"{file.name}.attrs").unlink(missing_ok=True)


def _redact_init_errors(value: Any, redact: Callable[[str], str]) -> int:
    """How many held a secret; they do not any more."""
    if isinstance(value, list):
        return sum(_redact_init_errors(item, redact) for item in value)
    if not isinstance(value, dict):
        return 0
    count = 0
    if isinstance(reasons := value.get("initErrors"), list):
        value["initErrors"] = [redact(str(reason)) for reason in reasons]
        count = sum(a != b for a, b in zip(reasons, value["initErrors"], strict=True))
    return count + sum(_redact_init_errors(item, redact) for item in value.values())


def is_locked(state: State, stack: str) -> bool:
    """Whether the backend holds a lock of the stack."""
    folder = state.backend / ".pulumi" / "locks"
    return folder.is_dir() and any(folder.rglob(f"{stack}/*.json"))
