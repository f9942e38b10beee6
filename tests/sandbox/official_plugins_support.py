"""A stack of one random password, on a machine that may have official plugins."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_random
import pytest

from sandbox.engine.automation import Stack
from sandbox.engine.plugin_choice import PluginChoice
from sandbox.state import State


def stack_of(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    pulumi_: Path | None = None,
    plugins: list[PluginChoice] | None = None,
) -> Stack:
    for folder in ("home", "bin", "stacks"):
        (root / folder).mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(root / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    if (root / "other").exists():
        monkeypatch.setenv("PULUMI_HOME", str(root / "other"))
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (root / "stacks" / "Pulumi.dev.yaml").write_text("config: {}\n")
    state = State(root / "state")
    state.create()
    plane: Any = SimpleNamespace(kubeconfig=root / "kubeconfig")
    tools = {"pulumi": pulumi_ or root / "pulumi"}
    return Stack(state, "dev", tools, plane, None, stacks=root / "stacks", plugins=plugins)


def password_program() -> None:
    password = pulumi_random.RandomPassword("password", length=20)
    pulumi.export("length", password.result.apply(len))
