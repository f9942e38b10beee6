"""A service of one process on one port of loopback, found again by the port that lies beside its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import requests
from filelock import FileLock

from sandbox.errors import SandboxError
from sandbox.services.process import (
    LOOPBACK,
    PATIENCE,
    STARTS,
    Server,
    bare_environment,
    free_port,
    private,
)


class SingleServer:
    """One server. Its kind says what it is called, how it is started, and where it answers."""

    name: ClassVar[str]
    health: ClassVar[str]
    """The path that answers when the server does."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = Server(self.name, directory)
        self._port_file = directory / "port"

    def command(self) -> Sequence[str | Path]:
        """What is run; called with the port known."""
        raise NotImplementedError

    @property
    def variables(self) -> Mapping[str, str]:
        """What its environment has beside what every server needs."""
        return {}

    def began(self) -> None:
        """What is done once it answers."""

    @property
    def port(self) -> int:
        """The port of the API."""
        return int(self._port_file.read_text())

    @property
    def address(self) -> str:
        """The address of the API."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes."""
        return (self.server,)

    @property
    def healthy(self) -> bool:
        """Whether it runs and answers."""
        return self.server.running and self.answers()

    def start(self) -> Self:
        """Starts it, or finds it running.

        Raises:
            SandboxError: when it does not become healthy.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self.directory / "lock"):
            if not self.healthy:
                self.answering()
                self.began()
        return self

    def stop(self) -> None:
        """Ends it."""
        self.server.stop()

    def answers(self) -> bool:
        """Whether the API answers."""
        try:
            return session().get(f"{self.address}{self.health}", timeout=PATIENCE).ok
        except (requests.RequestException, OSError, ValueError):
            return False

    def answering(self) -> None:
        """Waits until it answers; another port where somebody else took the first one."""
        for attempt in range(1, STARTS + 1):
            if not self.server.running:
                private(
                    self._port_file,
                    str(free_port(self.port if self._port_file.exists() else 0)),
                )
                environment = bare_environment(self.directory) | dict(self.variables)
                self.server.start(list(self.command()), environment)
            try:
                return self.server.wait(self.answers, 30)
            except SandboxError:
                if attempt == STARTS or not self.server.port_taken:
                    raise

    def call(self, method: str, path: str, **content: Any) -> requests.Response:
        """One request.

        Raises:
            SandboxError: when the server refuses it.
        """
        answer = session().request(method, f"{self.address}{path}", timeout=30, **content)
        if not answer.ok:
            raise SandboxError(f"The {self.name} server refuses {path}: HTTP {answer.status_code}.")
        return answer


def session() -> requests.Session:
    """Without the caller's proxy settings, which are for the outside."""
    session = requests.Session()
    session.trust_env = False
    return session
