"""A stand-in plugin that kills the engine, itself, or the command at one planned moment of one call.

Run as `python -m tests.faults.killing_plugin_helper <stand-in> <plan> [engine's address]`.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sandbox.providers.runtime.servicer import Servicer

CALLS = ("Create", "Read", "Update", "Delete")


def parent_of(pid: int) -> int:
    """The process that started another one."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


class Busy:
    """How many calls are under way. Ends the process once its engine is gone and none is left.

    So a kill tears no other call in two: what a plugin has begun it ends, as it would a moment later.
    """

    def __init__(self) -> None:
        self._lock, self._calls, self._engine = threading.Lock(), 0, os.getppid()
        threading.Thread(target=self._end, daemon=True).start()

    def add(self, calls: int) -> None:
        """One more, or one less."""
        with self._lock:
            self._calls += calls

    def _end(self) -> None:
        while self._calls or os.getppid() == self._engine:
            time.sleep(0.02)
        os._exit(0)


def strike(plan: dict[str, str], file: Path, busy: Busy) -> None:
    """Kills whom the plan names; once only."""
    try:
        file.rename(file.with_suffix(".done"))
    except FileNotFoundError:
        return  # another call was quicker
    engine = os.getppid()
    victims = {"engine": engine, "plugin": os.getpid(), "command": parent_of(engine)}
    os.kill(victims[plan["whom"]], signal.SIGKILL)
    if plan["whom"] == "engine":
        # This call goes no further: "before" would become "after" a moment later.
        busy.add(-1)
        threading.Event().wait()


def planned(file: Path, call: str, moment: str, request: Any, busy: Busy) -> None:
    """Strikes when this is the call and the moment that the plan names."""
    if getattr(request, "preview", False):
        return
    try:
        plan = json.loads(file.read_text())
    except FileNotFoundError:
        return
    name = request.urn.rsplit("::", 1)[1]
    if (plan["call"], plan["name"], plan["moment"]) == (call, name, moment):
        strike(plan, file, busy)


def arm(servicer: type, file: Path) -> None:
    """Puts the plan around every call that changes or looks at a resource."""
    busy = Busy()
    for call in CALLS:
        original = getattr(servicer, call)

        def act(
            self: Any, request: Any, context: Any, call: str = call, original: Any = original
        ) -> Any:
            busy.add(1)
            try:
                planned(file, call, "before", request, busy)
                answer = original(self, request, context)
                planned(file, call, "after", request, busy)
                return answer
            finally:
                busy.add(-1)

        setattr(servicer, call, act)


def main() -> None:
    name, plan, *rest = sys.argv[1:]
    arm(Servicer, Path(plan))
    sys.argv[1:] = rest
    runpy.run_module(
        f"sandbox.providers.{name.replace('-', '_')}", run_name="__main__", alter_sys=True
    )


if __name__ == "__main__":
    main()
