"""Stacks one after another in one state folder, as `make up STACK=…` brings them up."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from components.hints import WAY_ON
from sandbox.cli import Sandbox
from sandbox.engine import EngineFailure
from sandbox.state import State
from tests.conftest import ROOT
from tests.tiers import long

pytestmark = pytest.mark.engine

STACKS = ROOT / "stacks"
SAMPLE = ("local", "example-azure-key-vault", "example-aws-ssm-parameter-store")
EVERY = tuple(sorted(f.name[7:-5] for f in STACKS.glob("Pulumi.*.yaml")))


class Folder:
    """A state folder, and stack files that may be the tests' own."""

    def __init__(self, place: Path) -> None:
        self.state, self.stacks = State(place / "state"), place / "stacks"
        self.state.create()
        self.stacks.mkdir()
        for file in STACKS.glob("Pulumi.*.yaml"):
            (self.stacks / file.name).write_bytes(file.read_bytes())
        self.console = Console(file=io.StringIO(), width=200, highlight=False)

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.state, self.console, stacks=self.stacks, policy=False)

    def copied(self, name: str, stack: str) -> None:
        """A stack file under another name."""
        document = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())
        (self.stacks / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    try:
        yield made
    finally:
        made.sandbox.down(purge=True)


@pytest.mark.parametrize("stacks", [SAMPLE, pytest.param(EVERY, marks=long("stacks"))])
def test_one_comes_up_after_another_and_none_changes_the_others(
    folder: Folder, stacks: tuple[str, ...]
) -> None:
    for stack in stacks:
        folder.sandbox.up(stack)
    for stack in stacks:
        sandbox = folder.sandbox
        ready = sandbox.ready(stack, sandbox.settings(stack))
        assert ready.outputs(), stack
    again = folder.sandbox
    again.up(stacks[0])
    assert "already exists" not in folder.console.file.getvalue()  # type: ignore[attr-defined]


def test_a_second_stack_in_the_same_namespace_is_told_once_which_one_has_it(folder: Folder) -> None:
    folder.copied("second", "local")
    folder.sandbox.up("local")
    with pytest.raises(EngineFailure) as refused:
        folder.sandbox.up("second")
    told = str(refused.value)
    assert 'namespaces "kestra" already exists' in told
    assert told.count(WAY_ON) == 1
    assert "Stack local of this state folder has this Namespace already." in told
    assert "kestra:deployment.namespace" in told
    assert f"python -m sandbox destroy local --state {folder.state.directory}" in told
    # Neither the other hint, nor a command that the sandbox has no way to run.
    assert not re.search(r"→|UPSERT|pulumi import", told)
    # What it says works.
    folder.sandbox.destroy("local")
    folder.sandbox.up("second")
