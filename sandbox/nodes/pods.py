"""Pods of a cluster whose containers run: commands in them, and what they say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.stream import stream

from sandbox.errors import SandboxError

_COMPONENT = "app.kubernetes.io/component"


class Answer(NamedTuple):
    """What a command in a container left."""

    code: int
    """Its exit code."""
    out: str
    err: str


@contextmanager
def api_client(kubeconfig: Path) -> Iterator[client.ApiClient]:
    """A client of the cluster that a kubeconfig names, whatever proxies the environment has."""
    api = new_client_from_config(str(kubeconfig))
    api.configuration.proxy = None
    with api:
        yield api


def execute(
    kubeconfig: Path,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    *,
    stdin: str | None = None,
    seconds: float = 60,
) -> Answer:
    """Runs a command in a container, as `kubectl exec` does.

    Args:
        kubeconfig: of the cluster.
        namespace: of the pod.
        pod: its name.
        container: its name.
        command: program and arguments.
        stdin: what the command reads; it stays open, so the command has to know where it ends.
        seconds: how long it may take.

    Raises:
        SandboxError: when the container does not run, or the time is over; holds nothing that the command printed.
    """
    with api_client(kubeconfig) as api:
        try:
            answer = stream(
                client.CoreV1Api(api).connect_get_namespaced_pod_exec,
                pod,
                namespace,
                container=container,
                command=list(command),
                stdin=stdin is not None,
                stdout=True,
                stderr=True,
                tty=False,
                _preload_content=False,
            )
        except ApiException as error:
            raise SandboxError(
                f"Container {container} of pod {pod} runs no command: {said(error)}"
            ) from None
        if stdin is not None:
            answer.write_stdin(stdin)
        answer.run_forever(timeout=seconds)
        if answer.is_open():
            answer.close()
            raise SandboxError(f"{command[0]} in pod {pod} has not ended after {seconds:.0f} s.")
        return Answer(
            answer.returncode, answer.read_stdout(timeout=0), answer.read_stderr(timeout=0)
        )


def running_pods(kubeconfig: Path, namespace: str) -> list[tuple[str, str]]:
    """Name and component of Kestra's pods that are ready, and not about to end.

    Args:
        kubeconfig: of the cluster.
        namespace: of the pods.
    """
    with api_client(kubeconfig) as api:
        pods = client.CoreV1Api(api).list_namespaced_pod(namespace, label_selector=_COMPONENT)
        serialized: Any = api.sanitize_for_serialization(pods)
    return sorted(
        (pod["metadata"]["name"], pod["metadata"]["labels"][_COMPONENT])
        for pod in serialized["items"]
        if "deletionTimestamp" not in pod["metadata"]
        and any(
            one["type"] == "Ready" and one["status"] == "True"
            for one in pod["status"].get("conditions", ())
        )
    )


def replace_pods(kubeconfig: Path, namespace: str, before: datetime, seconds: float = 900) -> None:
    """Ends Kestra's pods that were there before a moment, and waits until as many others are ready.

    Args:
        kubeconfig: of the cluster.
        namespace: of the pods.
        before: the moment, with its time zone.
        seconds: how long the old ones may take to end and the others to get ready.

    Raises:
        SandboxError: when they are not ready in time.
    """
    deadline = time.monotonic() + seconds
    with api_client(kubeconfig) as api:
        core: Any = client.CoreV1Api(api)
        listed = core.list_namespaced_pod(namespace, label_selector=_COMPONENT).items
        old = {p.metadata.name for p in listed if p.metadata.creation_timestamp < before}
        for name in old:
            core.delete_namespaced_pod(name, namespace)
    while old and len({name for name, _ in running_pods(kubeconfig, namespace)} - old) < len(old):
        if time.monotonic() > deadline:
            raise SandboxError(
                f"The pods with the other image are not ready after {seconds:.0f} s: "
                f"kubectl --kubeconfig {kubeconfig} --namespace {namespace} describe pods"
            )
        time.sleep(1)


def log(
    kubeconfig: Path, namespace: str, pod: str, container: str, *, previous: bool = False
) -> str:
    """What a container has printed.

    Args:
        kubeconfig: of the cluster.
        namespace: of the pod.
        pod: its name.
        container: its name.
        previous: of the container that ran before the last restart.

    Raises:
        SandboxError: when there is no such log.
    """
    with api_client(kubeconfig) as api:
        try:
            return client.CoreV1Api(api).read_namespaced_pod_log(
                pod, namespace, container=container, previous=previous
            )
        except ApiException as error:
            raise SandboxError(f"Pod {pod} has no log: {said(error)}") from None


def said(error: ApiException) -> str:
    """What the API server says of a request that it refuses."""
    try:
        return json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        return (error.reason or f"HTTP {error.status}").strip()
