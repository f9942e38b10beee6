"""Servers of the benchmarks' own, and stacks on them: the project's program and a bare one in turns."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from benchmarks.measure import Usage, run
from sandbox.cli import Sandbox
from sandbox.judgement import Pack
from sandbox.progress import Progress
from sandbox.state import ROOT, State
from sandbox.tools import CONTROL_PLANE, ensure

Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Prepared:
    """A stack with its workspace, ready for the engine."""

    name: str
    workspace: Path
    engine: Path
    environment: dict[str, str]
    bare: Path | None = None
    """What the bare program registers; None: the project's own program runs."""

    def operate(self, operation: str, *, pack: bool = False) -> Usage:
        """Runs `preview` or `up`, and measures the program, the engine and the plugins together."""
        command = [sys.executable, "-m", "benchmarks.child", operation]
        command += [self.name, str(self.workspace), str(self.engine)]
        command += ["--bare", str(self.bare)] if self.bare else []
        command += ["--pack", str(ROOT / "policy")] if pack else []
        return run(command, cwd=ROOT, env=self.environment)


class Rig:
    """Prepares stacks on servers that it started."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder = folder
        self._stacks = folder / "stacks"
        self._stacks.mkdir()
        self.state = State(folder / "state")
        self.state.create()
        ensure(["pulumi", *CONTROL_PLANE, "vault"], progress)
        # What it says of each stack, its warnings too, is of stacks that were made up here.
        silent = Console(file=io.StringIO())
        self._sandbox = Sandbox(self.state, silent, stacks=self._stacks, policy=False)

    def prepare(
        self, name: str, base: str, change: Change | None = None, *, bare: bool
    ) -> Prepared:
        """A stack like `base`, under names of its own.

        Args:
            name: the stack's, its namespace's and its secret engine's.
            base: the stack file that it is like.
            change: changes the file's `config`.
            bare: whether the bare program runs in place of the project's.
        """
        document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{base}.yaml").read_text())
        config = document["config"]
        config["kestra:deployment"]["namespace"] = name
        vault = config["kestra:secret"]["vault"]
        vault |= {"root-engine": name, "kubernetes": {"path": name}}
        if change:
            change(config)
        (self._stacks / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}))
        settings = self._sandbox.settings(name)
        # The analyzer of policy packs is there for whoever asks for one.
        stack = self._sandbox.ready(name, settings, Pack.of(name, settings))
        with stack._selected():
            # Vault's provider gives itself a token for 20 minutes otherwise; thousands of secrets take longer.
            environment = dict(os.environ) | {"TERRAFORM_VAULT_MAX_TTL": "14400"}
        workspace = stack.folder / "workspace"
        engine = self.state.directory / "engine"
        if not bare:
            return Prepared(name, workspace, engine, environment)
        recorded, read = self._folder / f"{name}.json", self._folder / f"{name}.yaml"
        written = yaml.safe_load((workspace / "stacks" / f"Pulumi.{name}.yaml").read_text())
        # The workspace's file is encrypted.
        written["config"]["kestra:declared-secrets"] = config["kestra:declared-secrets"]
        read.write_text(yaml.safe_dump(written))
        run([sys.executable, "-m", "benchmarks.record", str(read), str(recorded)], cwd=ROOT)
        return Prepared(name, workspace, engine, environment, recorded)

    def end(self) -> None:
        """Ends the servers and removes everything."""
        self._sandbox.down(purge=True)


@contextmanager
def rig(progress: Progress) -> Iterator[Rig]:
    """A rig in a folder of its own, which is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kestra-benchmarks-"))
    new_rig = Rig(folder, progress)
    try:
        yield new_rig
    finally:
        new_rig.end()
        shutil.rmtree(folder, ignore_errors=True)
