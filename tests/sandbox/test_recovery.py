"""After a command that was killed, the next one goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engine.recovery import (
    end_orphaned_processes,
    is_locked,
    orphaned_processes,
    repair_backend,
)
from sandbox.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    made.create()
    return made


@pytest.fixture
def sleeper(state: State) -> Iterator[subprocess.Popen[bytes]]:
    """A process as a killed command leaves it: with the environment of this state."""
    environment = {"PATH": os.environ["PATH"], "PULUMI_HOME": str(state.pulumi_home)}
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"],
        env=environment,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_what_was_left_running_is_found_and_ended(
    state: State, sleeper: subprocess.Popen[bytes]
) -> None:
    assert [process.pid for process in orphaned_processes(state)] == [sleeper.pid]
    assert end_orphaned_processes(state, grace=0.1) == 1
    assert sleeper.wait(5) < 0
    assert end_orphaned_processes(state) == 0


def test_the_processes_of_another_state_are_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    assert list(orphaned_processes(State(tmp_path / "another"))) == []
    assert end_orphaned_processes(State(tmp_path / "another"), grace=0) == 0
    assert sleeper.poll() is None


def test_a_lock_is_seen_per_stack(state: State) -> None:
    assert not is_locked(state, "local")
    folder = state.backend / ".pulumi" / "locks" / "organization" / "kestra" / "local"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text("{}")
    assert is_locked(state, "local")
    assert not is_locked(state, "local-vault")


def test_half_written_files_of_the_backend_are_removed_and_no_others(state: State) -> None:
    repair_backend(state)
    folder = state.backend / ".pulumi" / "stacks" / "kestra"
    folder.mkdir(parents=True)
    for name, text in (
        ("local.json", "{}"), ("local.json.attrs", ""), ("local.json.bak", "{}"),
        ("local.json.bak.attrs", "{}"), ("local.json.18e.tmp", "{"),
    ):  # fmt: skip
        (folder / name).write_text(text)
    repair_backend(state)
    assert sorted(p.name for p in folder.iterdir()) == [
        "local.json",
        "local.json.bak",
        "local.json.bak.attrs",
    ]
