"""Kestra's pods on a real node, with the image that stands in for Kestra's (docs/real-pods.md has a row for each test)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes import rollout
from components.rendering.web_server import MANAGEMENT
from sandbox.errors import SandboxError
from tests.nodes.kestra_pods_support import (
    Pods,
    RunningStack,
    api_of,
    eventually,
    require_stand_in,
    run_sleeping_task,
    running_stack,
)
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

PLANTED = "planted-New-Value-58d1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, Pods]]:
    """The stack `local`, whose pod holds everything."""
    with running_stack(tmp_path_factory.mktemp("pods")) as both:
        yield both


@pytest.fixture
def stack(running: tuple[RunningStack, Pods]) -> RunningStack:
    return running[0]


@pytest.fixture
def pods(running: tuple[RunningStack, Pods]) -> Pods:
    return running[1]


def test_the_first_line_of_the_log_says_that_the_image_is_a_stand_in(pods: Pods) -> None:
    require_stand_in()
    assert pods.log(pods.ready()).startswith("This is not Kestra's image.")


def test_the_heap_is_half_of_the_memory_limit(pods: Pods) -> None:
    options = pods.run(
        pods.ready(),
        "tr '\\0' '\\n' < /proc/1/cmdline; cat /sys/fs/cgroup/memory*/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
    )
    assert "-XX:MaxRAMPercentage=50" in options.out
    assert str(2 << 30) in options.out


def test_management_answers_kestras_own_log_in_alone(stack: RunningStack, pods: Pods) -> None:
    pod = pods.ready()
    log_in = ("monitoring", stack.secrets()["STACK_ENDPOINTS_ALL_BASIC_AUTH_PASSWORD"])
    for path in ("/health", "/health/readiness", "/health/liveness", "/prometheus"):
        asked = (log_in, ("monitoring", "wrong"), ("other", log_in[1]), None)
        status = [pod.status(MANAGEMENT, path, one) for one in asked]
        assert status == [200, 401, 401, 401], path


def test_verify_in_the_pod_passes_and_tells_no_secret(
    stack: RunningStack, pods: Pods, tmp_path: Path
) -> None:
    pods.ready()
    file = tmp_path / "report.json"
    assert stack.sandbox.verify(stack.name, file, "real"), file.read_text()
    report = json.loads(file.read_text())
    assert not report["kestra"]["mismatches"]
    assert {"kestra.encryption.secret-key", "datasources.h2.url"} <= set(report["kestra"]["bound"])
    whats = [one["what"] for flow in report["flows"] for one in flow["checks"]]
    assert "is masked in the log" in whats
    assert any(what.startswith("its task ran in kestra-standalone-") for what in whats)
    for name, secret in stack.secrets().items():
        assert secret not in file.read_text() + stack.printed, name


def test_a_killed_container_finds_its_configuration_again_and_deletes_it_again(pods: Pods) -> None:
    pod = pods.ready()
    assert pods.run(pod, "ls -A /app/confs").out == ""
    pods.signal(pod, "SIGKILL")
    assert pods.restarted(pod, 120)["exitCode"] == 137
    assert pods.ready() == pod
    assert pods.run(pod, "ls -A /app/confs").out == ""


def test_an_idle_pod_ends_soon_after_it_is_asked_to(pods: Pods) -> None:
    pod = pods.ready()
    asked = time.monotonic()
    pods.delete(pod)
    eventually(lambda: pods.is_gone(pod), 120, "an idle pod waits for its whole grace period")
    assert time.monotonic() - asked < 120
    assert pods.ready() != pod


def test_a_pod_waits_for_the_task_that_runs_in_it(stack: RunningStack, pods: Pods) -> None:
    pod = pods.ready()
    run_sleeping_task(api_of(stack, pod))
    asked = time.monotonic()
    pods.delete(pod)
    eventually(lambda: pods.is_gone(pod), 300, "the pod waits for its whole grace period")
    # The task still had most of its 25 seconds, and the grace period is 360.
    assert 10 < time.monotonic() - asked < 300


def test_a_hung_process_is_killed_half_a_minute_after_its_probes_fail(pods: Pods) -> None:
    pod = pods.ready()
    began = time.monotonic()
    pods.signal(pod, "SIGSTOP")
    # 6 failures 10 s apart, their time-outs, and 30 s; not the 360 s that tasks get.
    assert pods.restarted(pod, 240)["exitCode"] == 137
    assert time.monotonic() - began < 240
    assert pods.ready() == pod


def test_a_changed_secret_rolls_the_pod_which_has_the_new_value(
    stack: RunningStack, pods: Pods
) -> None:
    before = pods.ready()
    stack.change({"kestra:declared-secrets": {"API_TOKEN": {"generate": None, "value": PLANTED}}})
    stack.up()
    pod = pods.ready()
    assert pod != before
    assert pods.run(pod, "base64 -d <<< $SECRET_API_TOKEN").out == PLANTED
    assert PLANTED not in stack.printed


def test_a_changed_setting_rolls_the_pod_which_binds_it(stack: RunningStack, pods: Pods) -> None:
    require_stand_in()
    before = pods.ready()
    stack.change({"kestra:server": {"liveness": {"timeout": "47s"}}})
    stack.up()
    pod = pods.ready()
    assert pod != before
    path = "kestra.server.liveness.timeout"
    answer = pod.inspect({"leaves": {path: "duration"}})
    assert answer is not None
    assert answer["bound"][path] == {"by": "bean", "value": "PT47S"}


def test_a_process_beside_java_that_takes_too_much_memory_ends_alone(pods: Pods) -> None:
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        pytest.skip("With version 2 of control groups the kernel ends the whole container.")
    pod = pods.ready()
    before = pods.status(pod)["restartCount"]
    assert pods.run(pod, "tail /dev/zero").code == 137
    status = pods.status(pod)
    assert (status["restartCount"], status["ready"]) == (before, True)


def test_a_serving_pod_that_is_killed_for_memory_is_started_again_in_its_place(pods: Pods) -> None:
    pod = pods.ready()
    ended = pods.fill_memory(pod)
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    assert pods.ready() == pod
    assert pods.run(pod, "ls -A /app/confs").out == ""


def test_an_update_whose_pod_needs_more_memory_than_its_limit_fails_and_says_so(
    stack: RunningStack, pods: Pods, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without these an update waits for its pod for ten minutes.
    monkeypatch.setattr(rollout, "PROVIDER_SECONDS", 60)
    monkeypatch.setattr(rollout, "START_SECONDS", 60)
    stack.change({"kestra:server": {"termination-grace-period": "10s"}, **_memory_limit("160Mi")})
    with pytest.raises(SandboxError) as refused:
        stack.up()
    said = str(refused.value)
    assert re.search(r"OOMKilled: The kernel ended it.* limit of 160Mi \([1-9]\d* restarts\)", said)
    assert "Raise kestra:deployment.components.standalone.resources.limits.memory" in said
    for name, secret in stack.secrets().items():
        assert secret not in said, name
    (pod,) = [one for one in pods.all() if "deletionTimestamp" not in one["metadata"]]
    ended = pods.last_end(pod["metadata"]["name"])
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    monkeypatch.undo()
    stack.change(_memory_limit("2Gi"))
    stack.up()
    assert pods.ready().name != pod["metadata"]["name"]


def _memory_limit(limit: str) -> dict[str, Any]:
    resources = {"requests": {"memory": "100Mi"}, "limits": {"memory": limit}}
    return {"kestra:deployment": {"components": {"standalone": {"resources": resources}}}}
