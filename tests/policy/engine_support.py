"""A small stack judged by the pack, with the real engine and the real analyzer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from policy.core.levels import environment_of
from sandbox.engine.automation import Stack
from sandbox.judgement import Pack
from sandbox.providers import write_analyzer
from sandbox.state import State
from tests.conftest import silent
from tests.plugins.workspace_support import workspace
from tests.policy.anything_support import write_plugins

Program = Callable[[], None]


class JudgedStack:
    """Runs programs as one stack under the pack."""

    def __init__(self, directory: Path, pulumi: Path, stack: str) -> None:
        self.directory, self._stack, self._pulumi = directory, stack, pulumi
        self.settings: dict[str, str] = {}
        launchers = write_analyzer(write_plugins(directory / "launchers"))
        clean = [
            p
            for p in os.environ["PATH"].split(os.pathsep)
            if not (Path(p) / "pulumi-language-python").exists()
        ]
        created = {"CREATED": str(directory / "created")}
        self._options = workspace(directory, pulumi, [launchers, *clean], created)

    def _sandbox(self, pulumi: Path, config: dict[str, Any] | None) -> Stack:
        file = None
        if config is not None:
            file = self.directory / "pack.json"
            file.write_text(json.dumps(config))
        nothing: Any = None
        pack = Pack(environment_of({}, self._stack), file)
        state = State(self.directory / "sandbox")
        return Stack(state, self._stack, {"pulumi": pulumi}, nothing, None, pack=pack)

    def run(
        self, program: Program, config: dict[str, Any] | None = None, *, preview: bool = False
    ) -> tuple[bool, str]:
        """Whether the engine accepted the program, and everything that it printed."""
        stack = self._selected(program)
        sandbox = self._sandbox(self._pulumi, config)
        lines: list[str] = []
        options: dict[str, Any] = {
            "on_output": lines.append,
            "on_event": silent(),
            "color": "never",
        }
        try:
            if preview:
                stack.preview(**options, **sandbox.packs)
            else:
                sandbox.update(stack, options)
        except auto.CommandError as error:
            return False, "\n".join([*lines, str(error)])
        return True, "\n".join(lines)

    def preview(
        self,
        program: Program,
        pack: Path,
        events: list[Any],
        config: Path | None = None,
        **more: Any,
    ) -> tuple[bool, str]:
        """As `run`, under the pack at a path, with the engine's events."""
        stack = self._selected(program)
        lines: list[str] = []
        packs: dict[str, Any] = {"policy_packs": [str(pack)]}
        if config:
            packs["policy_pack_configs"] = [str(config)]
        try:
            stack.preview(
                on_output=lines.append, on_event=events.append, color="never", **packs, **more
            )
        except auto.CommandError as error:
            return False, "\n".join([*lines, str(error)])
        return True, "\n".join(lines)

    def update(self, program: Program) -> auto.Stack:
        """Brings a program up under no pack."""
        stack = self._selected(program)
        stack.up(on_output=lambda _: None, on_event=silent(), color="never")
        return stack

    def _selected(self, program: Program) -> auto.Stack:
        stack = auto.create_or_select_stack(
            self._stack, "policy-tests", program, opts=self._options
        )
        for key, value in self.settings.items():
            stack.set_config(key, auto.ConfigValue(value))
        return stack

    def engine(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs the engine's command line where the stack is."""
        environment = {**os.environ, **(self._options.env_vars or {}), **variables}
        return subprocess.run(
            [str(self._pulumi), *map(str, arguments), "--color", "never", "--non-interactive"],
            cwd=self.directory / "work",
            env=environment,
            capture_output=True,
            text=True,
        )

    @property
    def created(self) -> list[str]:
        """Types of what the provider was asked to create."""
        file = self.directory / "created"
        return file.read_text().split() if file.exists() else []
