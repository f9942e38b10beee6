"""A Secret Manager API server on loopback (drongo). Its data live as long as it runs: nothing is kept on disk."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.services.process import LOOPBACK
from sandbox.services.single import SingleServer

PROJECT = "sandbox"
"""The project that it stands for; it takes any name."""


class GoogleCloud(SingleServer):
    """The server. It asks for no credentials, so it is for one user's own machine only."""

    name = "gcp"
    health = "/drongo/health"

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
            # For what asks as its caller; this server takes any token.
            "GOOGLE_OAUTH_ACCESS_TOKEN": "sandbox",
            "KESTRA_SANDBOX_GCP_STATE": str(self.state),
        }

    def command(self) -> Sequence[str | Path]:
        program = [sys.executable, "-m", "drongo.cli", "server"]
        return [*program, "--host", LOOPBACK, "-p", str(self.port)]
