"""An update that is interrupted, or killed at any moment, is brought to its end by the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engine.recovery import is_locked, orphaned_processes
from sandbox.state import Last, State
from tests.conftest import ROOT

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def state(tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    made = State(tmp_path_factory.mktemp("interruption") / "state")
    run(made, "preview")
    yield made
    run(made, "down", "--purge", stack=False)


def command(state: State, *arguments: str) -> list[str]:
    return [sys.executable, "-u", "-m", "sandbox", *arguments, "--state", str(state.directory)]


def run(state: State, *arguments: str, stack: bool = True) -> str:
    words = [arguments[0], "local", *arguments[1:]] if stack else list(arguments)
    done = subprocess.run(
        command(state, *words), cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    return told


def begun(state: State, until: str, log: Path) -> subprocess.Popen[bytes]:
    """An `up` that has come to a point."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(state, "up", "local"), cwd=ROOT, stdout=out, stderr=out, start_new_session=True
        )
    deadline = time.monotonic() + 120
    while until not in log.read_text() and time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    return process


def engine_of(process: subprocess.Popen[bytes], state: State) -> int:
    pids = [p.pid for p in orphaned_processes(state)]
    return next(
        pid
        for pid in pids
        if f"\nPPid:\t{process.pid}\n" in Path(f"/proc/{pid}/status").read_text()
    )


def test_an_update_whose_output_nobody_reads_ends_its_operations(state: State) -> None:
    process = subprocess.Popen(
        command(state, "up", "local"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        if b"kestra-configuration " in line:
            break
    # As `… | head` does.
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""
    assert not is_locked(state, "local")
    assert list(orphaned_processes(state)) == []
    last = Last.read(state.stack("local"))
    assert last is not None
    assert last.result == "interrupted"


def test_an_interrupted_update_ends_its_operations_and_the_next_goes_on(
    state: State, tmp_path: Path
) -> None:
    process = begun(state, "kestra-configuration ", tmp_path / "log")
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(60) == 130
    told = (tmp_path / "log").read_text()
    assert "Interrupted: the engine ends the operations that are under way." in told
    assert "Traceback" not in told
    assert not is_locked(state, "local")
    assert list(orphaned_processes(state)) == []
    last = Last.read(state.stack("local"))
    assert last is not None
    assert last.result == "interrupted"
    assert "killed during" not in run(state, "up")
    run(state, "destroy")


def test_a_killed_engine_is_told_and_the_next_run_goes_on(state: State, tmp_path: Path) -> None:
    process = begun(state, "kestra-configuration ", tmp_path / "log")
    os.kill(engine_of(process, state), signal.SIGKILL)
    assert process.wait(60) == 1
    told = (tmp_path / "log").read_text()
    assert "The engine was killed. Run the same command again to go on." in told
    assert "Traceback" not in told
    run(state, "up")
    run(state, "destroy")


def test_a_killed_command_leaves_an_engine_that_the_next_command_ends(
    state: State, tmp_path: Path
) -> None:
    process = begun(state, "kestra-namespace ", tmp_path / "log")
    process.kill()
    process.wait()
    run(state, "down", stack=False)
    assert list(orphaned_processes(state)) == []
    assert "created" in run(state, "up")
    assert "no change" in run(state, "up")
