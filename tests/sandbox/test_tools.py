"""Which tools are taken, and how the missing ones are built; Go itself is a stand-in here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import tools as rooms
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.tools import CONTROL_PLANE, ensure
from sandbox.tools import __main__ as command
from tests.sandbox.fake_go_support import FakeGo, search_path, tool

ROOT = Path(__file__).parents[2]
RUN = (
    "import sys; from sandbox.progress import Progress; from sandbox.tools import ensure;"
    "print('FOUND', *ensure(sys.argv[1:], Progress()).values())"
)


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGo:
    fake = FakeGo(tmp_path)
    monkeypatch.setenv("PATH", search_path(tmp_path / "machine", fake.folder))
    monkeypatch.setenv("KESTRA_SANDBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KESTRA_SANDBOX_TOOLS", raising=False)
    return fake


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    folder = tmp_path / "machine"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def quiet() -> Progress:
    return Progress(Console(quiet=True))


def entries(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "tools"
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "did not happen within 20 s"
        time.sleep(0.02)


def another_run(*names: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *names],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pulumi", "v3.259.3"),
        ("vault", "Vault v1.21.4 (0123456), built 2026-01-01T00:00:00Z"),
        ("vault", "Vault v1.18.0 (0123456)"),
        ("etcd", "etcd Version: 3.6.9"),
        ("kube-apiserver", "Kubernetes v1.34.1"),
        ("kwok", "kwok version v0.8.1 go1.26 (linux/amd64)"),
    ],
)
def test_a_tool_of_the_machine_that_fits_is_used(
    go: FakeGo, machine: Path, quiet: Progress, name: str, says: str
) -> None:
    path = tool(machine, name, says)
    assert ensure([name], quiet) == {name: path}
    assert not go.builds


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pulumi", "v3.79.0"),
        ("pulumi", "v13.259.0"),
        ("vault", "Vault v1.9.10 (0123456)"),
        ("etcd", "etcd Version: 3.5.21"),
        ("kube-apiserver", "Kubernetes v1.33.9"),
        ("kube-apiserver", "Kubernetes v1.340.0"),
        ("kwok", "kwok version v0.7.0 go1.26 (linux/amd64)"),
        ("kwok", "kwok version v10.8.0 go1.26 (linux/amd64)"),
        ("kwok", "something else altogether"),
    ],
)
def test_a_tool_of_another_version_is_left_alone_and_the_pinned_one_is_built(
    go: FakeGo, machine: Path, quiet: Progress, name: str, says: str
) -> None:
    tool(machine, name, says)
    path = ensure([name], quiet)[name]
    assert path.parent != machine
    assert path.read_text().endswith("echo built\n")
    assert len(go.builds) == 1


def test_a_tool_that_cannot_run_here_is_left_alone(
    go: FakeGo, machine: Path, quiet: Progress
) -> None:
    path = machine / "kwok"
    path.write_bytes(b"\x7fELF for another machine")
    path.chmod(0o755)
    assert ensure(["kwok"], quiet)["kwok"] != path


def test_the_named_folder_is_looked_at_before_the_path(
    go: FakeGo, machine: Path, quiet: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(machine, "pulumi", "v3.259.1")
    mine = tool(machine.parent / "mine", "pulumi", "v3.259.0")
    # Relative, as a person would write it; servers that are started elsewhere need the whole path.
    monkeypatch.chdir(machine.parent)
    monkeypatch.setenv("KESTRA_SANDBOX_TOOLS", "mine")
    assert ensure(["pulumi"], quiet) == {"pulumi": mine}


def test_what_is_built_once_is_not_built_again(go: FakeGo, quiet: Progress) -> None:
    first = ensure(["kwok"], quiet)
    assert ensure(["kwok"], quiet) == first
    assert len(go.builds) == 1


def test_the_control_plane_is_one_build_command_and_the_engine_comes_before_it(
    go: FakeGo, quiet: Progress
) -> None:
    ensure([*CONTROL_PLANE, "pulumi"], quiet)
    assert [b.count("k8s.io/kubernetes/cmd/") for b in go.builds] == [0, 3, 0]
    assert "pulumi/cmd/pulumi" not in go.builds[1]
    assert "cmd/pulumi" in go.builds[0]


def test_only_what_is_asked_for_is_built(go: FakeGo, quiet: Progress) -> None:
    ensure(["pulumi", *CONTROL_PLANE], quiet)
    assert not any("vault" in build for build in go.builds)


def test_a_build_uses_the_locked_modules_and_the_callers_go_folders(
    go: FakeGo, quiet: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPATH", "/some/where/go")
    monkeypatch.setenv("GOFLAGS", "-mod=mod -race")
    monkeypatch.setenv("GOOS", "plan9")
    ensure(["kwok"], quiet)
    assert "-mod=readonly" in go.builds[0]
    assert go.environment["GOPATH"] == "/some/where/go"
    assert "GOFLAGS" not in go.environment
    assert "GOOS" not in go.environment


def test_other_locked_dependencies_are_another_entry_of_the_cache(
    go: FakeGo, quiet: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = tmp_path / "modules"
    (modules / "kwok").mkdir(parents=True)
    for file in ("go.mod", "go.sum"):
        (modules / "kwok" / file).write_bytes((rooms.HERE / "kwok" / file).read_bytes())
    monkeypatch.setattr(rooms, "HERE", modules)
    before = ensure(["kwok"], quiet)["kwok"]
    with (modules / "kwok" / "go.sum").open("a") as locked:
        locked.write("example.com/more v1.0.0 h1:AAAA=\n")
    assert ensure(["kwok"], quiet)["kwok"] != before
    assert before.exists()


def test_an_entry_that_lost_a_file_is_built_anew(go: FakeGo, quiet: Progress) -> None:
    paths = ensure(CONTROL_PLANE, quiet)
    paths["kube-scheduler"].unlink()
    assert ensure(CONTROL_PLANE, quiet) == paths
    assert paths["kube-scheduler"].exists()


def test_a_build_that_is_killed_leaves_nothing_that_is_used_and_the_next_run_clears_it_away(
    go: FakeGo, quiet: Progress, tmp_path: Path
) -> None:
    go.tell("hold", "yes")
    run = another_run("kube-apiserver")
    until(lambda: go.half_way)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    assert all(name.startswith(".") for name in entries(tmp_path))
    (go.control / "hold").unlink()
    path = ensure(["kube-apiserver"], quiet)["kube-apiserver"]
    assert path.exists()
    assert entries(tmp_path) == [path.parent.name]


def test_an_interrupted_build_ends_its_compiler_and_leaves_nothing(
    go: FakeGo, tmp_path: Path
) -> None:
    go.tell("hold", "yes")
    run = another_run("kwok")
    until(lambda: go.half_way)
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=20)
    assert entries(tmp_path) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)


def test_two_runs_at_once_build_once(go: FakeGo) -> None:
    go.tell("hold", "yes")
    first = another_run("kwok")
    until(lambda: go.half_way)
    second = another_run("kwok")
    time.sleep(0.5)
    assert second.poll() is None
    (go.control / "hold").unlink()
    answers = [run.communicate(timeout=20)[0].splitlines()[-1] for run in (first, second)]
    assert answers[0] == answers[1]
    assert answers[0].startswith("FOUND /")
    assert len(go.builds) == 1


def test_a_build_that_fails_says_what_why_where_and_what_next(
    go: FakeGo, quiet: Progress, tmp_path: Path
) -> None:
    go.tell("fail", "kwok.go:7:2: undefined: Kwok")
    with pytest.raises(SandboxError) as caught:
        ensure(["kwok"], quiet)
    said = str(caught.value)
    log = tmp_path / "cache" / "logs" / "build-kwok.log"
    assert said.startswith("kwok could not be built: ")
    assert "undefined: Kwok" in said
    assert str(log) in said
    assert "Run the command again" in said
    assert "undefined: Kwok" in log.read_text()
    assert entries(tmp_path) == []


def test_a_failed_build_can_be_repeated(go: FakeGo, quiet: Progress) -> None:
    go.tell("fail", "network is unreachable")
    with pytest.raises(SandboxError):
        ensure(["kwok"], quiet)
    (go.control / "fail").unlink()
    assert ensure(["kwok"], quiet)["kwok"].exists()


def test_a_full_disk_is_named(go: FakeGo, quiet: Progress) -> None:
    go.tell("fail", "write /cache/b001/pkg.a: no space left on device")
    with pytest.raises(SandboxError, match=r"The disk is full.*GOCACHE"):
        ensure(["kwok"], quiet)


def test_what_later_builds_need_is_downloaded_while_the_first_is_built(
    go: FakeGo, quiet: Progress
) -> None:
    go.tell("await downloads", "2")
    ensure(["pulumi", *CONTROL_PLANE], quiet)
    assert [line.split()[:3] for line in go.downloads] == [["list", "-mod=readonly", "-deps"]] * 2
    assert "cmd/kube-apiserver" in go.downloads[0]
    assert "cmd/kwok" in go.downloads[1]


def test_downloads_for_builds_that_are_done_are_ended(go: FakeGo, quiet: Progress) -> None:
    go.tell("hold downloads", "yes")
    ensure(["pulumi", "kwok"], quiet)
    assert len(go.builds) == 2


def test_a_missing_go_is_named_with_what_to_install(go: FakeGo, quiet: Progress) -> None:
    go.remove()
    with pytest.raises(SandboxError, match=r"Go is not installed\. Install Go 1\.26 or later"):
        ensure(["kwok"], quiet)


@pytest.mark.parametrize("version", ["go1.19.8", "go1.25.9"])
def test_an_old_go_is_named_with_what_to_install(go: FakeGo, quiet: Progress, version: str) -> None:
    go.tell("version", version)
    with pytest.raises(SandboxError, match=rf"too old \({version}\)\. Install Go 1\.26 or later"):
        ensure(["kwok"], quiet)


def test_no_go_is_needed_when_every_tool_is_there(
    go: FakeGo, machine: Path, quiet: Progress
) -> None:
    go.remove()
    path = tool(machine, "pulumi", "v3.259.0")
    assert ensure(["pulumi"], quiet) == {"pulumi": path}


def test_a_cache_that_cannot_be_written_is_named(
    go: FakeGo, quiet: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KESTRA_SANDBOX_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(SandboxError, match="KESTRA_SANDBOX_CACHE"):
        ensure(["kwok"], quiet)


def test_the_progress_names_the_step_and_what_it_is_at(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    details: list[str] = []
    progress = Progress(Console(soft_wrap=True))
    monkeypatch.setattr(progress, "detail", details.append)
    ensure(["pulumi", "kwok"], progress)
    printed = capsys.readouterr().out
    assert "[1/2] Building pulumi (once)" in printed
    assert "✓ [2/2] Building kwok (once)" in printed
    assert "downloading example.com/module v1.0.0" in details
    assert "1 of at most 1690 packages" in details


def test_every_module_pins_its_dependencies() -> None:
    for name, module in rooms.MODULES.items():
        description = (rooms.HERE / name / "go.mod").read_text()
        assert "@latest" not in description
        if "require" in description:
            assert (rooms.HERE / name / "go.sum").stat().st_size > 0
        assert re.fullmatch(r"\d+(\.\d+\.\d+)?", module.version)


def _operators_module(go: FakeGo) -> None:
    """What Go would fetch, read only as in its cache."""
    register = go.control / "module" / "pkg" / "provider" / "register"
    register.mkdir(parents=True)
    (register / "register.go").write_text("package register // every provider\n")
    (register / "other.go").write_text("package register\n")
    (go.control / "module" / "apis").mkdir()
    (go.control / "module" / "README.md").write_text("not needed\n")
    for name in ("go.mod", "go.sum"):
        (go.control / "module" / name).write_text("module x\n")
    register.chmod(0o555)


def test_the_operator_is_built_of_the_pinned_source_with_few_providers(
    go: FakeGo, quiet: Progress
) -> None:
    _operators_module(go)
    go.tell("sum", rooms.EXTERNAL_SECRETS_SOURCE.sum)
    path = ensure([rooms.EXTERNAL_SECRETS], quiet)[rooms.EXTERNAL_SECRETS]
    assert path.read_text().endswith("echo built\n")
    assert "source/pkg/provider/register/other.go" in go.files
    assert not [name for name in go.files if name.startswith("replaced/")]
    providers = rooms.HERE / "external-secrets" / "replaced" / "pkg" / "provider" / "register"
    text = (providers / "register.go").read_text()
    assert "pkg/provider/vault" in text
    assert "pkg/provider/fake" not in text


def test_a_source_of_another_content_is_not_built(go: FakeGo, quiet: Progress) -> None:
    _operators_module(go)
    go.tell("sum", "h1:another=")
    with pytest.raises(SandboxError, match=r"is not the one that is pinned \(h1:another=\)"):
        ensure([rooms.EXTERNAL_SECRETS], quiet)
    assert not go.builds


def test_what_only_some_stacks_need_is_built_when_it_is_named(
    go: FakeGo, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(command, "ensure", lambda names, _: asked.append(list(names)) or {})
    monkeypatch.setattr("sandbox.kestra.ensure", lambda *_: None)
    assert command.main([]) == 0
    assert command.main([rooms.EXTERNAL_SECRETS]) == 0
    assert rooms.EXTERNAL_SECRETS not in asked[0]
    assert "vault" in asked[0]
    assert asked[1] == [rooms.EXTERNAL_SECRETS]
