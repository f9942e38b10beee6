"""The distributed mode in real pods, over an H2 server in place of PostgreSQL (docs/real-pods.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nodes.kestra_pods_support import (
    Pods,
    RunningStack,
    api_of,
    distributed,
    require_stand_in,
    run_sleeping_task,
    running_stack,
)
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

COMPONENTS = {
    "1.3": ("webserver", "executor", "scheduler", "indexer", "worker"),
    "2.0": ("webserver", "executor", "scheduler", "indexer", "worker", "controller"),
}


def _changes(version: str) -> dict[str, Any]:
    return {
        "kestra:version": version,
        "kestra:server": {"worker-task-restart-strategy": "IMMEDIATELY"},
        **distributed(*COMPONENTS[version]),
    }


@pytest.fixture(scope="module", params=list(COMPONENTS))
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, RunningStack, Pods]]:
    """The version of Kestra, a stack of one pod for each component, and the pods."""
    require_stand_in()
    version = request.param
    folder = tmp_path_factory.mktemp("pods")
    with running_stack(folder, changes=_changes(version)) as (stack, pods):
        yield version, stack, pods


def test_a_flow_that_the_web_servers_pod_starts_runs_in_the_workers_pod(
    running: tuple[str, RunningStack, Pods], tmp_path: Path
) -> None:
    version, stack, pods = running
    for component in COMPONENTS[version]:
        pods.ready(component)
    file = tmp_path / "report.json"
    assert stack.sandbox.verify(stack.name, file, "real"), file.read_text()
    report = json.loads(file.read_text())
    whats = [one["what"] for flow in report["flows"] for one in flow["checks"]]
    places = [what for what in whats if what.startswith("its task ran in ")]
    assert places
    assert all(what.startswith("its task ran in kestra-worker-") for what in places)
    assert (
        "at its end the plain value is nowhere in the database, nor in the internal storage"
        in whats
    )


def test_every_component_asks_the_database_with_the_stacks_password(
    running: tuple[str, RunningStack, Pods],
) -> None:
    version, _, pods = running
    for component in COMPONENTS[version]:
        text = pods.log(pods.ready(component))
        assert "datasources.postgres.url = jdbc:h2:tcp://postgres.databases.svc:5432/kestra" in text


def test_a_task_of_a_worker_that_is_killed_for_memory_is_started_again(
    running: tuple[str, RunningStack, Pods],
) -> None:
    _, stack, pods = running
    api = api_of(stack, pods.ready("webserver"))
    worker = pods.ready("worker")
    execution = run_sleeping_task(api)
    assert pods.fill_memory(worker)["reason"] == "OOMKilled"
    # The other components miss the worker after the time-out of `liveness`, 45 s.
    ended = api.await_end(execution, 240)
    assert ended["state"]["current"] == "SUCCESS"
    assert "slept enough" in api.logs(execution)
    assert pods.ready("worker") == worker
