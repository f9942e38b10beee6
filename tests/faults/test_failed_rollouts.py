"""A rollout that fails, on a real API server: the old pods keep what they refer to, and the error says what the pods say.

No container runs: pods of a node that does not exist stay as the test, in a kubelet's place, says they are.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from kubernetes import client, config, watch

from components.kubernetes.rollout import rollout_annotation
from components.kubernetes.rollout_report import MARK
from components.registrations import Registrations
from components.safeguards.error_hooks import register_error_hook
from components.safeguards.failed_rollout import RolloutWatch
from sandbox.engine.cluster_reader import PlaneReader
from sandbox.services import ControlPlane
from tests.faults.taken_support import FaultStack
from tests.plugins.cloud_support import Program

pytestmark = pytest.mark.engine

PLANTED = "pl4nted-{}-that-no-report-may-quote"
HOLD = "tests.kestra/hold"
NOWHERE = {"tests.kestra/node": "none"}
#: By their names in the cluster; a standalone Kestra and a worker.
STRATEGIES = {"web": "Recreate", "worker": "RollingUpdate"}


class Rollouts:
    """Two Deployments that share a Secret and a ConfigMap."""

    def __init__(self, plane: ControlPlane, stack: FaultStack) -> None:
        self.plane, self.stack = plane, stack
        self.space = f"t-{uuid.uuid4().hex[:8]}"
        config.load_kube_config(str(plane.kubeconfig), persist_config=False)
        self.core: Any = client.CoreV1Api()
        self.apps: Any = client.AppsV1Api()
        self.core.create_namespace({"metadata": {"name": self.space}})

    def program(self, value: str, broken: bool) -> Program:
        """The program of an update, as `components.program.deploy` runs it.

        Args:
            value: of the Secret and the ConfigMap.
            broken: whether no node takes the worker's new pod.
        """

        def run() -> None:
            registrations, reader = Registrations(), PlaneReader(self.plane)
            registrations.follow()
            register_error_hook(reader)
            rollouts = RolloutWatch(reader)
            rollouts.follow()

            async def finish() -> None:
                await registrations.answered()
                await rollouts.end()

            pulumi.run(finish)
            self._resources(value, broken)

        return run

    def _resources(self, value: str, broken: bool) -> None:
        metadata: Any = {"namespace": self.space}
        secret = kubernetes.core.v1.Secret(
            "secret",
            metadata=metadata,
            string_data={"A": pulumi.Output.secret(PLANTED.format(value))},
            immutable=True,
        )
        configuration = kubernetes.core.v1.ConfigMap(
            "configuration", metadata=metadata, data={"a": value}, immutable=True
        )
        sources = [
            {"secretRef": {"name": secret.metadata.name}},
            {"configMapRef": {"name": configuration.metadata.name}},
        ]
        for name, strategy in STRATEGIES.items():
            fails = broken and name == "worker"
            spec: Any = {
                "replicas": 1,
                "strategy": {"type": strategy},
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {
                        "nodeSelector": NOWHERE if fails else {},
                        "containers": [
                            {"name": "kestra", "image": "example.com/none:1", "envFrom": sources}
                        ],
                    },
                },
            }
            seconds = "12s" if fails else "300s"
            named: Any = {**metadata, "name": name, "annotations": rollout_annotation(1)}
            kubernetes.apps.v1.Deployment(
                name,
                metadata=named,
                spec=spec,
                opts=pulumi.ResourceOptions(
                    custom_timeouts=pulumi.CustomTimeouts(create=seconds, update=seconds)
                ),
            )

    def up(self, value: str, *, broken: bool = False, goes_on: bool = True) -> str:
        """An update; the engine's errors."""
        return self.stack.act("up", self.program(value, broken), continue_on_error=goes_on)

    @property
    def report(self) -> str:
        """What the last update said of pods. The provider's own words are the sandbox's to redact, where it runs."""
        (report,) = (error for error in self.stack.errors if MARK in error)
        return report

    def pods(self, name: str) -> list[Any]:
        """The pods of a Deployment, oldest first."""
        pods = self.core.list_namespaced_pod(self.space, label_selector=f"app={name}").items
        return sorted(pods, key=lambda pod: pod.metadata.creation_timestamp)

    def referred(self, pod: Any) -> tuple[str, str]:
        """Secret and ConfigMap of a pod."""
        secret, configuration = pod.spec.containers[0].env_from
        return secret.secret_ref.name, configuration.config_map_ref.name

    def objects(self) -> tuple[set[str], set[str]]:
        """The names of the Secrets and ConfigMaps that there are."""
        secrets = self.core.list_namespaced_secret(self.space).items
        maps = self.core.list_namespaced_config_map(self.space).items
        named = [{o.metadata.name for o in listed} for listed in (secrets, maps)]
        return named[0], named[1] - {"kube-root-ca.crt"}

    def history(self, listing: Any, since: str) -> list[tuple[int, str, Any]]:
        """What happened to objects of a kind since then: the server's own order, what, and the object."""
        events: Any = watch.Watch().stream(
            listing, self.space, resource_version=since, timeout_seconds=2
        )
        return [
            (int(e["object"].metadata.resource_version), e["type"], e["object"]) for e in events
        ]


@pytest.fixture
def rollouts(
    control_plane: ControlPlane, tools: dict[str, Path], tmp_path: Path
) -> Iterator[Rollouts]:
    environment = {"KUBECONFIG": str(control_plane.kubeconfig)}
    stack = FaultStack(tmp_path, tools["pulumi"], ["kubernetes"], environment)
    started = Rollouts(control_plane, stack)
    yield started
    started.core.delete_namespace(started.space)


def test_a_failed_rollout_keeps_what_the_old_pods_refer_to_until_one_succeeds(
    rollouts: Rollouts,
) -> None:
    assert not rollouts.up("1")
    (old,) = rollouts.pods("worker")
    before = rollouts.referred(old)
    assert rollouts.objects() == ({before[0]}, {before[1]})

    # No node takes the new pod: the scheduler's own words.
    assert rollouts.up("2", broken=True)
    assert rollouts.report.startswith("worker: 0 of 1 new pods are ready.\n")
    assert "Unschedulable: 0/1 nodes are available" in rollouts.report
    assert "Old pods that go on serving: 1." in rollouts.report
    assert (
        "worker: 0 of 1 new pods ready (Unschedulable), 1 old ones serve" in rollouts.stack.console
    )
    secrets, maps = rollouts.objects()
    assert before[0] in secrets
    assert before[1] in maps

    # As the sandbox does after an update that failed. The kubelet cannot pull the image, and quotes a secret.
    _, new = rollouts.pods("worker")
    _say(rollouts, new, "ImagePullBackOff", f'Back-off pulling "x" with {PLANTED.format(2)}')
    assert rollouts.up("2", broken=True, goes_on=False)
    report = rollouts.report
    assert f"Pod {new.metadata.name}, container kestra: ImagePullBackOff: Back-off" in report
    assert "kestra:deployment.image" in report
    assert "[secret]" in report
    assert PLANTED.format(2) not in report
    secrets, maps = rollouts.objects()
    assert before[0] in secrets
    assert before[1] in maps
    assert rollouts.pods("worker")[0].metadata.uid == old.metadata.uid

    # The mended one: the old pod of the Recreate Deployment takes a while to end.
    (ending,) = rollouts.pods("web")
    finalized = {"metadata": {"finalizers": [HOLD]}}
    rollouts.core.patch_namespaced_pod(ending.metadata.name, rollouts.space, finalized)
    since = rollouts.core.list_namespaced_secret(rollouts.space).metadata.resource_version
    release = _Release(rollouts, ending.metadata.name)
    errors = release.during(lambda: rollouts.up("3"))
    assert not errors
    assert release.newer == []
    now = rollouts.referred(rollouts.pods("web")[0])
    assert rollouts.objects() == ({now[0]}, {now[1]})

    rolled = [
        min(at for at, _, live in rollouts.history(rollouts.apps.list_namespaced_deployment, since)
            if live.metadata.name == name and _is_rolled(live, now[0]))
        for name in STRATEGIES
    ]  # fmt: skip
    gone = [
        at
        for listing in (
            rollouts.core.list_namespaced_secret,
            rollouts.core.list_namespaced_config_map,
        )
        for at, what, _ in rollouts.history(listing, since)
        if what == "DELETED"
    ]
    ended = [
        at
        for at, what, pod in rollouts.history(rollouts.core.list_namespaced_pod, since)
        if what == "DELETED" and pod.metadata.name == ending.metadata.name
    ]
    # Two updates' leftovers of each kind, after every Deployment's rollout; that of `web` after its old pod's end.
    assert len(gone) == 4
    assert min(gone) > max(rolled)
    assert rolled[0] > ended[0]


class _Release:
    """Lets a pod end a while after it was asked to, and notes which others of its Deployment there are then."""

    def __init__(self, rollouts: Rollouts, name: str) -> None:
        self._rollouts, self._name = rollouts, name
        self.newer: list[str] = []

    def during(self, act: Any) -> str:
        done = threading.Event()

        def let_go() -> None:
            api: Any = client.CoreV1Api(
                config.new_client_from_config(str(self._rollouts.plane.kubeconfig))
            )
            space = self._rollouts.space
            while not done.wait(0.2):
                if api.read_namespaced_pod(self._name, space).metadata.deletion_timestamp:
                    break
            time.sleep(3)
            pods = api.list_namespaced_pod(space, label_selector="app=web").items
            self.newer = [p.metadata.name for p in pods if p.metadata.name != self._name]
            body = [{"op": "remove", "path": "/metadata/finalizers"}]
            api.patch_namespaced_pod(self._name, space, body)

        thread = threading.Thread(target=let_go, daemon=True)
        thread.start()
        try:
            return act()
        finally:
            done.set()
            thread.join(30)


def _say(rollouts: Rollouts, pod: Any, reason: str, message: str) -> None:
    """A kubelet's report of a container that does not start."""
    waiting = {"reason": reason, "message": message}
    status = {
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [
            {
                "name": "kestra",
                "image": "example.com/none:1",
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": {"waiting": waiting},
            }
        ],
    }
    rollouts.core.patch_namespaced_pod_status(pod.metadata.name, rollouts.space, {"status": status})


def _is_rolled(live: Any, secret: str) -> bool:
    """Whether all pods of a Deployment refer to a Secret and are available."""
    status = live.status
    counts = (status.replicas, status.updated_replicas, status.available_replicas)
    names = live.spec.template.spec.containers[0].env_from[0].secret_ref.name == secret
    return names and status.observed_generation == live.metadata.generation and counts == (1, 1, 1)
