"""A real Vault server on loopback, with its data in a folder, initialised and unsealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from sandbox.errors import SandboxError
from sandbox.services.process import LOOPBACK, PATIENCE, private
from sandbox.services.single import SingleServer, session


class Vault(SingleServer):
    """A Vault server. Its root token and unseal key lie beside its data, readable by the owner only."""

    name = "vault"
    health = "/v1/sys/seal-status"

    def __init__(self, directory: Path, tools: dict[str, Path]) -> None:
        super().__init__(directory)
        self._tool = tools["vault"]
        self.token_file = directory / "root-token"
        self._key_file = directory / "unseal-key"

    @property
    def root_token(self) -> str:
        """The root token. Secret."""
        return self.token_file.read_text()

    def audit_file(self, stack: str) -> Path:
        """Where the audit device of a stack writes, whatever file the stack names on its own Vault's machine."""
        return self.directory.resolve() / f"audit-{stack}.log"

    @property
    def healthy(self) -> bool:
        """Whether it answers, initialised and unsealed."""
        if not self.server.running:
            return False
        state = self._state()
        return bool(state and state.get("initialized") and not state.get("sealed"))

    def began(self) -> None:
        """Initialises it once; unseals it."""
        state = self._state() or {}
        if not state.get("initialized"):
            self._initialise()
        elif not (self._key_file.exists() and self.token_file.exists()):
            raise SandboxError(
                f"Vault's unseal key or root token is gone. Remove {self.directory} and start again."
            )
        if (self._state() or {}).get("sealed"):
            self.call("PUT", "/v1/sys/unseal", json={"key": self._key_file.read_text()})
        self.server.wait(self._active, 30)

    def command(self) -> Sequence[str | Path]:
        configuration: dict[str, Any] = {
            "storage": {"file": {"path": str(self.directory / "data")}},
            "listener": [{"tcp": {"address": f"{LOOPBACK}:{self.port}", "tls_disable": True}}],
            "api_addr": self.address,
            "disable_mlock": True,
            "log_level": "warn",
        }
        file = private(self.directory / "vault.json", json.dumps(configuration))
        return [self._tool, "server", f"-config={file}"]

    def _initialise(self) -> None:
        shares = {"secret_shares": 1, "secret_threshold": 1}
        answer = self.call("PUT", "/v1/sys/init", json=shares).json()
        private(self._key_file, answer["keys_base64"][0])
        private(self.token_file, answer["root_token"])

    def _state(self) -> dict[str, Any] | None:
        try:
            answer = session().get(f"{self.address}/v1/sys/seal-status", timeout=PATIENCE)
        except (requests.RequestException, OSError, ValueError):
            return None
        return answer.json() if answer.ok else None

    def _active(self) -> bool:
        try:
            return (
                session().get(f"{self.address}/v1/sys/health", timeout=PATIENCE).status_code == 200
            )
        except requests.RequestException:
            return False
