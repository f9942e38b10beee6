"""Official plugins that a machine has are used by the real engine; what cannot be used is told, and is no obstacle."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine.automation import Stack
from sandbox.engine.official_plugins import (
    NAMES,
    UNUSABLE,
    Official,
    find,
    partial,
    provide,
    pulumi_plugins,
    reported_version,
    sdk_versions,
)
from sandbox.engine.plugin_choice import PluginChoice, choose
from sandbox.providers import write_launchers
from tests.conftest import ROOT, silent
from tests.sandbox.official_plugins_support import password_program, stack_of
from tests.tiers import long

VERSION = sdk_versions()["random"]
FOLDER = f"resource-random-v{VERSION}"
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


@pytest.fixture(autouse=True)
def no_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's cache holds does not count."""
    monkeypatch.setenv("KESTRA_SANDBOX_CACHE", str(tmp_path / "cache"))


def _random(stack: Stack) -> PluginChoice:
    return next(plugin for plugin in stack.plugins if plugin.name == "random")


def _find() -> Official:
    return find("random", [pulumi_plugins()])


def _used(root: Path) -> bool:
    return any(file.name == "used" for file in root.rglob("used"))


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
    stack = stack_of(tmp_path, monkeypatch, tools["pulumi"])
    assert _random(stack).is_official
    monkeypatch.setattr(stack, "_program", password_program)
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


def _silent_on_path(root: Path) -> None:
    _program(root / "bin" / NAME, b"#!/bin/sh\nexit 1\n")


BAD: dict[Machine, str] = {
    _not_complete: "is not installed completely",
    _without_executable: f"has no executable {NAME}",
    _for_another_processor: "is for another system or processor",
    _for_no_system: "is for another system or processor",
    _not_to_be_executed: "may not be executed",
    _of_another_version: f"is not version {VERSION}",
    _broken_on_path: "is for another system or processor",
    _silent_on_path: "does not start",
}


@pytest.mark.parametrize("machine", BAD)
def test_a_plugin_that_cannot_be_used_is_reported_and_the_stand_in_takes_its_place(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(tmp_path)
    stack = stack_of(tmp_path, monkeypatch)
    assert not _random(stack).is_official
    (ignored,) = _random(stack).official.ignored
    assert str(tmp_path) in ignored
    assert BAD[machine] in ignored


def test_a_machine_without_official_plugins_gets_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = stack_of(tmp_path, monkeypatch)
    assert not any(plugin.is_official or plugin.official.ignored for plugin in stack.plugins)


@pytest.mark.engine
@pytest.mark.parametrize(
    "machine", [_without_executable, pytest.param(_broken_on_path, marks=long("plugins"))]
)
def test_the_engine_is_not_hindered_by_a_plugin_that_cannot_be_used(
    machine: Machine, tmp_path: Path, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(tmp_path)
    stack = stack_of(tmp_path, monkeypatch, tools["pulumi"])
    monkeypatch.setattr(stack, "_program", password_program)
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
    provide([_find(), Official("vault")], target)
    assert [entry.name for entry in copy.parent.iterdir()] == [FOLDER]
    assert copy.is_dir()
    assert not copy.is_symlink()
    assert os.access(copy / NAME, os.X_OK)
    assert (copy / "more" / "LICENSE").read_text() == "text"
    inode = copy.stat().st_ino
    provide([_find()], target)
    assert copy.stat().st_ino == inode, "what is there already is not copied again"
    executable = _home(tmp_path) / NAME
    executable.unlink()
    _program(executable, b"#!/bin/sh\n# another one\n")
    provide([_find()], target)
    assert (copy / NAME).read_text().endswith("another one\n")
    partial(copy).touch()
    provide([_find()], target)
    assert not partial(copy).exists()


def test_a_link_to_nothing_in_a_plugins_folder_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    _in_pulumis_folder(tmp_path)
    (_home(tmp_path) / "README.md").symlink_to(tmp_path / "gone")
    provide([_find()], tmp_path / "own")
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
    provide([_find()], tmp_path / "own")
    copy = tmp_path / "own" / "plugins" / FOLDER / NAME
    assert copy.stat().st_ino != (_home(tmp_path) / NAME).stat().st_ino
    assert os.access(copy, os.X_OK)
    before = copy.stat().st_mtime_ns
    provide([_find()], tmp_path / "own")
    assert copy.stat().st_mtime_ns == before


def test_a_plugin_on_the_path_counts_by_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine would take it whatever its version."""
    _program(tmp_path / "bin" / NAME, b"#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert find("random", [], lambda _: VERSION).executable == tmp_path / "bin" / NAME
    other = find("random", [], lambda _: "4.20.0")
    assert other.executable is None
    executable = tmp_path / "bin" / NAME
    assert other.ignored == (f"{executable} is version 4.20.0, and the SDK asks for {VERSION}",)
    monkeypatch.setenv("PULUMI_IGNORE_AMBIENT_PLUGINS", "true")
    assert find("random", [], lambda _: VERSION) == Official("random")


@pytest.mark.engine
def test_a_plugin_tells_its_version(tmp_path: Path) -> None:
    assert reported_version(_plugin(tmp_path)) == VERSION


def test_the_plugins_versions_are_those_that_requirements_txt_pins() -> None:
    pinned = dict(
        re.findall(r"(?m)^pulumi-([a-z-]+)==(\S+)", (ROOT / "requirements.txt").read_text())
    )
    assert sdk_versions() == {name: pinned[name] for name in NAMES}


@pytest.mark.parametrize("name", UNUSABLE)
def test_official_plugins_that_the_local_servers_do_not_suit_are_not_used(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "bin" / f"pulumi-resource-{name}", b"#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (choice,) = choose([name])
    assert not choice.is_official
    assert str(choice) == f"{name} {sdk_versions()[name]} (stand-in: {UNUSABLE[name]})"


def test_offline_keeps_to_stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    _in_pulumis_folder(tmp_path)
    (official,) = choose(["random"])
    assert str(official) == f"random {VERSION} (official: {_home(tmp_path)})"
    (choice,) = choose(["random"], offline=True)
    assert str(choice) == f"random {VERSION} (stand-in: --offline)"
