"""Official plugins are downloaded where their servers answer; elsewhere the stand-ins take over at once, and say why."""

from __future__ import annotations

import functools
import io
import platform
import re
import socket
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from rich.console import Console

from sandbox.arguments import parser
from sandbox.cli import Sandbox
from sandbox.engine import plugin_downloads
from sandbox.engine.official_plugins import sdk_versions
from sandbox.engine.plugin_choice import choose
from sandbox.engine.plugin_downloads import OVERRIDES, RETRY_SECONDS, Downloads, download_home
from sandbox.progress import Progress
from sandbox.providers import write_launchers
from sandbox.services import free_port
from sandbox.state import State
from sandbox.status import show_status
from tests.conftest import silent
from tests.sandbox.official_plugins_support import password_program, stack_of

VERSION = sdk_versions()["random"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KESTRA_SANDBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)


class _NotThere(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_error(404)

    do_GET = do_HEAD

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _serving(handler: object) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # pyright: ignore[reportArgumentType]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _pulumi(folder: Path, script: str) -> Path:
    """A command in Pulumi's place, which notes each of its runs."""
    folder.mkdir(exist_ok=True)
    file = folder / "pulumi"
    file.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/runs"\n{script}\n')
    file.chmod(0o755)
    return file


def _runs(pulumi: Path) -> list[str]:
    file = pulumi.with_name("runs")
    return file.read_text().splitlines() if file.exists() else []


def _downloads(pulumi: Path, server: str, *, again: bool = False) -> Downloads:
    progress = Progress(Console(file=io.StringIO()))
    environ = {OVERRIDES: f".*={server}", "PATH": "/usr/bin:/bin"}
    return Downloads(pulumi, progress, again=again, environ=environ)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The servers that were asked; none of them answers."""
    servers: list[str] = []

    def head(server: str, **_: object) -> None:
        servers.append(server)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "head", head)
    return servers


def test_where_no_server_answers_nothing_is_tried_and_the_answer_is_remembered(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = _pulumi(tmp_path, "exit 1")
    server = "http://mirror.example:8080"
    first = choose(["random", "vault"], downloads=_downloads(pulumi, f"{server}/plugins"))
    assert [plugin.is_official for plugin in first] == [False, False]
    assert all("mirror.example:8080 cannot be reached" in plugin.reason for plugin in first)
    again = _downloads(pulumi, f"{server}/plugins")
    assert choose(["random", "vault"], downloads=again) == first
    assert re.fullmatch(
        r".* tried again after \d\d:\d\d, or .*--official-plugins\.", again.retry_hint
    )
    assert asked == [server]
    choose(["random"], downloads=_downloads(pulumi, f"{server}/plugins", again=True))
    assert asked == [server, server], "--official-plugins asks again"
    # Another server is another question.
    choose(["random"], downloads=_downloads(pulumi, "http://other.example"))
    assert asked[2:] == ["http://other.example"]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + RETRY_SECONDS + 1)
    choose(["random"], downloads=_downloads(pulumi, f"{server}/plugins"))
    assert len(asked) == 4
    assert _runs(pulumi) == []


def test_without_servers_of_ones_own_pulumis_are_asked(tmp_path: Path, asked: list[str]) -> None:
    downloads = Downloads(tmp_path / "pulumi", Progress(Console(file=io.StringIO())), environ={})
    (failure,) = downloads.install(["random"]).values()
    assert sorted(asked) == ["https://get.pulumi.com", "https://github.com"]
    assert failure.reason == "github.com and get.pulumi.com cannot be reached"


def test_a_server_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_downloads, "PROBE_SECONDS", 0.2)
    pulumi = _pulumi(tmp_path, "exit 1")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        start = time.monotonic()
        (failure,) = _downloads(pulumi, f"http://{address}").install(["random"]).values()
        assert time.monotonic() - start < 2
    assert failure.reason == f"{address} cannot be reached"
    assert _runs(pulumi) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'error: 404 HTTP error fetching plugin.' >&2; exit 255",
         "its download failed: 404 HTTP error fetching plugin"),
        ("exit 7", "its download failed: Pulumi ended with 7"),
        ("exec sleep 30", "its download took more than 0.3 s"),
        ("exit 0", "the official plugin is not installed"),
    ],
)  # fmt: skip
def test_a_download_that_fails_is_one_line_and_the_stand_in_takes_over(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_downloads, "DOWNLOAD_SECONDS", 0.3)
    pulumi = _pulumi(tmp_path, script)
    with _serving(_NotThere) as server:
        (choice,) = choose(["random"], downloads=_downloads(pulumi, server))
        assert not choice.is_official
        assert reason in choice.reason
        assert "\n" not in str(choice)
        choose(["random"], downloads=_downloads(pulumi, server))
    remembered = script != "exit 0"
    assert _runs(pulumi)[:1] == [
        f"plugin install resource random {VERSION} --exact --non-interactive --color=never"
    ]
    assert len(_runs(pulumi)) == (1 if remembered else 2)


def test_clouds_are_never_downloaded_and_offline_asks_nobody(tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, "exit 1")
    closed = f"http://127.0.0.1:{free_port()}"
    for plugin in choose(["aws", "gcp", "azure-native"], downloads=_downloads(pulumi, closed)):
        assert not plugin.is_official
    choose(["random"], offline=True, downloads=_downloads(pulumi, closed))
    assert not (download_home() / "failures.json").exists()
    assert _downloads(pulumi, closed).retry_hint == ""


def test_the_command_line_takes_both_options() -> None:
    assert parser().parse_args(["up", "--offline"]).offline
    assert parser().parse_args(["up", "--official-plugins"]).official_plugins


@pytest.mark.engine
def test_a_plugin_is_downloaded_once_used_by_the_engine_and_told_by_status(
    tmp_path: Path, tools: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, served_by = tmp_path / "served", tmp_path / "packed"
    served.mkdir()
    launcher = write_launchers(served_by, ["random"]) / "pulumi-resource-random"
    mark = tmp_path / "used"
    text = launcher.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n: > '{mark}'\n")
    launcher.write_text(text)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    with tarfile.open(
        served / f"pulumi-resource-random-v{VERSION}-{sys.platform}-{machine}.tar.gz", "w:gz"
    ) as packed:
        packed.add(launcher, launcher.name)
    said = io.StringIO()
    state = State(tmp_path / "state")
    state.create()
    state.stack("dev").mkdir(parents=True)
    with _serving(functools.partial(_Files, directory=str(served))) as server:
        monkeypatch.setenv(OVERRIDES, f".*={server}")
        sandbox = Sandbox(state, Console(file=said, width=300))
        plugins = sandbox.choose_plugins("dev", set(), tools["pulumi"])
    where = download_home() / "plugins" / f"resource-random-v{VERSION}"
    line = f"Provider plugin random {VERSION} (official: {where})"
    assert f"  {line}\n" in said.getvalue()
    assert "Downloading the official provider plugin random" in said.getvalue()
    # The server has this one only.
    kubernetes = next(plugin for plugin in plugins if plugin.name == "kubernetes")
    assert not kubernetes.is_official
    assert "its download failed" in kubernetes.reason
    stack = stack_of(tmp_path, monkeypatch, tools["pulumi"], plugins)
    monkeypatch.setattr(stack, "_program", password_program)
    assert stack.up(silent()).outputs["length"].value == 20
    assert mark.exists()
    status = io.StringIO()
    show_status(state, Console(file=status, width=300))
    assert f"dev: provider plugin random {VERSION} (official: {where})" in status.getvalue()
    # The server is gone, and not needed any more.
    assert choose(["random"], downloads=Downloads(tools["pulumi"], Progress()))[0].is_official
