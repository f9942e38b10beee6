"""A command's time, processor time and peak memory; and two commands in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 1024 * 1024
SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Usage:
    """What a command took, with everything that it started."""

    seconds: float
    """Wall clock."""
    cpu: float
    """Seconds of processor time, user and system."""
    mebibytes: float
    """Highest sum of resident memory (RSS) of the command and what it started; pages in common count twice."""


def ordinary(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python keeps what it compiles, as it does by default.

    The installer compiled the SDK; without this every run would compile the project anew, and only the project.
    """
    return {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> Usage:
    """Runs a command to its end.

    Raises:
        SandboxError: when it fails, with the end of what it said.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=ordinary(os.environ if env is None else env),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        peak = _Peak(process.pid)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            peak.end()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
            raise SandboxError(f"{' '.join(command)} failed:\n{text[-3000:]}")
    return Usage(seconds, used.ru_utime + used.ru_stime, peak.bytes / _MIB)


class _Peak(threading.Thread):
    """Looks at the memory of a process and its descendants, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.bytes = 0
        self.start()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.bytes = max(self.bytes, sum(resident(pid) for pid in family(self._pid)))

    def end(self) -> None:
        self._ended.set()
        self.join()


def family(pid: int) -> list[int]:
    """A process and its living descendants."""
    pids = [pid]
    for each in pids:
        with suppress(OSError):
            for thread in Path(f"/proc/{each}/task").iterdir():
                with suppress(OSError):
                    pids += map(int, (thread / "children").read_text().split())
    return pids


def resident(pid: int) -> int:
    """Resident memory of a process in bytes; 0 when it is gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


@dataclass(frozen=True)
class Pair:
    """Runs of what is measured, and of its floor, made in turns."""

    value: tuple[Usage, ...]
    floor: tuple[Usage, ...]

    def median(self, what: str) -> tuple[float, float]:
        """Medians of `seconds`, `cpu` or `mebibytes`: of the value, and of the floor."""
        first, second = (
            statistics.median(getattr(usage, what) for usage in side)
            for side in (self.value, self.floor)
        )
        return first, second


def in_turns(times: int, value: Callable[[int], Usage], floor: Callable[[int], Usage]) -> Pair:
    """Measures both in each round, the other one first in every second round."""
    values: list[Usage] = []
    floors: list[Usage] = []
    for n in range(times):
        for is_value in (True, False) if n % 2 == 0 else (False, True):
            (values if is_value else floors).append((value if is_value else floor)(n))
    return Pair(tuple(values), tuple(floors))
