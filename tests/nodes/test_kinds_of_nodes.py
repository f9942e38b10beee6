"""Simulated nodes stay the default, and what is started is what the folder has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.arguments import parser
from sandbox.errors import SandboxError
from sandbox.nodes.control_plane import RealControlPlane, control_plane, forget_kind, kind_of
from sandbox.nodes.images import whole_name
from sandbox.nodes.node import Node
from sandbox.services import ControlPlane
from sandbox.services.certificates import Pair
from sandbox.state import ROOT
from sandbox.tools import CONTROL_PLANE, MODULES, REAL_NODES
from sandbox.tools import __main__ as building

TOOLS = {name: Path(name) for name in (*CONTROL_PLANE, *REAL_NODES)}


def test_up_starts_simulated_nodes_unless_it_is_asked_for_real_ones(tmp_path: Path) -> None:
    assert parser().parse_args(["up"]).nodes is None
    plane = control_plane(tmp_path, TOOLS, None)
    assert type(plane) is ControlPlane
    assert [server.name for server in plane.servers][-1] == "kwok"
    assert plane.reached_by_pods("http://127.0.0.1:8200") == "http://127.0.0.1:8200"


@pytest.mark.engine
def test_who_simulates_the_nodes_waits_for_no_import_of_real_ones() -> None:
    script = "import sys, sandbox.cli; sys.exit(' '.join({'kubernetes', 'websocket'} & set(sys.modules)) or 0)"
    outcome = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True)
    assert (outcome.returncode, outcome.stderr) == (0, b"")


def test_the_folder_remembers_real_nodes_until_down(tmp_path: Path) -> None:
    plane = control_plane(tmp_path, TOOLS, "real")
    assert isinstance(plane, RealControlPlane)
    assert [server.name for server in plane.servers][-1] == "node"
    assert isinstance(control_plane(tmp_path, TOOLS), RealControlPlane)
    forget_kind(tmp_path)
    assert kind_of(tmp_path) == "simulated"
    assert type(control_plane(tmp_path, TOOLS)) is ControlPlane


def test_asked_for_simulated_nodes_a_folder_has_them_again(tmp_path: Path) -> None:
    control_plane(tmp_path, TOOLS, "real")
    assert type(control_plane(tmp_path, TOOLS, "simulated")) is ControlPlane
    assert kind_of(tmp_path) == "simulated"


def test_nothing_of_real_nodes_is_built_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built: list[str] = []
    monkeypatch.setattr(building, "ensure", lambda names, _: built.extend(names))
    building.main(["vault"])
    assert built == ["vault"]
    built.clear()
    building.main(list(REAL_NODES))
    assert built == list(REAL_NODES)
    on_request = {n for m in MODULES.values() if m.on_request for n in m.packages}
    assert set(REAL_NODES) <= on_request
    assert not on_request & set(CONTROL_PLANE)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("kestra/kestra:v1.3.31", "docker.io/kestra/kestra:v1.3.31"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("registry.kestra.io/docker/kestra-ee:v1", "registry.kestra.io/docker/kestra-ee:v1"),
        ("localhost:5000/kestra@sha256:0", "localhost:5000/kestra@sha256:0"),
        ("localhost/kestra:1", "localhost/kestra:1"),
    ],
)
def test_an_image_is_kept_by_the_name_with_its_registry(name: str, whole: str) -> None:
    assert whole_name(name) == whole


def test_a_folder_whose_path_is_too_long_for_sockets_is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ("x" * 107)
    pair = Pair(tmp_path / "certificate", tmp_path / "key")
    with pytest.raises(SandboxError, match=r"path that is \d+ characters too long.*--state"):
        Node(folder, {}).launch({}, tmp_path / "ca", pair, 1)
    assert not folder.exists()
