"""The sandbox's stacks can be judged by a policy pack."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto
from pulumi.automation import CommandResult

from sandbox.engine.automation import Stack
from sandbox.judgement import Pack
from sandbox.state import State
from tests.conftest import ROOT, silent
from tests.sandbox.test_display import event

PACK = Pack("production")


def _stack(directory: Path, **options: Any) -> Stack:
    state = State(directory / "state")
    state.create()
    plane: Any = SimpleNamespace(kubeconfig=directory / "kubeconfig")
    return Stack(state, "dev", {"pulumi": directory / "pulumi"}, plane, None, **options)


class _Engine:
    """Notes what is asked of it; a preview may be refused."""

    def __init__(self, refused: bool) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._refused = refused

    def preview(self, **options: Any) -> None:
        self.asked.append(("preview", options.get("policy_packs")))
        if self._refused:
            said = SimpleNamespace(
                enforcement_level="mandatory",
                policy_name="ks-keys-01",
                message="Why it matters.\n<{%reset%}>key: does not rotate",
                resource_urn=None,
            )
            options["on_event"](event(policy_event=said))
            raise auto.CommandError(CommandResult("", "error: preview failed", 1))

    def up(self, **options: Any) -> None:
        self.asked.append(("up", options.get("policy_packs")))


def test_a_stack_with_a_pack_is_previewed_under_it_before_the_update(tmp_path: Path) -> None:
    stack, engine = _stack(tmp_path, pack=PACK), _Engine(refused=False)
    stack.update(engine, {"on_event": silent()})  # type: ignore[arg-type]
    packs = [str(ROOT / "policy")]
    assert engine.asked == [("preview", packs), ("up", packs)]
    violations = [
        Path(p) / "pulumi-analyzer-policy-python"
        for p in stack.environment()["PATH"].split(os.pathsep)
    ]
    assert any(file.is_file() and os.access(file, os.X_OK) for file in violations)


def test_a_pack_that_refuses_nothing_costs_no_preview(tmp_path: Path) -> None:
    stack, engine = _stack(tmp_path, pack=Pack("development")), _Engine(refused=False)
    stack.update(engine, {"on_event": silent()})  # type: ignore[arg-type]
    assert engine.asked == [("up", [str(ROOT / "policy")])]


def test_a_configuration_may_set_levels_so_that_even_development_is_previewed(
    tmp_path: Path,
) -> None:
    stack = _stack(tmp_path, pack=Pack("development", tmp_path / "options.json"))
    engine = _Engine(refused=False)
    stack.update(engine, {"on_event": silent()})  # type: ignore[arg-type]
    assert [what for what, _ in engine.asked] == ["preview", "up"]
    assert stack.packs["policy_pack_configs"] == [str(tmp_path / "options.json")]


def test_a_refused_preview_ends_the_update_with_the_packs_words(tmp_path: Path) -> None:
    stack, engine, events = (
        _stack(tmp_path, pack=PACK),
        _Engine(refused=True),
        silent(),
    )
    with pytest.raises(auto.CommandError):
        stack.update(engine, {"on_event": events})  # type: ignore[arg-type]
    assert [what for what, _ in engine.asked] == ["preview"]
    (violation,) = events.violations
    assert (violation.control, violation.is_mandatory) == ("ks-keys-01", True)
    assert violation.text == "key: does not rotate"


def test_a_stack_without_a_pack_is_updated_at_once(tmp_path: Path) -> None:
    stack, engine = _stack(tmp_path), _Engine(refused=False)
    stack.update(engine, {"on_event": silent()})  # type: ignore[arg-type]
    assert engine.asked == [("up", None)]
    assert not list((tmp_path / "state").rglob("pulumi-analyzer-policy-python"))
