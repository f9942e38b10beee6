"""A real Vault server on loopback, with its data in a folder, initialised and unsealed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


class Vault:
    """A Vault server. Its root token and unseal key lie beside its data, readable by the owner only."""

    def __init__(self, directory: Path, tools: dict[str, Path]) -> None:
        self.directory = directory
        self._tool = tools["vault"]
        self.server = Server("vault", directory)
        self.token_file = directory / "root-token"
        self._key_file = directory / "unseal-key"
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
    def root_token(self) -> str:
        """The root token. Secret."""
        return self.token_file.read_text()

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes."""
        return (self.server,)

    @property
    def healthy(self) -> bool:
        """Whether it answers, initialised and unsealed."""
        if not self.server.running:
            return False
        state = self._state()
        return bool(state and state.get("initialized") and not state.get("sealed"))

    def start(self) -> Vault:
        """Starts it, or finds it running; initialises it once; unseals it.

        Raises:
            SandboxError: when it does not become healthy.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self.directory / "lock"):
            if not self.healthy:
                self._answering()
                self._unsealed()
        return self

    def stop(self) -> None:
        """Ends it; its data stays."""
        self.server.stop()

    def _answering(self) -> None:
        for attempt in range(1, STARTS + 1):
            if not self.server.running:
                self._launch()
            try:
                return self.server.wait(lambda: self._state() is not None, 30)
            except SandboxError:
                if attempt == STARTS or not self.server.port_taken:
                    raise

    def _unsealed(self) -> None:
        state = self._state() or {}
        if not state.get("initialized"):
            self._initialise()
        elif not (self._key_file.exists() and self.token_file.exists()):
            raise SandboxError(
                f"Vault's unseal key or root token is gone. Remove {self.directory} and start again."
            )
        if (self._state() or {}).get("sealed"):
            self._call("PUT", "sys/unseal", {"key": self._key_file.read_text()})
        self.server.wait(self._active, 30)

    def _launch(self) -> None:
        before = self.port if self._port_file.exists() else 0
        private(self._port_file, str(free_port(before)))
        configuration: dict[str, Any] = {
            "storage": {"file": {"path": str(self.directory / "data")}},
            "listener": [{"tcp": {"address": f"{LOOPBACK}:{self.port}", "tls_disable": True}}],
            "api_addr": self.address,
            "disable_mlock": True,
            "log_level": "warn",
        }
        file = private(self.directory / "vault.json", json.dumps(configuration))
        self.server.start(
            [self._tool, "server", f"-config={file}"], bare_environment(self.directory)
        )

    def _initialise(self) -> None:
        answer = self._call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        private(self._key_file, answer["keys_base64"][0])
        private(self.token_file, answer["root_token"])

    def _state(self) -> dict[str, Any] | None:
        try:
            answer = _session().get(f"{self.address}/v1/sys/seal-status", timeout=PATIENCE)
        except (requests.RequestException, OSError, ValueError):
            return None
        return answer.json() if answer.ok else None

    def _active(self) -> bool:
        try:
            return (
                _session().get(f"{self.address}/v1/sys/health", timeout=PATIENCE).status_code == 200
            )
        except requests.RequestException:
            return False

    def _call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = _session().request(method, f"{self.address}/v1/{path}", json=body, timeout=30)
        if not answer.ok:
            raise SandboxError(f"Vault refuses {path}: HTTP {answer.status_code}.")
        return answer.json()


def _session() -> requests.Session:
    # The caller's proxy settings are for the outside.
    session = requests.Session()
    session.trust_env = False
    return session
