"""A real node starts, runs pods, and leaves nothing on the machine, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sandbox.errors import SandboxError
from sandbox.nodes.control_plane import RealControlPlane, control_plane
from sandbox.nodes.images import whole_name
from sandbox.nodes.pods import execute
from sandbox.services import ControlPlane
from sandbox.state import ROOT
from tests.conftest import running
from tests.nodes.nodes_support import (
    Machine,
    agent_archive,
    agent_pod,
    docker_archive,
    eventually,
    pods_of,
    processes_of,
    require_machine,
)
from tests.tiers import long

pytestmark = [pytest.mark.engine, long("pods"), pytest.mark.timeout(3600)]


def test_a_pod_runs_and_nothing_is_left_after_the_end(
    node_tools: dict[str, Path], tmp_path: Path
) -> None:
    before = Machine()
    plane = RealControlPlane(tmp_path / "kubernetes", node_tools)
    with running(plane), pods_of(plane) as pods:
        agent = agent_archive(tmp_path)
        plane.node.load(agent, [])
        # A user's archive gets the name that the stack's pods ask for, whatever its own is, and if it has none.
        theirs = [whole_name("kestra/kestra:v9")]
        plane.node.load(docker_archive(agent, tmp_path / "named.tar", "own/name:1"), theirs)
        plane.node.load(docker_archive(agent, tmp_path / "nameless.tar"), theirs)
        two = docker_archive(agent, tmp_path / "two.tar", "own/name:1", "own/name:2")
        with pytest.raises(SandboxError, match=r"several images: .*own/name:1, .*own/name:2"):
            plane.node.load(two, theirs)
        text = tmp_path / "text.tar"
        text.write_text("no archive")
        with pytest.raises(SandboxError, match=r"text.tar is no archive of an image"):
            plane.node.load(text, theirs)
        # What the machine has is the machine's: everything is in namespaces of its own.
        assert not Machine().interfaces - before.interfaces
        assert not Machine().mounts - before.mounts
        pods.start("default", agent_pod("first"))
        server = ("serve", "tcp:8080")
        labels = {"app": "second"}
        pods.start("default", agent_pod("second", *server, labels=labels, image="kestra/kestra:v9"))
        port = {"port": 80, "targetPort": 8080}
        selected = {"selector": labels, "ports": [port]}
        pods.core.create_namespaced_service(
            "default", {"metadata": {"name": "second"}, "spec": selected}
        )
        pods.wait("default", "first", "second")
        by_name = "tcp:second.default.svc.cluster.local:80"
        eventually(
            lambda: pods.ask("default", "first", by_name) == {by_name: "second"}, 60, "no Service"
        )
        answer = execute(plane.kubeconfig, "default", "first", "agent", ["/agent", "nothing"])
        assert answer == (0, "", "")
        with pytest.raises(SandboxError, match="runs no command"):
            execute(plane.kubeconfig, "default", "nobody", "agent", ["/agent"])
        assert processes_of(tmp_path)
    assert processes_of(tmp_path) == []
    assert Machine().left(before) == {}


def test_a_node_that_is_killed_takes_everything_with_it(
    node_tools: dict[str, Path], tmp_path: Path
) -> None:
    before = Machine()
    plane = RealControlPlane(tmp_path / "kubernetes", node_tools)
    with running(plane), pods_of(plane) as pods:
        plane.node.load(agent_archive(tmp_path), [])
        pods.start("default", agent_pod("first"))
        pods.wait("default", "first")
        identity = plane.node.identity
        assert identity is not None
        inside = psutil.Process(identity.pid).children(recursive=True)
        os.kill(identity.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(inside, timeout=20)
        assert alive == []
        assert not plane.healthy
        # The next command starts it again, with the pods that it had.
        plane.start()
        pods.wait("default", "first")
    assert processes_of(tmp_path) == []
    assert Machine().left(before) == {}


def test_a_command_that_is_killed_while_it_starts_leaves_nothing_after_down(
    node_tools: dict[str, Path], tmp_path: Path
) -> None:
    before = Machine()
    state = tmp_path / "state"
    command = [sys.executable, "-m", "sandbox"]
    with subprocess.Popen(
        [*command, "up", "local", "--nodes", "real", "--no-policy", "--state", state],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as starting:
        node = RealControlPlane(state / "services" / "kubernetes", node_tools).node
        eventually(lambda: node.running, 180, "the node was not started")
        starting.kill()
    assert processes_of(state)
    subprocess.run([*command, "down", "--purge", "--state", state], cwd=ROOT, check=True)
    assert not state.exists()
    assert processes_of(state) == []
    assert Machine().left(before) == {}


def test_a_start_that_fails_says_why_and_leaves_nothing(
    node_tools: dict[str, Path], tmp_path: Path
) -> None:
    before = Machine()
    broken = tmp_path / "kubelet"
    broken.write_text("#!/bin/sh\necho kubelet has its reasons\nexit 3\n")
    broken.chmod(0o755)
    plane = RealControlPlane(tmp_path / "kubernetes", node_tools | {"kubelet": broken})
    try:
        with pytest.raises(SandboxError, match="kubelet ended with 3: kubelet has its reasons"):
            plane.start()
    finally:
        plane.stop()
    assert processes_of(tmp_path) == []
    assert Machine().left(before) == {}


def test_simulated_and_real_nodes_take_turns_in_one_folder(
    node_tools: dict[str, Path], tmp_path: Path
) -> None:
    require_machine()
    folder = tmp_path / "kubernetes"
    with running(control_plane(folder, node_tools)) as plane:
        assert type(plane) is ControlPlane
    real = control_plane(folder, node_tools, "real")
    assert isinstance(real, RealControlPlane)
    with running(real), pods_of(real) as pods:
        assert [node.metadata.name for node in pods.core.list_node().items] == ["real"]
    with running(control_plane(folder, node_tools, "simulated")) as plane:
        names = plane.session().get(f"{plane.url}/api/v1/nodes").json()["items"]
        assert [node["metadata"]["name"] for node in names] == ["simulated"]
