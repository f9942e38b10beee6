"""A small stack judged by the pack, with the real engine and the real analyzer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from sandbox.plugins import write_analyzer, write_launchers
from tests.conftest import ROOT

Program = Callable[[], None]


class JudgedStack:
    """Runs programs as one stack under the pack."""

    def __init__(self, directory: Path, pulumi: Path, stack: str) -> None:
        self.directory, self._stack = directory, stack
        launchers = write_analyzer(write_launchers(directory / "launchers", ["random"]))
        for folder in ("home", "state", "work"):
            (directory / folder).mkdir(parents=True)
        root = directory / "engine" / "bin"
        root.mkdir(parents=True)
        (root / "pulumi").symlink_to(pulumi)
        clean = [
            p
            for p in os.environ["PATH"].split(os.pathsep)
            if not (Path(p) / "pulumi-language-python").exists()
        ]
        self._options = auto.LocalWorkspaceOptions(
            work_dir=str(directory / "work"),
            env_vars={
                "PATH": os.pathsep.join([str(launchers), *clean]),
                "PULUMI_HOME": str(directory / "home"),
                "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
                "PULUMI_CONFIG_PASSPHRASE": "only-for-tests",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            },
            pulumi_command=auto.PulumiCommand(root=str(root.parent), skip_version_check=True),
        )

    def _packs(self, config: dict[str, Any] | None) -> dict[str, Any]:
        packs: dict[str, Any] = {"policy_packs": [str(ROOT / "policy")]}
        if config is not None:
            file = self.directory / "pack.json"
            file.write_text(json.dumps(config))
            packs["policy_pack_configs"] = [str(file)]
        return packs

    def run(
        self, program: Program, config: dict[str, Any] | None = None, *, preview: bool = False
    ) -> tuple[bool, str]:
        """Whether the engine accepted the program, and everything that it printed."""
        stack = auto.create_or_select_stack(
            self._stack, "policy-tests", program, opts=self._options
        )
        lines: list[str] = []
        act = stack.preview if preview else stack.up
        try:
            act(on_output=lines.append, color="never", **self._packs(config))
        except auto.CommandError as error:
            return False, "\n".join([*lines, str(error)])
        return True, "\n".join(lines)

    def resources(self) -> list[str]:
        """Types of what the state holds."""
        stack = auto.create_or_select_stack(
            self._stack, "policy-tests", lambda: None, opts=self._options
        )
        return [r["type"] for r in (stack.export_stack().deployment or {}).get("resources", [])]
