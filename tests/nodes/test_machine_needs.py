"""What real nodes need is said before anything is built or started."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import cli, prepare
from sandbox.errors import SandboxError
from sandbox.nodes import machine_needs
from sandbox.state import State


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, for a root who has nothing installed."""
    monkeypatch.setattr(machine_needs, "_ADMINISTRATION", ())
    monkeypatch.setattr(machine_needs.os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine_needs.sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch(mode=0o755)


def message() -> str:
    with pytest.raises(SandboxError) as error:
        machine_needs.require()
    return str(error.value)


def test_a_machine_with_everything_is_asked_for_nothing(bare: Path) -> None:
    install(bare, *machine_needs.PROGRAMS)
    machine_needs.require()


def test_what_is_missing_is_named_with_what_installs_it_in_one_sentence(bare: Path) -> None:
    install(bare, *(set(machine_needs.PROGRAMS) - {"containerd", "ctr", "ipset"}))
    assert message() == (
        "Real nodes need containerd, ctr, ipset (Debian: apt-get install containerd ipset);"
        " without --nodes real the nodes are simulated and need neither."
    )


def test_who_is_not_root_learns_of_that_and_of_the_packages_at_once(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_needs.os, "geteuid", lambda: 1000)
    install(bare, *(set(machine_needs.PROGRAMS) - {"runc"}))
    assert message().startswith(
        "Real nodes need root (run the command with sudo) and runc (Debian: apt-get install runc);"
    )


def test_another_system_is_told_that_it_is_the_wrong_one(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_needs.sys, "platform", "darwin")
    assert message().startswith("Real nodes need Linux;")


def test_every_program_has_a_package() -> None:
    assert all(machine_needs.PROGRAMS.values())


def test_up_says_it_before_a_tool_is_built_or_a_server_started(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was built")

    monkeypatch.setattr(cli, "ensure", refuse)
    state = State(bare / "state")
    sandbox = cli.Sandbox(state, Console(file=io.StringIO()), offline=True)
    with pytest.raises(SandboxError, match="apt-get install containerd"):
        sandbox.up("local", nodes="real")
    assert not state.services.exists()


def test_make_says_it_before_a_package_is_installed(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "run_jobs", lambda *_: pytest.fail("jobs were started"))
    with pytest.raises(SandboxError, match="apt-get install containerd"):
        prepare.prepare("pods", "local", Console(file=io.StringIO()))


def test_an_archive_without_real_nodes_is_refused(bare: Path) -> None:
    sandbox = cli.Sandbox(State(bare / "state"), Console(file=io.StringIO()), offline=True)
    with pytest.raises(SandboxError, match="--image goes with --nodes real"):
        sandbox.up("local", image=bare / "kestra.tar")


def test_an_archive_that_is_no_file_is_refused_with_how_to_make_one(bare: Path) -> None:
    install(bare, *machine_needs.PROGRAMS)
    sandbox = cli.Sandbox(State(bare / "state"), Console(file=io.StringIO()), offline=True)
    with pytest.raises(SandboxError, match=r"docker save --output kestra\.tar kestra/kestra:v1"):
        sandbox.up("local", nodes="real", image=Path("kestra/kestra:v1"))
