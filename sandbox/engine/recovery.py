"""Goes on after a command that was killed: its engine, its lock, its half-written files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sandbox.services.process import Identity, began_at, private
from sandbox.state import State

GRACE_SECONDS = 20.0


def leftovers(state: State, processes: Path = Path("/proc")) -> Iterator[Identity]:
    """Engines and plugins of this state that still run. To be asked only by who holds the state's lock."""
    mark = f"PULUMI_HOME={state.pulumi_home}".encode()
    for folder in processes.iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                began = began_at(int(folder.name))
                if began is not None:
                    yield Identity(int(folder.name), began)


def end_leftovers(state: State, grace: float = GRACE_SECONDS) -> int:
    """Ends what a killed command left running. How many processes there were.

    The engine is asked and has time to end its operations; then the rest is killed.
    """
    found = list(leftovers(state))
    engines = [process for process in found if _name(process.pid) == "pulumi"]
    for processes, sign, seconds in (
        (engines, signal.SIGINT, grace),
        (found, signal.SIGKILL, 5.0),
    ):
        alive = [process for process in processes if process.alive]
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, sign)
        deadline = time.monotonic() + seconds
        while any(process.alive for process in alive) and time.monotonic() < deadline:
            time.sleep(0.05)
    return len(found)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def mend_backend(state: State) -> None:
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
