"""Objects of a namespace with a rollout in it, as an API server lists them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

NAME, SPACE = "kestra-worker", "kestra"
LABELS = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/component": "worker"}
NEW, OLD = "new", "old"
_CONTAINER = {
    "name": "kestra",
    "image": "kestra/kestra:v1.3.31",
    "envFrom": [{"secretRef": {"name": "kestra-secret-0a1b2c3d"}}],
    "resources": {"limits": {"memory": "2Gi"}},
}


def template(name: str = NEW) -> dict[str, Any]:
    """The pod template of an update; each has a Secret of its own."""
    container = copy.deepcopy(_CONTAINER)
    container["envFrom"] = [{"secretRef": {"name": f"kestra-secret-{name}"}}]
    return {"metadata": {"labels": dict(LABELS)}, "spec": {"containers": [container]}}


def deployment(
    replicas: int = 1, strategy: str = "RollingUpdate", observed: int = 2, **more: Any
) -> dict[str, Any]:
    """A Deployment whose newest template is that of `NEW`."""
    return {
        "kind": "Deployment",
        "metadata": {"name": NAME, "uid": "d", "generation": 2},
        "spec": {
            "replicas": replicas,
            "strategy": {"type": strategy},
            "template": template(),
            **more,
        },
        "status": {"observedGeneration": observed},
    }


def replica_set(name: str) -> dict[str, Any]:
    """The ReplicaSet of a template."""
    owned = template(name)
    owned["metadata"]["labels"]["pod-template-hash"] = name
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": f"{NAME}-{name}", "uid": name, "ownerReferences": [{"uid": "d"}]},
        "spec": {"template": owned},
    }


def pod(
    of: str = NEW,
    container: dict[str, Any] | None = None,
    number: int = 1,
    ready: bool = False,
    deleted: bool = False,
    **status: Any,
) -> dict[str, Any]:
    """A pod of a ReplicaSet.

    Args:
        of: `NEW` or `OLD`.
        container: status of its one container.
        number: tells pods apart.
        ready: whether it is.
        deleted: whether it was asked to end.
        status: more of its status.
    """
    name = f"{NAME}-{of}-{number}"
    metadata: dict[str, Any] = {
        "name": name,
        "uid": name,
        "labels": dict(LABELS),
        "ownerReferences": [{"uid": of}],
    }
    if deleted:
        metadata |= {"deletionTimestamp": "2026-11-29T00:00:00Z", "deletionGracePeriodSeconds": 360}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    statuses = [{"name": "kestra", "restartCount": 0, **container}] if container else []
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": template(of)["spec"],
        "status": {"conditions": conditions, "containerStatuses": statuses, **status},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """Status of a container that waits."""
    return {"ready": False, "state": {"waiting": {"reason": reason, "message": message}}}


def killed(reason: str, code: int, restarts: int = 3) -> dict[str, Any]:
    """Status of a container that ended again and again."""
    return {
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"reason": reason, "exitCode": code}},
    }


def started_again(code: int, name: str = "kestra") -> dict[str, Any]:
    """Status of a container that ended once and runs again."""
    ending = {"reason": "Error", "exitCode": code}
    return {
        "name": name,
        "ready": False,
        "restartCount": 1,
        "state": {"running": {}},
        "lastState": {"terminated": ending},
    }


def event(
    about: str,
    reason: str,
    message: str,
    count: int = 1,
    at: str = "2026-11-29T00:00:00Z",
    container: str = "kestra",
) -> dict[str, Any]:
    """A warning."""
    return {
        "kind": "Event",
        "type": "Warning",
        "metadata": {"creationTimestamp": at},
        "involvedObject": {"uid": about, "fieldPath": f"spec.containers{{{container}}}"},
        "reason": reason,
        "message": message,
        "count": count,
        "lastTimestamp": at,
    }


class Cluster:
    """A `ClusterReader` of one namespace."""

    def __init__(
        self,
        objects: Sequence[dict[str, Any]],
        log: str = "",
        secrets: dict[str, list[str]] | None = None,
        error: Exception | None = None,
    ) -> None:
        self.items, self.text, self.secrets, self.error = list(objects), log, secrets or {}, error
        self.asked: list[tuple[str, ...]] = []

    def objects(self, namespace: str) -> list[Any]:
        if self.error:
            raise self.error
        return self.items

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        self.asked.append((pod, container, "previous" if previous else "current"))
        return "\n".join(self.text.splitlines()[-lines:])

    def secret_values(self, namespace: str, names: Sequence[str]) -> list[str]:
        return [value for name in names for value in self.secrets.get(name, ())]
