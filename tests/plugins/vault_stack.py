"""A small Pulumi stack on the test Vault, run by the real engine with the stand-ins."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
from pulumi import automation as auto

from sandbox.plugins import write_launchers
from sandbox.services import Vault


class VaultStack:
    """Runs programs as one stack; `call` looks at Vault behind the engine's back."""

    def __init__(self, directory: Path, vault: Vault, pulumi: Path) -> None:
        self.vault = vault
        launchers = write_launchers(directory / "launchers", ["random", "vault"])
        for folder in ("home", "state", "work"):
            (directory / folder).mkdir(parents=True)
        self.state = directory / "state"
        root = directory / "engine" / "bin"
        root.mkdir(parents=True)
        (root / "pulumi").symlink_to(pulumi)
        self._options = auto.LocalWorkspaceOptions(
            work_dir=str(directory / "work"),
            env_vars={
                "PATH": os.pathsep.join([str(launchers), os.environ["PATH"]]),
                "VAULT_ADDR": vault.address,
                "VAULT_TOKEN": vault.root_token,
                "PULUMI_HOME": str(directory / "home"),
                "PULUMI_BACKEND_URL": f"file://{self.state}",
                "PULUMI_CONFIG_PASSPHRASE": "only-for-tests",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            },
            pulumi_command=auto.PulumiCommand(root=str(root.parent), skip_version_check=True),
        )

    def _with(self, program: Callable[[], None]) -> auto.Stack:
        return auto.create_or_select_stack("dev", "vault-tests", program, opts=self._options)

    def up(self, program: Callable[[], None]) -> tuple[dict[str, int], Mapping[str, Any]]:
        """Changes by operation, and outputs."""
        result = self._with(program).up()
        outputs = {name: output.value for name, output in result.outputs.items()}
        return counts(result.summary.resource_changes), outputs

    def preview(self, program: Callable[[], None]) -> dict[str, int]:
        return counts(self._with(program).preview().change_summary)

    def refresh(self, program: Callable[[], None]) -> dict[str, int]:
        return counts(self._with(program).refresh().summary.resource_changes)

    def destroy(self, program: Callable[[], None]) -> dict[str, int]:
        return counts(self._with(program).destroy().summary.resource_changes)

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.vault.address}/v1/{path}",
            json=body,
            headers={"X-Vault-Token": self.vault.root_token},
            timeout=30,
        )


def counts(changes: Mapping[Any, int] | None) -> dict[str, int]:
    """Changes by operation, the unchanged left out."""
    named = {str(getattr(k, "value", k)): v for k, v in (changes or {}).items()}
    return {k: v for k, v in named.items() if k != "same" and v}
