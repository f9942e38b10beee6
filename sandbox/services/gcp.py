"""A Secret Manager API server on loopback (drongo). Its data live as long as it runs: nothing is kept on disk."""

from __future__ import annotations

import sys
from pathlib import Path

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

PROJECT = "sandbox"
"""The project that it stands for; it takes any name."""


class GoogleCloud:
    """The server. It asks for no credentials, so it is for one user's own machine only."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = Server("gcp", directory)
        self._port_file = directory / "port"

    @property
    def port(self) -> int:
        """The port of the API."""
        return int(self._port_file.read_text())

    @property
    def address(self) -> str:
        """The address of the API."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def state(self) -> Path:
        """The file in which the stand-in keeps what this server lacks."""
        return self.directory / "recorded.json"

    @property
    def environment(self) -> dict[str, str]:
        """By what the plugin finds the server: the official plugin's own variables, and the state's file."""
        return {
            "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT": f"{self.address}/v1/",
            "GOOGLE_PROJECT": PROJECT,
            "KESTRA_SANDBOX_GCP_STATE": str(self.state),
        }

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes."""
        return (self.server,)

    @property
    def healthy(self) -> bool:
        """Whether it answers."""
        return self.server.running and self._answers()

    def start(self) -> GoogleCloud:
        """Starts it, or finds it running.

        Raises:
            SandboxError: when it does not become healthy.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self.directory / "lock"):
            for attempt in range(1, STARTS + 1):
                if not self.server.running:
                    self._launch()
                try:
                    self.server.wait(self._answers, 30)
                    break
                except SandboxError:
                    if attempt == STARTS or not self.server.port_taken:
                        raise
        return self

    def stop(self) -> None:
        """Ends it; the secrets in it are gone."""
        self.server.stop()

    def _launch(self) -> None:
        before = int(self._port_file.read_text()) if self._port_file.exists() else 0
        port = free_port(before)
        private(self._port_file, str(port))
        command = [
            sys.executable,
            "-m",
            "drongo.cli",
            "server",
            "--host",
            LOOPBACK,
            "-p",
            str(port),
        ]
        self.server.start(command, bare_environment(self.directory))

    def _answers(self) -> bool:
        # The caller's proxy settings are for the outside.
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.get(f"{self.address}/drongo/health", timeout=PATIENCE).ok
            except (requests.RequestException, OSError, ValueError):
                return False
