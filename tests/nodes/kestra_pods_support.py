"""A stack whose pods run Kestra, brought up by the sandbox's command line; and what is done to its containers."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import pulumi
import pytest
import yaml
from kubernetes import client
from rich.console import Console

from components.kubernetes import deployment
from components.settings.deployment import COMPONENTS_1
from sandbox.check import read_back
from sandbox.cli import Sandbox
from sandbox.errors import SandboxError
from sandbox.nodes import REAL, machine_needs
from sandbox.nodes.control_plane import RealControlPlane
from sandbox.nodes.kestra_api import CONTAINER, KestraApi, KestraPod
from sandbox.nodes.pods import Answer, api_client, execute, log, running_pods
from sandbox.state import State
from tests.conftest import ROOT

NAMESPACE = "kestra"
#: A machine that others use too may need minutes for the start of one Kestra.
START_SECONDS = 600
#: An archive of Kestra's own image, which the tests then ask the same (docs/real-pods.md).
IMAGE = Path(os.environ["KESTRA_IMAGE"]).resolve() if os.environ.get("KESTRA_IMAGE") else None
SLEEPS = """
id: sleeps
namespace: company.team
tasks:
  - {id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT25S}
  - {id: after, type: io.kestra.plugin.core.log.Log, message: slept enough}
"""
_CONTAINERD = ("ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io")

T = TypeVar("T")


def require_machine() -> None:
    """Skips the test, with what is missing, where no pod can run."""
    try:
        machine_needs.require()
    except SandboxError as error:
        pytest.skip(str(error))


def require_stand_in() -> None:
    """Skips what only the sandbox's own image tells."""
    if IMAGE is not None:
        pytest.skip("Kestra's own image does not say what it bound, nor that it is a stand-in.")


def eventually(question: Callable[[], T], seconds: float, what: str) -> T:
    """The first answer that is true; fails with `what` when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
    return answer


class RunningStack:
    """A stack in a state folder of its own.

    Args:
        folder: of the state and the stack file.
        base: the stack file that the settings are of.
        changes: settings that it has besides, `kestra:version: "2.0"`; a mapping is merged into the one that is there,
            and None takes a key away.
    """

    def __init__(self, folder: Path, base: str, changes: Mapping[str, Any] | None = None) -> None:
        self.name, self.folder = base, folder
        self._stacks = folder / "stacks"
        self._stacks.mkdir(parents=True)
        self._document = _document(base)
        self.console = Console(file=io.StringIO(), width=200)
        self.sandbox = Sandbox(
            State.at(folder / "state"),
            self.console,
            offline=True,
            stacks=self._stacks,
            policy=False,
        )
        self.change(changes or {})

    def change(self, changes: Mapping[str, Any]) -> None:
        """Changes settings in the stack file; the next `up` takes them."""
        config = self._document["config"]
        for key, value in changes.items():
            config[key] = _merged(config.get(key), value)
        text = yaml.safe_dump(self._document, sort_keys=False)
        (self._stacks / f"Pulumi.{self.name}.yaml").write_text(text)

    def up(self) -> str:
        """Brings the stack up on real nodes; what was printed."""
        self.sandbox.state.create()
        self.sandbox.up(self.name, nodes=REAL, image=IMAGE)
        return self.printed

    @property
    def printed(self) -> str:
        """Everything that the commands have printed."""
        file = self.console.file
        assert isinstance(file, io.StringIO)
        return file.getvalue()

    @property
    def plane(self) -> RealControlPlane:
        """The control plane, which runs."""
        plane = self.sandbox.ready(self.name, self.sandbox.settings(self.name)).plane
        assert isinstance(plane, RealControlPlane)
        return plane

    def secrets(self) -> dict[str, str]:
        """Every value that the pods get as a secret."""
        stack = self.sandbox.ready(self.name, self.sandbox.settings(self.name))
        outputs = {name: output.value for name, output in stack.outputs().items()}
        return read_back(stack.plane, outputs)[1]


class Pods:
    """Kestra's pods in a cluster with a real node."""

    def __init__(self, plane: RealControlPlane, api: client.ApiClient) -> None:
        self.plane, self.core = plane, client.CoreV1Api(api)
        self._api = api

    def all(self) -> list[dict[str, Any]]:
        """The pods as the API server has them, the oldest first."""
        pods = self.core.list_namespaced_pod(
            NAMESPACE, label_selector="app.kubernetes.io/component"
        )
        serialized: Any = self._api.sanitize_for_serialization(pods)
        return sorted(serialized["items"], key=lambda pod: pod["metadata"]["creationTimestamp"])

    def ready(self, component: str = "standalone") -> KestraPod:
        """The one ready pod of a component, once there is one and no other."""

        def only() -> list[str]:
            here = self.ready_names(component)
            return here if len(here) == 1 else []

        (name,) = eventually(only, START_SECONDS, f"no ready pod of {component}")
        return KestraPod(self.plane.kubeconfig, NAMESPACE, name, component)

    def ready_names(self, component: str) -> list[str]:
        """The ready pods of a component."""
        every = running_pods(self.plane.kubeconfig, NAMESPACE)
        return [name for name, own in every if own == component]

    def referred(self) -> set[str]:
        """The stack's ConfigMaps and Secrets that the pods refer to which nobody has asked to end."""
        names: set[str] = set()
        for pod in (one for one in self.all() if "deletionTimestamp" not in one["metadata"]):
            (kestra,) = (c for c in pod["spec"]["containers"] if c["name"] == CONTAINER)
            references = [source.get("secretRef") for source in kestra["envFrom"]]
            references += [volume.get("configMap") for volume in pod["spec"]["volumes"]]
            names |= {one["name"] for one in references if one}
        return {name for name in names if name.startswith("kestra-")}

    def objects(self) -> set[str]:
        """The names of the ConfigMaps and Secrets that there are."""
        core: Any = self.core
        listed = (core.list_namespaced_config_map, core.list_namespaced_secret)
        return {one.metadata.name for every in listed for one in every(NAMESPACE).items}

    def run(self, pod: KestraPod, script: str, *, stdin: str | None = None) -> Answer:
        """Runs a script in Kestra's container."""
        command = ["/bin/bash", "-c", script]
        return execute(self.plane.kubeconfig, NAMESPACE, pod.name, CONTAINER, command, stdin=stdin)

    def status(self, pod: KestraPod) -> dict[str, Any]:
        """The status of Kestra's container."""
        return self._status(pod.name)

    def _status(self, pod: str) -> dict[str, Any]:
        read: Any = self.core.read_namespaced_pod(pod, NAMESPACE)
        serialized: Any = self._api.sanitize_for_serialization(read)
        statuses = serialized["status"]["containerStatuses"]
        return next(one for one in statuses if one["name"] == CONTAINER)

    def last_end(self, pod: str) -> dict[str, Any]:
        """How Kestra's container ended last."""
        status = self._status(pod)
        ended = status["state"].get("terminated") or status["lastState"]["terminated"]
        return ended

    def signal(self, pod: KestraPod, name: str) -> None:
        """Sends a signal to process 1 of Kestra's container, from the node."""
        container = self.status(pod)["containerID"].removeprefix("containerd://")
        self.plane.node.run(*_CONTAINERD, "tasks", "kill", "--signal", name, container)

    def fill_memory(self, pod: KestraPod) -> dict[str, Any]:
        """How Kestra's container ended, once the kernel has killed Java for memory and kubelet has started it again."""
        # The limit counts all processes of the container. The kernel ends the one with most memory and the highest
        # score, which is Java beside many small ones.
        eaters = "for i in {1..30}; do { head -c 90M /dev/zero; sleep 60; } | tail -c 90M >/dev/null & done; wait"
        with contextlib.suppress(SandboxError):
            self.run(pod, f"echo 1000 > /proc/1/oom_score_adj; {eaters}")
        return self.restarted(pod, 120)

    def log(self, pod: KestraPod, *, previous: bool = False) -> str:
        """What Kestra's container has printed."""
        return log(self.plane.kubeconfig, NAMESPACE, pod.name, CONTAINER, previous=previous)

    def delete(self, pod: KestraPod) -> None:
        """Asks a pod to end."""
        self.core.delete_namespaced_pod(pod.name, NAMESPACE)

    def is_gone(self, pod: KestraPod) -> bool:
        """Whether there is no such pod any more."""
        return pod.name not in [one["metadata"]["name"] for one in self.all()]

    def restarted(self, pod: KestraPod, seconds: float) -> dict[str, Any]:
        """The state in which Kestra's container ended, once it has been started again."""
        eventually(lambda: self.status(pod)["restartCount"] > 0, seconds, "no restart")
        return self.status(pod)["lastState"]["terminated"]


def api_of(stack: RunningStack, pod: KestraPod) -> KestraApi:
    """The API of a pod with a web server, with the stack's log-in."""
    password = stack.secrets()["STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD"]
    return KestraApi(pod, 8080, "", "admin@kestra.io", password)


def run_sleeping_task(api: KestraApi) -> str:
    """Starts a flow; the id of its execution, once its first task runs, which sleeps."""
    api.import_flow(SLEEPS)
    execution = api.execute("company.team", "sleeps", {})["id"]

    def runs() -> bool:
        tasks = api.await_end(execution, 0).get("taskRunList") or ()
        return any(task["state"]["current"] == "RUNNING" for task in tasks)

    eventually(runs, 60, "the task does not run")
    return execution


def settings_of(other: str, *keys: str, instead_of: str) -> dict[str, Any]:
    """Settings of one stack file as changes of another one.

    Args:
        other: the stack file that has them.
        keys: `datasources`, `queue`; each is taken whole.
        instead_of: the stack file that is changed.
    """
    new, old = _document(other)["config"], _document(instead_of)["config"]
    return {name: dict.fromkeys(old[name]) | new[name] for name in (f"kestra:{k}" for k in keys)}


def distributed(*components: str) -> dict[str, Any]:
    """Changes of the stack `local`: the distributed mode, over the database that the sandbox brings.

    Args:
        components: those that have a pod; the others have none.
    """
    return {
        **settings_of("local-vault", "datasources", "queue", "repository", instead_of="local"),
        "kestra:deployment": {
            "mode": "distributed",
            "environment-from": ["kestra-platform"],
            "storage-volume": {"size": "1Gi"},
            "components": {
                name: {"replicas": int(name in components)} for name in (*COMPONENTS_1, *components)
            },
        },
    }


@contextmanager
def waiting_at_most(seconds: int) -> Iterator[None]:
    """Shortens the minutes for which updates wait for a Deployment, where they wait in vain."""
    short = pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")
    with mock.patch.object(deployment, "rollout_timeouts", return_value=short):
        yield


@contextmanager
def running_stack(
    folder: Path,
    base: str = "local",
    changes: Mapping[str, Any] | None = None,
) -> Iterator[tuple[RunningStack, Pods]]:
    """A stack that is up on a real node of its own, and its pods; ended whatever happens.

    Args:
        folder: of its state.
        base: the stack file that the settings are of.
        changes: settings that it has besides.
    """
    require_machine()
    stack = RunningStack(folder, base, changes)
    try:
        stack.up()
        plane = stack.plane
        with api_client(plane.kubeconfig) as api:
            yield stack, Pods(plane, api)
    finally:
        stack.sandbox.down(purge=True)


def _document(stack: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())


def _merged(present: Any, value: Any) -> Any:
    if isinstance(present, dict) and isinstance(value, Mapping):
        merged = present | {key: _merged(present.get(key), one) for key, one in value.items()}
        return {key: one for key, one in merged.items() if one is not None}
    return value
