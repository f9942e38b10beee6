"""The Kubernetes stand-in beside Pulumi's official provider: each takes the other's stacks for its own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.progress import Progress
from sandbox.state import State
from sandbox.tools import OFFICIAL_KUBERNETES, ensure
from tests.conftest import ROOT, silent
from tests.plugins.official_kubernetes_support import (
    SandboxWith,
    differences,
    objects,
    plugin_folder,
)

pytestmark = [pytest.mark.engine, pytest.mark.long("stacks")]

STACKS = ROOT / "stacks"
EVERY = tuple(sorted(f.name[7:-5] for f in STACKS.glob("Pulumi.*.yaml")))


@pytest.fixture(scope="module")
def official(progress: Progress, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tool = ensure([OFFICIAL_KUBERNETES], progress)[OFFICIAL_KUBERNETES]
    return plugin_folder(tool, tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module", params=["the stand-in first", "the official one first"])
def first_and_state(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, State]]:
    """Who brings up, and a state folder of its own: what a destroyed stack leaves would be in the way."""
    state = State(tmp_path_factory.mktemp("judged") / "state")
    state.create()
    yield request.param, state
    SandboxWith(state, Console(file=io.StringIO()), STACKS, None).down(purge=True)


@pytest.mark.parametrize("stack", EVERY)
def test_each_provider_takes_what_the_other_brought_up_for_its_own(
    stack: str, official: Path, first_and_state: tuple[str, State]
) -> None:
    who, state = first_and_state
    console = Console(file=io.StringIO(), width=200, highlight=False)
    judge, stand_in = (SandboxWith(state, console, STACKS, p) for p in (official, None))
    first, second = (stand_in, judge) if who == "the stand-in first" else (judge, stand_in)
    first.up(stack)
    created = objects(state, stack)
    assert created
    again = second.ready(stack, second.settings(stack))
    assert set(again.up(silent()).changes) == {"same"}
    # The inputs are what the second provider makes of the program, the outputs what it reads of the objects.
    again.refresh(silent())
    assert differences(created, objects(state, stack)) == []
    # The engine takes a launcher of the stand-in before any plugin: there is one only where it is to be used.
    launcher = state.directory / "plugins" / official.name
    assert launcher.exists() is (second is stand_in)
    second.destroy(stack, unprotect=True)
