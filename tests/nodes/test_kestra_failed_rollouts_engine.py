"""Rollouts that fail in real pods: the old pods go on serving, and the message says what the new ones say.

The database is an H2 server in place of PostgreSQL (docs/real-pods.md).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from components.kubernetes.rollout_report import MARK
from components.settings.deployment import DEFAULT_TAGS
from sandbox.engine.outcome import EngineFailure
from tests.nodes.kestra_pods_support import (
    NAMESPACE,
    Pods,
    RunningStack,
    api_of,
    distributed,
    eventually,
    require_stand_in,
    running_stack,
    waiting_at_most,
)
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

SERVING = ("webserver", "executor", "worker")
WRITTEN = "wr1tten-Value-größer-77c0"
"""A secret that a container writes into its log; not of ASCII alone."""
FLOW = """
id: reads
namespace: company.team
tasks:
  - {id: says, type: io.kestra.plugin.core.log.Log, message: "{{ secret('API_TOKEN') | length }}"}
"""
#: What each component's new pod cannot have.
FAULTS: dict[str, dict[str, Any]] = {
    "webserver": {
        "extra-env": [
            {"name": "SMTP_USER", "valueFrom": {"secretKeyRef": {"name": "smtp", "key": "user"}}}
        ]
    },
    # Its variable takes the place of the password that the probe has.
    "executor": {"extra-env-from": [{"secretRef": {"name": "overrides"}}]},
    "worker": {
        "init-containers": [
            {
                "name": "migration",
                "image": f"kestra/kestra:{DEFAULT_TAGS['1.3']}",
                "command": ["/bin/bash", "-c", 'echo "has $TOKEN"; base64 -w0 <<<"$TOKEN"; echo; exit 3'],
                "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "migration", "key": "token"}}}],
            }
        ]
    },
    "indexer": {
        "replicas": 1,
        "extra-volumes": [{"name": "authority", "secret": {"secretName": "authority"}}],
        "extra-volume-mounts": [{"name": "authority", "mountPath": "/app/authority"}],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, Pods]]:
    """A stack whose web server, executor and worker have a pod each."""
    require_stand_in()
    folder = tmp_path_factory.mktemp("pods")
    with running_stack(folder, changes=distributed(*SERVING)) as (stack, pods):
        for name, content in (
            ("migration", {"token": WRITTEN}),
            ("smtp", {"password": "pl4nted-smtp"}),
            ("overrides", {"ENDPOINTS_ALL_BASIC_AUTH_PASSWORD": "an0ther-Password-of-others"}),
        ):
            _create_secret(pods, name, content)
        yield stack, pods


def _create_secret(pods: Pods, name: str, content: dict[str, str]) -> None:
    core: Any = pods.core
    core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": name}, "stringData": content})


def _names(pods: Pods) -> dict[str, str]:
    """Component to the pod of it that is ready."""
    return {component: pods.ready(component).name for component in SERVING}


def _refused(stack: RunningStack, seconds: int) -> dict[str, str]:
    """What an update that fails says of each Deployment, by its logical name."""
    with waiting_at_most(seconds), pytest.raises(EngineFailure) as failure:
        stack.up()
    text = str(failure.value)
    reports: dict[str, str] = {}
    # A report has lines, and each error begins with the resource it is about.
    for line in text.splitlines():
        name, said, rest = line.partition(": ")
        if said and MARK in rest:
            reports[name] = ""
        if reports:
            reports[list(reports)[-1]] += f"{line}\n"
    for secret in (*stack.secrets().values(), WRITTEN):
        assert secret not in text + stack.printed
    return reports


def _run_flow(stack: RunningStack, pods: Pods) -> None:
    """A flow, started in the web server's pod, ends well."""
    api = api_of(stack, pods.ready("webserver"))
    api.import_flow(FLOW)
    execution = api.execute("company.team", "reads", {})["id"]
    ended = api.await_end(execution)
    assert ended["state"]["current"] == "SUCCESS"


def test_an_image_that_cannot_be_pulled_leaves_the_old_pods_serving(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    before, referred = _names(pods), pods.referred()
    _run_flow(stack, pods)
    # A new ConfigMap and a new Secret come with it, which the old pods have nothing to do with.
    stack.change(
        {
            "kestra:deployment": {"image": {"pull-policy": "Always"}},
            "kestra:server": {"liveness": {"timeout": "47s"}},
            "kestra:declared-secrets": {"API_TOKEN": {"generate": {"length": 52}}},
        }
    )
    reports = _refused(stack, 90)
    for component in SERVING:
        report = reports[f"kestra-{component}"]
        assert f"0 of 1 {MARK}." in report
        assert "ImagePull" in report
        assert "Old pods that go on serving: 1." in report
        assert "kestra:deployment.image (repository, tag, digest)" in report
    assert _names(pods) == before
    assert referred <= pods.objects()
    _run_flow(stack, pods)

    # An old container that is killed needs what it refers to once more.
    worker = pods.ready("worker")
    pods.signal(worker, "SIGKILL")
    assert pods.restarted(worker, 120)["exitCode"] == 137
    assert pods.ready("worker") == worker
    _run_flow(stack, pods)


def test_refused_secrets_a_refused_log_in_and_a_container_that_ends_are_named_with_their_fix(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    before, referred = _names(pods), pods.referred()
    stack.change({"kestra:deployment": {"image": None, "components": FAULTS}})
    reports = _refused(stack, 150)

    refused = reports["kestra-webserver"]
    assert "CreateContainerConfigError: couldn't find key user in Secret kestra/smtp" in refused
    assert "The Secret smtp has no key user: add it, or correct the setting" in refused
    assert "Old pods that go on serving: 1." in refused

    unprobed = reports["kestra-executor"]
    assert (
        "container kestra: ProbeFailed: Startup probe failed: HTTP probe failed with statuscode: 401"
        in unprobed
    )
    assert "kestra:endpoints.all.basic-auth" in unprobed
    assert "Old pods that go on serving: 1." in unprobed

    ended = reports["kestra-worker"]
    assert "container migration: CrashLoopBackOff: It ends with exit code 3" in ended
    assert "The end of its log before the restart:\n    has [secret]\n" in ended
    assert base64.b64encode(f"{WRITTEN}\n".encode()).decode() not in ended
    assert "Old pods that go on serving: 1." in ended

    unmounted = reports["kestra-indexer"]
    assert (
        'FailedMount: MountVolume.SetUp failed for volume "authority" : secret "authority" not found'
        in unmounted
    )
    assert "Make the Secret authority in this namespace" in unmounted
    assert "No pod serves." in unmounted

    assert _names(pods) == before
    assert referred <= pods.objects()
    _run_flow(stack, pods)


def test_a_key_that_is_added_and_settings_that_are_mended_end_the_rollout(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    before = _names(pods)
    # Kubelet goes on by itself: nothing of the web server changes.
    core: Any = pods.core
    core.patch_namespaced_secret("smtp", NAMESPACE, {"stringData": {"user": "kestra"}})
    eventually(
        lambda: [p for p in pods.ready_names("webserver") if p != before["webserver"]],
        300,
        "the pod does not start although its Secret has the key",
    )
    none = {
        "executor": {"extra-env-from": None},
        "worker": {"init-containers": None},
        "indexer": {"replicas": 0, "extra-volumes": None, "extra-volume-mounts": None},
    }
    stack.change({"kestra:deployment": {"components": none}})
    stack.up()
    now = _names(pods)
    assert not set(before.values()) & set(now.values())
    # Nothing is left of what the failed updates and the old pods had.
    own = {name for name in pods.objects() if name.startswith("kestra-")}
    assert own == pods.referred()
    _run_flow(stack, pods)
