"""What a destroyed stack left in the way is taken over by the steps that the failed `up` of the sandbox prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_vault as vault
import pytest
import requests

from components.registrations import Registrations
from components.safeguards.error_hooks import register_error_hook
from sandbox.arguments import parser
from sandbox.engine.automation import EngineFailure, Stack
from sandbox.services import Vault
from sandbox.state import State
from sandbox.status import servers
from tests.conftest import ROOT, silent
from tests.tiers import long

pytestmark = pytest.mark.engine

STEP = re.compile(r"To go on with what is there: (.+?) Otherwise: ")


def _program() -> None:
    registrations = Registrations()
    registrations.follow()
    register_error_hook()
    pulumi.run(registrations.answered)
    vault.Mount("engine", path="second-life", type="kv", options={"version": "2"})


def test_the_printed_step_takes_an_engine_over(
    tools: dict[str, Path],
    vault_server: Vault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = requests.post(
        f"{vault_server.address}/v1/sys/mounts/second-life",
        json={"type": "kv", "options": {"version": "2"}},
        headers={"X-Vault-Token": vault_server.root_token},
        timeout=30,
    )
    assert answer.ok, answer.text
    state, stacks = State(tmp_path / "state"), tmp_path / "stacks"
    state.create()
    stacks.mkdir()
    (stacks / "Pulumi.dev.yaml").write_text("config: {}\n")
    plane: Any = SimpleNamespace(kubeconfig=tmp_path / "kubeconfig")
    stack = Stack(state, "dev", tools, plane, vault_server, stacks=stacks)
    monkeypatch.setattr(stack, "_program", _program)
    with pytest.raises(EngineFailure) as failure:
        stack.up(silent())
    (step,) = STEP.findall(str(failure.value))
    _, _, module, *words = shlex.split(step)
    asked = parser().parse_args(words)
    assert (module, asked.command, asked.stack) == ("sandbox", "import", "dev")
    assert (asked.state, asked.stacks) == (state.directory, stacks)
    stack.take_over(asked.type, asked.name, asked.id, asked.parent)
    assert stack.up(silent()).changes.get("create", 0) == 0
    assert stack.up(silent()).changes.keys() == {"same"}


@long("faults")
def test_what_a_destroyed_stack_left_in_vault_is_taken_over_by_the_printed_commands(
    tools: dict[str, Path], tmp_path: Path
) -> None:
    state = tmp_path / "state of the sandbox"
    # As a person has it after activating the virtual environment.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}

    def shell(command: str, code: int = 0) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=400,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "Traceback" not in said
        return said

    def sandbox(command: str, *options: str, code: int = 0) -> str:
        words = f"python -m sandbox {command} local-vault {' '.join(options)} --state '{state}'"
        return shell(words, code)

    try:
        sandbox("up")
        sandbox("destroy", "--unprotect")
        said = sandbox("up", code=1)
        assert "path is already in use at kestra-stack/" in said
        assert "pulumi import" not in said
        steps = STEP.findall(said)
        assert steps
        for step in steps:
            shell(step)
        again = sandbox("up")
        assert "1 updated" in again or "created" in again
        assert "no change" in sandbox("up")
    finally:
        for server in reversed(servers(State(state))):
            server.stop()
