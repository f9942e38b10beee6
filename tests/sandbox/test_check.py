"""What `verify` leaves behind when a check fails, and a stack that it has nothing to do with."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from components.validation import load
from sandbox.check import forget_data, verify_stack
from sandbox.clouds import required_services
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.state import State
from tests.components.teams_support import team_stack


def test_the_database_and_the_storage_do_not_stay_and_the_log_does(tmp_path: Path) -> None:
    run = tmp_path / "as-deployed"
    (run / "storage" / "main").mkdir(parents=True)
    for name in ("database.mv.db", "database.trace.db", "application.yaml", "storage/main/output"):
        (run / name).write_text("x")
    (tmp_path / "kestra.log").write_text("x")
    forget_data(tmp_path)
    left = sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file())
    assert left == ["as-deployed/application.yaml", "kestra.log"]
    forget_data(tmp_path / "nothing")


def test_a_stack_of_secrets_alone_needs_its_secret_manager_and_has_no_kestra_to_verify(
    tmp_path: Path,
) -> None:
    settings = load(team_stack("vault", is_enterprise=False), source="test").settings
    assert required_services(State(tmp_path), "billing", settings) == {"vault"}
    stack: Any = SimpleNamespace(name="billing", settings=lambda: settings)
    console = Console(file=io.StringIO())
    with pytest.raises(SandboxError, match="billing is of secrets alone"):
        verify_stack(stack, Progress(console), console)
