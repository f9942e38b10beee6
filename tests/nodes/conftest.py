"""A cluster with a real node, which the tests of a file share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from sandbox.nodes.control_plane import RealControlPlane
from sandbox.progress import Progress
from sandbox.tools import CONTROL_PLANE, REAL_NODES, ensure
from tests.conftest import running
from tests.nodes.nodes_support import Pods, agent_archive, pods_of, require_machine


@pytest.fixture(scope="module", autouse=True)
def _one_node_at_a_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Files with real nodes wait for each other: they compare the machine before and after, and need its processors."""
    if request.node.get_closest_marker("long") is None:
        yield
        return
    with FileLock(Path(tempfile.gettempdir()) / "kestra-sandbox-real-nodes.lock"):
        yield


@pytest.fixture(scope="session")
def node_tools(progress: Progress) -> dict[str, Path]:
    """Every program of a cluster with a real node, built once into the cache."""
    require_machine()
    return ensure([*CONTROL_PLANE, *REAL_NODES], progress)


@pytest.fixture(scope="module")
def real_plane(
    node_tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealControlPlane]:
    """A control plane with a real node."""
    with running(RealControlPlane(tmp_path_factory.mktemp("real"), node_tools)) as plane:
        yield plane


@pytest.fixture(scope="module")
def pods(real_plane: RealControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    """Pods on it, with the agent's image."""
    real_plane.node.load(agent_archive(tmp_path_factory.mktemp("agent")), [])
    with pods_of(real_plane) as pods:
        yield pods
