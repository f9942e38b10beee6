"""Stacks one after another in one state folder, as `make up STACK=…` brings them up."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from components.safeguards.name_conflicts import OTHERWISE
from sandbox.cli import Sandbox
from sandbox.engine.automation import EngineFailure
from sandbox.state import State
from tests.conftest import ROOT, silent
from tests.tiers import long

pytestmark = pytest.mark.engine

STACKS = ROOT / "stacks"
EVERY = tuple(sorted(f.name[7:-5] for f in STACKS.glob("Pulumi.*.yaml")))


class Folder:
    """A state folder, and stack files that may be the tests' own."""

    def __init__(self, place: Path) -> None:
        self.state, self.stacks = State(place / "state"), place / "stacks"
        self.state.create()
        self.stacks.mkdir()
        for file in STACKS.glob("Pulumi.*.yaml"):
            (self.stacks / file.name).write_bytes(file.read_bytes())
        self._output = io.StringIO()
        self.console = Console(file=self._output, width=200, highlight=False)

    @property
    def printed(self) -> str:
        """What the commands have printed."""
        return self._output.getvalue()

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.state, self.console, stacks=self.stacks, policy=False)

    def copied(self, name: str, stack: str) -> None:
        """A stack file under another name."""
        document = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())
        (self.stacks / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    own = Folder(tmp_path)
    try:
        yield own
    finally:
        own.sandbox.down(purge=True)


def test_one_comes_up_beside_another_or_says_once_why_not(folder: Folder) -> None:
    folder.copied("second", "local")
    for stack in ("local", "example-azure-key-vault"):
        folder.sandbox.up(stack)
    assert OTHERWISE not in folder.printed
    with pytest.raises(EngineFailure) as refused:
        folder.sandbox.up("second")
    message = str(refused.value)
    assert 'namespaces "kestra" already exists' in message
    assert message.count(OTHERWISE) == 1
    assert "Stack local of this state folder has this Namespace already." in message
    assert "kestra:deployment.namespace" in message
    assert f"python -m sandbox destroy local --state {folder.state.directory}" in message
    # Neither the other hint, nor a command that the sandbox has no way to run.
    assert not re.search(r"→|UPSERT|pulumi import", message)
    # What it says works.
    folder.sandbox.destroy("local")
    folder.sandbox.up("second")


@long("stacks")
def test_every_stack_file_comes_up_after_the_others_and_changes_none(folder: Folder) -> None:
    for stack in EVERY:
        folder.sandbox.up(stack)
    assert OTHERWISE not in folder.printed
    for stack in EVERY:
        sandbox = folder.sandbox
        ready = sandbox.ready(stack, sandbox.settings(stack))
        assert set(ready.preview(silent()).changes) == {"same"}, stack
