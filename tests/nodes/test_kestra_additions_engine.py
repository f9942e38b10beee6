"""What settings add to real pods: volumes, other containers, worker groups; and the roll after a rotation in Vault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from components.kubernetes.pods import USER
from components.settings.deployment import COMPONENTS_1, DEFAULT_TAGS
from sandbox.nodes.pods import execute
from tests.nodes.kestra_pods_support import (
    NAMESPACE,
    Pods,
    RunningStack,
    eventually,
    require_stand_in,
    running_stack,
    settings_of,
)
from tests.nodes.vault_pods_support import VaultFromPod
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

IMAGE = f"registry.kestra.io/docker/kestra-ee:{DEFAULT_TAGS['1.3']}"
GROUP = "worker-gpu"
SECRET = "kestra/data/main/company/team/billing/API_TOKEN"
VERSIONS = "kestra.pulumi/secret-versions"
#: Writes the time into a shared volume every second, and ends when it is asked to.
CLOCK = 'trap "exit 0" TERM; while :; do date +%s >/shared/$0; sleep 1 & wait $!; done'


def _clock(name: str) -> dict[str, Any]:
    probe = {"exec": {"command": ["/bin/bash", "-c", f"[ -s /shared/{name} ]"]}}
    return {
        "name": name,
        "image": IMAGE,
        "command": ["/bin/bash", "-c", CLOCK, name],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
        "startupProbe": probe | {"periodSeconds": 1, "failureThreshold": 120},
    }


#: Beside the web server's container.
ADDED: dict[str, Any] = {
    "extra-volumes": [
        {"name": "shared", "emptyDir": {}},
        {"name": "authority", "secret": {"secretName": "authority"}},
        {"name": "words", "configMap": {"name": "words"}},
    ],
    "extra-volume-mounts": [
        {"name": "shared", "mountPath": "/app/shared"},
        {"name": "authority", "mountPath": "/app/authority", "readOnly": True},
        {"name": "words", "mountPath": "/app/words", "readOnly": True},
    ],
    "init-containers": [_clock("before") | {"restartPolicy": "Always"}],
    "extra-containers": [_clock("beside")],
}


def _changes() -> dict[str, Any]:
    components = {name: {"replicas": int(name == "webserver")} for name in COMPONENTS_1}
    return {
        **settings_of("local", "storage", instead_of="local-vault"),
        "kestra:deployment": {
            "namespace": NAMESPACE,
            "storage-volume": {"size": "1Gi"},
            "components": components,
            "worker-groups": {"gpu": {"replicas": 1}},
        },
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, Pods]]:
    """The stack `local-vault` with a web server and the worker of a group."""
    require_stand_in()
    folder = tmp_path_factory.mktemp("pods")
    with running_stack(folder, "local-vault", _changes()) as (stack, pods):
        core: Any = pods.core
        named = {"metadata": {"name": "authority"}, "stringData": {"ca.crt": "an authority"}}
        core.create_namespaced_secret(NAMESPACE, named)
        core.create_namespaced_config_map(
            NAMESPACE, {"metadata": {"name": "words"}, "data": {"word": "open"}}
        )
        yield stack, pods


def _deployment(pods: Pods, component: str) -> Any:
    apps: Any = client.AppsV1Api(pods.core.api_client)
    return apps.read_namespaced_deployment(f"kestra-{component}", NAMESPACE)


def test_the_worker_of_a_group_starts_with_an_account_of_its_own_that_reads_what_kestra_reads(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    vault = VaultFromPod(stack, pods, GROUP)
    (pod,) = (one for one in pods.all() if one["metadata"]["name"] == pods.ready(GROUP).name)
    assert pod["spec"]["serviceAccountName"] == "kestra-worker-gpu"
    (kestra,) = pod["spec"]["containers"]
    assert "--worker-group=gpu" in kestra["args"]
    assert "WORKER RUNNING" in pods.log(pods.ready(GROUP))
    assert vault.subject() == f"system:serviceaccount:{NAMESPACE}:kestra-worker-gpu"
    assert (
        VaultFromPod(stack, pods, "webserver").subject()
        == f"system:serviceaccount:{NAMESPACE}:kestra"
    )
    status, answer = vault.log_in(vault.own_token())
    assert status == 200, answer
    status, answer = vault.read(SECRET, answer["auth"]["client_token"])
    assert status == 200, answer
    assert answer["data"]["data"]["value"] == vault.values["declared-secrets.API_TOKEN"]


def test_a_rotated_secret_of_the_store_rolls_the_pods_that_read_it_and_no_others(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    readers = ("webserver", GROUP)
    before = {name: pods.ready(name).name for name in readers}
    denied = _deployment(pods, "executor")
    old = VaultFromPod(stack, pods, GROUP).values["declared-secrets.API_TOKEN"]
    stack.change(
        {
            "kestra:declared-secrets": {"API_TOKEN": {"generate": {"rotation": "2026-11"}}},
            "kestra:deployment": {"components": {"webserver": ADDED}},
        }
    )
    stack.up()
    assert all(pods.ready(name).name != before[name] for name in readers)
    # Kestra denies the executor the secrets of its store.
    now = _deployment(pods, "executor")
    assert now.metadata.generation == denied.metadata.generation
    assert (
        _deployment(pods, GROUP).spec.template.metadata.annotations[VERSIONS]
        != now.spec.template.metadata.annotations[VERSIONS]
    )
    for name in readers:
        vault = VaultFromPod(stack, pods, name)
        status, answer = vault.log_in(vault.own_token())
        assert status == 200, answer
        status, answer = vault.read(SECRET, answer["auth"]["client_token"])
        assert status == 200, answer
        value = answer["data"]["data"]["value"]
        assert value == vault.values["declared-secrets.API_TOKEN"] != old
        assert value not in stack.printed


def test_volumes_of_the_settings_have_their_files_and_modes(
    running: tuple[RunningStack, Pods],
) -> None:
    _, pods = running
    pod = pods.ready("webserver")
    answer = pods.run(pod, "cat /app/authority/ca.crt /app/words/word; touch /app/authority/x")
    assert answer.out == "an authorityopen"
    assert "Read-only file system" in answer.err
    shown = pods.run(pod, "stat -L -c '%a %g' /app/authority/ca.crt").out
    assert shown == f"440 {USER}\n"
    assert pods.run(pod, "cat /app/shared/before /app/shared/beside").code == 0


@pytest.mark.parametrize("name", ["before", "beside"])
def test_other_containers_run_beside_kestra_without_any_power(
    running: tuple[RunningStack, Pods], name: str
) -> None:
    _, pods = running
    pod = pods.ready("webserver")
    script = "cat /proc/1/status; : 2>/dev/null >/app/written || echo refused"
    answer = execute(pods.plane.kubeconfig, NAMESPACE, pod.name, name, ["/bin/bash", "-c", script])
    lines = answer.out.splitlines()
    status = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
    assert status["Uid"] == [str(USER)] * 4
    assert status["NoNewPrivs"] == ["1"]
    assert status["Seccomp"] == ["2"]
    assert {int(status[set_][0], 16) for set_ in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert lines[-1] == "refused"


def test_an_init_container_that_stays_runs_before_kestra_and_a_pod_with_others_ends_in_time(
    running: tuple[RunningStack, Pods],
) -> None:
    _, pods = running
    pod = pods.ready("webserver")
    (live,) = (one for one in pods.all() if one["metadata"]["name"] == pod.name)
    started = {
        one["name"]: one["state"]["running"]["startedAt"]
        for one in [*live["status"]["initContainerStatuses"], *live["status"]["containerStatuses"]]
        if "running" in one["state"]
    }
    assert started["before"] < started["kestra"]
    assert "beside" in started
    pods.delete(pod)
    eventually(lambda: pods.is_gone(pod), 120, "the other containers keep the pod")
