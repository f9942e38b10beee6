"""Waiting for objects to become ready, and to be gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.providers.kubernetes import readiness, wait_for
from sandbox.providers.kubernetes.client import ApiError, Client, NoSuchKind
from sandbox.providers.kubernetes.naming import Kind, namespace, object_name
from sandbox.providers.kubernetes.readiness import Readiness

DEFAULT_TIMEOUT = 600.0
"""Seconds that an object may take to become ready, unless asked otherwise."""
DELETE_TIMEOUT = 300.0
"""Seconds that a deletion may take (600 for Deployments and StatefulSets)."""
SETTLE = 2.0
"""Seconds for which a Service's endpoints must stay; the official plugin waits 10."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_REPLICA_SET = Kind("apps", "v1", "ReplicaSet")
_POD = Kind("", "v1", "Pod")
_EVENT = Kind("", "v1", "Event")
_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice")
_STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass")

Report = Callable[[str], None]


class NotReady(Exception):
    """The object is there but did not become ready; ``reasons`` say why."""

    def __init__(self, text: str, live: dict[str, Any], reasons: tuple[str, ...]) -> None:
        super().__init__(text)
        self.live = live
        self.reasons = reasons


def check(client: Client, kind: Kind, live: dict[str, Any]) -> Readiness:
    """How ready an object is at this moment."""
    key = str(kind)
    space = namespace(live)
    if key == "apps/v1/Deployment":
        return readiness.deployment(live, client.list(_REPLICA_SET, space))
    if key == "v1/Service":
        slices = []
        if readiness.needs_endpoints(live):
            label = f"kubernetes.io/service-name={object_name(live)}"
            slices = client.list(_SLICE, space, labelSelector=label)
        return readiness.service(live, slices)
    if key == "v1/PersistentVolumeClaim":
        return readiness.volume_claim(live, _waits_for_consumer(client, live))
    rule = readiness.SIMPLE.get(key)
    return rule(live) if rule else readiness.READY


def _waits_for_consumer(client: Client, claim: Mapping[str, Any]) -> bool:
    name = (claim.get("spec") or {}).get("storageClassName")
    if not name:
        return False
    try:
        current = client.get(_STORAGE_CLASS, "", name)
    except (ApiError, NoSuchKind):
        return False
    return current.get("volumeBindingMode") == "WaitForFirstConsumer"


def explain(client: Client, kind: Kind, live: dict[str, Any]) -> tuple[str, ...]:
    """What the Pods and the warning events of an object say (an aid: errors are left out)."""
    space = namespace(live)
    try:
        return tuple(_explain(client, kind, live, space))
    except (ApiError, NoSuchKind):
        return ()


def _explain(client: Client, kind: Kind, live: dict[str, Any], space: str) -> list[str]:
    related = [live]
    reasons: list[str] = []
    owner: dict[str, Any] | None = live
    if kind.kind == "Deployment":
        owner = readiness.current_replica_set(live, client.list(_REPLICA_SET, space))
        related += [owner] if owner else []
    if owner and kind.kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        pods = readiness.owned_by(owner, client.list(_POD, space))
        related += pods
        for pod in pods:
            reasons += readiness.pod_problems(pod)
    uids = {item["metadata"]["uid"] for item in related}
    for event in client.list(_EVENT, space, fieldSelector="type=Warning"):
        about = event.get("involvedObject") or {}
        if about.get("uid") in uids:
            what = f"{about.get('kind')} {about.get('name')}"
            text = f"{what}: [{event.get('reason')}] {event.get('message')}"
            if text not in reasons:
                reasons.append(text)
    return reasons


def until_ready(
    client: Client,
    kind: Kind,
    live: dict[str, Any],
    timeout: float,
    report: Report,
    cancelled: threading.Event,
) -> dict[str, Any]:
    """Waits until the object is ready, or what its annotation `pulumi.com/waitFor` says holds; gives the live object.

    Raises:
        NotReady: after ``timeout`` seconds, on failure for good, or when cancelled.
        ApiError: the object is gone or may not be read.
    """
    name, space = object_name(live), namespace(live)
    deadline = time.monotonic() + timeout
    pause, last, steady_since = _FIRST_PAUSE, "", 0.0
    try:
        conditions = wait_for.expressions(live)
    except wait_for.ExpressionError as error:
        raise NotReady(str(error), live, ()) from None
    while True:
        state = wait_for.check(live, conditions) if conditions else check(client, kind, live)
        if state.ready and (conditions or _settled(kind, live, steady_since)):
            if state.status:
                report(state.status)
            return live
        steady_since = (steady_since or time.monotonic()) if state.ready else 0.0
        if state.status and state.status != last and not state.ready:
            report(state.status)
            last = state.status
        failed = not conditions and kind.kind == "Job" and state.status == "Job failed"
        late = time.monotonic() >= deadline
        if cancelled.is_set() or failed or late:
            text = f'Resource operation was cancelled for "{name}"'
            if failed:
                text = f"Resource '{name}' was created but failed to initialize"
            elif late and not cancelled.is_set():
                text = f"'{name}' timed out waiting to be Ready"
                if conditions:
                    text = "timed out waiting for the condition"
            raise NotReady(text, live, state.problems + explain(client, kind, live))
        cancelled.wait(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        live = client.get(kind, space, name)


def _settled(kind: Kind, live: dict[str, Any], since: float) -> bool:
    if str(kind) != "v1/Service" or not readiness.needs_endpoints(live):
        return True
    return since > 0 and time.monotonic() - since >= SETTLE


def until_gone(
    client: Client,
    kind: Kind,
    space: str,
    name: str,
    uid: str,
    timeout: float,
    report: Report,
    cancelled: threading.Event,
) -> None:
    """Waits until the object is gone, or another of its name has taken its place.

    Raises:
        NotReady: it is still there after ``timeout`` seconds, or the wait was cancelled.
    """
    deadline = time.monotonic() + timeout
    pause, reported = _FIRST_PAUSE, False
    while True:
        try:
            live = client.get(kind, space, name)
        except ApiError as error:
            if error.not_found:
                return
            raise
        if uid and live["metadata"].get("uid") != uid:
            return
        if cancelled.is_set():
            raise NotReady(f'Resource operation was cancelled for "{name}"', live, ())
        if time.monotonic() >= deadline:
            kept = live["metadata"].get("finalizers") or []
            reason = f'Timed out waiting for deletion of {kind} "{name}"'
            if kept:
                reason += f" (held by finalizers: {', '.join(kept)})"
            raise NotReady(f"'{name}' timed out waiting to be Ready", live, (reason,))
        if not reported and pause > 0.3:
            report(f"Waiting for deletion of {kind.kind} {name}")
            reported = True
        cancelled.wait(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
