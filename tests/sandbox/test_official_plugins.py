"""Official plugins that a machine has are used by the real engine; what cannot be used is told, and is no obstacle."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_random
import pytest
from rich.console import Console

from sandbox.cli import Sandbox
from sandbox.engine.automation import Stack
from sandbox.providers import write_launchers
from sandbox.providers.official import STAND_INS, find, partial, provide
from sandbox.state import State
from tests.conftest import silent
from tests.tiers import long

FOLDER = f"resource-random-v{STAND_INS['random']}"
NAME = "pulumi-resource-random"

Machine = Callable[[Path], None]


def _plugin(folder: Path) -> Path:
    """An official plugin for the tests: it notes that it runs, and goes on as the stand-in."""
    launcher = write_launchers(folder, ["random"]) / NAME
    script = launcher.read_text().replace("#!/bin/sh\n", '#!/bin/sh\n: > "$(dirname "$0")/used"\n')
    launcher.write_text(script)
    return launcher


def _home(root: Path) -> Path:
    return root / "home" / ".pulumi" / "plugins" / FOLDER


def _in_pulumis_folder(root: Path) -> None:
    _plugin(_home(root))


def _behind_a_link(root: Path) -> None:
    _plugin(root / "elsewhere" / "kept")
    _home(root).parent.mkdir(parents=True)
    _home(root).symlink_to(root / "elsewhere" / "kept")


def _in_another_home(root: Path) -> None:
    _plugin(root / "other" / "plugins" / FOLDER)
    (root / "home" / "moved").mkdir(parents=True)


def _on_path_beside_a_language(root: Path) -> None:
    _plugin(root / "bin")
    _program(root / "bin" / "pulumi-language-python", b"#!/bin/sh\n")


def _broken_on_path_and_good_in_the_folder(root: Path) -> None:
    _program(root / "bin" / NAME, _foreign())
    _plugin(_home(root))


def _program(file: Path, content: bytes, mode: int = 0o755) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)


def _foreign() -> bytes:
    """The beginning of a program for another processor."""
    head = bytearray(Path(sys.executable).resolve().read_bytes()[:64])
    head[18] ^= 0xFF
    return bytes(head)


def _stack(root: Path, monkeypatch: pytest.MonkeyPatch, pulumi_: Path | None = None) -> Stack:
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
    return Stack(state, "dev", tools, plane, None, stacks=root / "stacks")


def _used(root: Path) -> bool:
    return any(file.name == "used" for file in root.rglob("used"))


def _password() -> None:
    password = pulumi_random.RandomPassword("password", length=20)
    pulumi.export("length", password.result.apply(len))


GOOD = [
    _in_pulumis_folder,
    _on_path_beside_a_language,
    pytest.param(_behind_a_link, marks=long("plugins")),
    pytest.param(_in_another_home, marks=long("plugins")),
    pytest.param(_broken_on_path_and_good_in_the_folder, marks=long("plugins")),
]


@pytest.mark.engine
@pytest.mark.parametrize("machine", GOOD)
def test_the_engine_uses_the_plugin_that_the_machine_has(
    machine: Machine, tmp_path: Path, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(tmp_path)
    stack = _stack(tmp_path, monkeypatch, tools["pulumi"])
    assert stack.plugins["random"] == "official"
    monkeypatch.setattr(stack, "_program", _password)
    assert stack.up(silent()).outputs["length"].value == 20
    assert _used(tmp_path)


def _not_complete(root: Path) -> None:
    _plugin(_home(root))
    partial(_home(root)).touch()


def _without_executable(root: Path) -> None:
    _home(root).mkdir(parents=True)
    (_home(root) / "PulumiPlugin.yaml").write_text("runtime: nodejs\n")


def _for_another_processor(root: Path) -> None:
    _program(_home(root) / NAME, _foreign())


def _for_no_system(root: Path) -> None:
    _program(_home(root) / NAME, b"MZ\0\0 of another system")


def _not_to_be_executed(root: Path) -> None:
    _plugin(_home(root)).chmod(0o644)


def _of_another_version(root: Path) -> None:
    _plugin(_home(root).with_name("resource-random-v4.20.0"))


def _broken_on_path(root: Path) -> None:
    _program(root / "bin" / NAME, _foreign())


BAD: dict[Machine, str] = {
    _not_complete: "is not installed completely",
    _without_executable: f"has no executable {NAME}",
    _for_another_processor: "is for another system or processor",
    _for_no_system: "is for another system or processor",
    _not_to_be_executed: "may not be executed",
    _of_another_version: f"is not version {STAND_INS['random']}",
    _broken_on_path: "is for another system or processor",
}


@pytest.mark.parametrize("machine", BAD)
def test_a_plugin_that_cannot_be_used_is_reported_and_the_stand_in_takes_its_place(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(tmp_path)
    stack = _stack(tmp_path, monkeypatch)
    assert stack.plugins["random"] == "stand-in"
    (ignored,) = stack.ignored_plugins
    assert str(tmp_path) in ignored
    assert BAD[machine] in ignored


def test_a_machine_without_official_plugins_gets_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = _stack(tmp_path, monkeypatch)
    assert set(stack.plugins.values()) == {"stand-in"}
    assert stack.ignored_plugins == []


@pytest.mark.engine
@pytest.mark.parametrize(
    "machine", [_without_executable, pytest.param(_broken_on_path, marks=long("plugins"))]
)
def test_the_engine_is_not_hindered_by_a_plugin_that_cannot_be_used(
    machine: Machine, tmp_path: Path, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(tmp_path)
    stack = _stack(tmp_path, monkeypatch, tools["pulumi"])
    monkeypatch.setattr(stack, "_program", _password)
    assert stack.up(silent()).outputs["length"].value == 20


def test_a_copy_is_a_whole_folder_as_pulumi_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    _behind_a_link(tmp_path)
    (_home(tmp_path) / "more").mkdir()
    (_home(tmp_path) / "more" / "LICENSE").write_text("text")
    target = tmp_path / "own"
    copy = target / "plugins" / FOLDER
    copy.parent.mkdir(parents=True)
    copy.symlink_to(_home(tmp_path))  # as earlier versions of the sandbox left it
    copy.with_name(f"{FOLDER}.tmp0").mkdir()  # as a killed copy leaves it
    provide([find("random"), find("vault")], target)
    assert [entry.name for entry in copy.parent.iterdir()] == [FOLDER]
    assert copy.is_dir()
    assert not copy.is_symlink()
    assert os.access(copy / NAME, os.X_OK)
    assert (copy / "more" / "LICENSE").read_text() == "text"
    inode = copy.stat().st_ino
    provide([find("random")], target)
    assert copy.stat().st_ino == inode, "what is there already is not copied again"
    executable = _home(tmp_path) / NAME
    executable.unlink()
    _program(executable, b"#!/bin/sh\n# another one\n")
    provide([find("random")], target)
    assert (copy / NAME).read_text().endswith("another one\n")
    partial(copy).touch()
    provide([find("random")], target)
    assert not partial(copy).exists()


def test_a_link_to_nothing_in_a_plugins_folder_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    _in_pulumis_folder(tmp_path)
    (_home(tmp_path) / "README.md").symlink_to(tmp_path / "gone")
    provide([find("random")], tmp_path / "own")
    copy = tmp_path / "own" / "plugins" / FOLDER
    assert [file.name for file in copy.iterdir()] == [NAME]


def test_files_are_copied_where_they_cannot_be_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)

    def refuse(*_: object) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    _in_pulumis_folder(tmp_path)
    provide([find("random")], tmp_path / "own")
    copy = tmp_path / "own" / "plugins" / FOLDER / NAME
    assert copy.stat().st_ino != (_home(tmp_path) / NAME).stat().st_ino
    assert os.access(copy, os.X_OK)
    before = copy.stat().st_mtime_ns
    provide([find("random")], tmp_path / "own")
    assert copy.stat().st_mtime_ns == before


def test_the_stacks_commands_say_what_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_executable(tmp_path)
    stack = _stack(tmp_path, monkeypatch)
    said = io.StringIO()
    Sandbox(State(tmp_path / "state"), Console(file=said, width=300)).tell_plugins(stack)
    assert "random (stand-in)" in said.getvalue()
    assert f"Not used: {_home(tmp_path)} has no executable {NAME}." in said.getvalue()
