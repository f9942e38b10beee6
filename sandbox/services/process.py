"""Servers as detached processes of this machine: started, recognised again, and ended by their id."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from sandbox.errors import SandboxError

LOOPBACK = "127.0.0.1"
PATIENCE = 3
"""Seconds for one answer when a server is asked whether it is healthy."""
STARTS = 3
"""How often a server is started when another program is quicker to take its port."""


def free_port(preferred: int = 0) -> int:
    """A port of the loopback address that nobody listens on; the preferred one if it is free."""
    return free_ports(["only"], {"only": preferred})["only"]


def free_ports(names: Iterable[str], preferred: Mapping[str, int]) -> dict[str, int]:
    """Ports of the loopback address that nobody listens on, each the preferred one if it is free.

    A server that starts again keeps its port where it can, so that addresses handed on stay true.
    """
    with contextlib.ExitStack() as open_sockets:
        ports = {}
        for name in names:
            s = open_sockets.enter_context(socket.socket())
            # As servers do: connections that linger after the last run do not keep the port taken.
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((LOOPBACK, preferred.get(name, 0)))
                s.listen()
            except OSError:
                s = open_sockets.enter_context(socket.socket())
                s.bind((LOOPBACK, 0))
                s.listen()
            ports[name] = s.getsockname()[1]
        return ports


@dataclass(frozen=True)
class Identity:
    """A process, recognised by its id and the time at which it began since the machine's start."""

    pid: int
    began: int
    boot: str | None = None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.boot in (None, boot()) and began_at(self.pid) == self.began


def boot() -> str | None:
    """The id of this start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def began_at(pid: int) -> int | None:
    """When a process began, in ticks since the machine's start; None when there is none."""
    try:
        process = psutil.Process(pid)
        status, threads = process.status(), process.num_threads()
        seconds = process.create_time() - psutil.boot_time()
    except psutil.Error:
        return None
    # While a thread is still on its way out, a process that has ended holds its ports.
    ended = status == psutil.STATUS_DEAD or (status == psutil.STATUS_ZOMBIE and threads <= 1)
    return None if ended else round(seconds * os.sysconf("SC_CLK_TCK"))


class Server:
    """One server process with its log file and the record by which a later run finds it."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self._record = directory / f"{name}.pid"
        self._child: subprocess.Popen[bytes] | None = None
        self._log_begins = 0

    @property
    def identity(self) -> Identity | None:
        """The recorded process, whether it runs or not."""
        try:
            return Identity(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def running(self) -> bool:
        """Whether the recorded process runs."""
        identity = self.identity
        return identity is not None and identity.alive

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Starts the server in a session of its own, so that it outlives this command."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_begins = log.tell()
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
                cwd=self.log.parent,
            )
        self._child = child
        identity = Identity(child.pid, began_at(child.pid) or 0, boot())
        private(self._record, json.dumps(asdict(identity)))

    def wait(self, healthy: Callable[[], bool], seconds: float) -> None:
        """Waits until the server is healthy.

        Raises:
            SandboxError: when it ends or does not become healthy in time; quotes its last log lines.
        """
        deadline = time.monotonic() + seconds
        while not healthy():
            if not self.running:
                raise SandboxError(f"{self.name} ended while it started: {self._last()}")
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"{self.name} is not healthy after {seconds:.0f} s: {self._last()}"
                )
            time.sleep(0.05)

    @property
    def port_taken(self) -> bool:
        """Whether it ended because another program listens on its port."""
        return not self.running and "address already in use" in self._logged().lower()

    def _logged(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_begins)
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _last(self) -> str:
        lines = self._logged().strip().splitlines()
        return f"{' / '.join(lines[-3:])[-500:]} (log: {self.log})"

    def stop(self, seconds: float = 10) -> None:
        """Ends the recorded process and waits for it; SIGKILL when it does not end in time."""
        identity = self.identity
        if identity is not None and identity.alive:
            for sign, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(identity.pid, sign)
                deadline = time.monotonic() + patience
                while identity.alive and time.monotonic() < deadline:
                    if self._child is not None:
                        self._child.poll()
                    time.sleep(0.02)
                if not identity.alive:
                    break
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(1)
        self._record.unlink(missing_ok=True)


def bare_environment(home: Path) -> dict[str, str]:
    """What a server needs of the environment, and nothing of the caller's."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8"}


def private(path: Path, content: str | bytes) -> Path:
    """Writes a file that only its owner can read, whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.replace(temporary, path)
    return path
