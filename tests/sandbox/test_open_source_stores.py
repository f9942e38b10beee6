"""Open source with a secret manager, as a person runs it: up, up again, verify with a real Kestra and a real operator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.state import State
from sandbox.status import servers
from tests.conftest import ROOT
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("stacks")]


def _run(state: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "sandbox", *arguments, "--state", str(state)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def state(tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("sandbox") / "state"
    yield folder
    _run(folder, "down")
    assert not any(server.running for server in servers(State(folder)))


@pytest.mark.parametrize(
    ("stack", "shown"),
    [
        ("example-oss-vault", ["refused (403)", "a new value of"]),
        ("example-oss-aws", ["writing is refused", "a new value of"]),
        ("example-oss-gcp", ["a new value of"]),
        ("example-oss-azure", []),
    ],
)
def test_a_stack_whose_secrets_the_operator_brings(
    state: Path, tmp_path: Path, stack: str, shown: list[str]
) -> None:
    assert "created" in _run(state, "up", stack)
    assert "no change" in _run(state, "up", stack)
    report = tmp_path / "report.json"
    _run(state, "verify", stack, "--json", str(report))
    answer = json.loads(report.read_text())
    checks = [check["what"] for group in answer["stores"] for check in group["checks"]]
    assert answer["ok"]
    assert "the Secret that Pulumi made holds none of them" in checks
    for words in shown:
        assert any(words in what for what in checks), words
    read = [flow["id"] for flow in answer["flows"] if flow["id"].startswith("secret(")]
    assert bool(read) is (stack != "example-oss-azure")
