"""When an object counts as ready: pure rules over live objects, as the official plugin has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"
NO_PODS = "Minimum number of live Pods was not attained"
FEW_PODS = "Minimum number of Pods to consider the application live was not attained"
NO_ROLL = (
    "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"
)
PAUSED = "The Deployment is paused: its controller makes no new pods"
NO_ENDPOINTS = (
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' "
    "may not match labels on any Pods"
)
NO_INGRESS = "Ingress .status.loadBalancer field was not updated with a hostname/IP address."
NO_ADDRESS = "Service was not allocated an IP address; does your cloud provider support this?"


@dataclass(frozen=True)
class Readiness:
    """Whether it is ready, what to show meanwhile, and what is wrong if it never gets ready."""

    ready: bool
    status: str = ""
    problems: tuple[str, ...] = ()


READY = Readiness(True)


def _status(live: Object) -> Object:
    return live.get("status") or {}


def _spec(live: Object) -> Object:
    return live.get("spec") or {}


def conditions(live: Object) -> dict[str, Object]:
    """The conditions of an object by type."""
    return {c.get("type", ""): c for c in _status(live).get("conditions") or []}


def _true(live: Object, condition: str) -> bool:
    return conditions(live).get(condition, {}).get("status") == "True"


def observed(live: Object) -> bool:
    """Whether the controller has seen the latest specification."""
    return _status(live).get("observedGeneration", 0) >= live["metadata"].get("generation", 0)


def owned_by(owner: Object, candidates: Sequence[Object]) -> list[Object]:
    """The objects that belong to the owner."""
    uid = owner["metadata"]["uid"]
    return [
        c
        for c in candidates
        if any(o.get("uid") == uid for o in c["metadata"].get("ownerReferences") or [])
    ]


def _revision(live: Object) -> str:
    return (live["metadata"].get("annotations") or {}).get(REVISION, "")


def current_replica_set(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """The ReplicaSet of the Deployment's current revision."""
    revision = _revision(deployment)
    for candidate in owned_by(deployment, replica_sets):
        if revision and _revision(candidate) == revision:
            return candidate
    return None


def deployment(live: Object, replica_sets: Sequence[Object]) -> Readiness:
    """Rolled out and available: all pods that there are have the newest template, and are available.

    The counts of the status are what `kubectl rollout status` goes by. The revision alone says nothing: with the
    strategy Recreate it is the old one, with no pods that are wanted, until the old pods have ended.
    """
    if not observed(live):
        return Readiness(False, "Waiting for the Deployment controller", (NO_PODS,))
    if _spec(live).get("paused"):
        return Readiness(False, "The Deployment is paused", (PAUSED,))
    stated, status = conditions(live), _status(live)
    available = _true(live, "Available")
    first = _revision(live) == "1"
    progressed = (
        _true(live, "Progressing")
        and stated["Progressing"].get("reason") == "NewReplicaSetAvailable"
    )
    current = current_replica_set(live, replica_sets)
    desired = _spec(live).get("replicas", 1)
    ready = _status(current).get("readyReplicas", 0) if current else 0
    updated = status.get("updatedReplicas", 0)
    old = status.get("replicas", 0) - updated
    least = min(ready, updated, status.get("availableReplicas", 0))
    done = current is not None and least >= desired and not old
    if available and done and (first or progressed):
        return Readiness(True, "Deployment initialization complete")
    problems = [
        f"[{stated[name].get('reason')}] {stated[name].get('message')}"
        for name, bad in (
            ("Available", "False"),
            ("Progressing", "False"),
            ("ReplicaFailure", "True"),
        )
        if stated.get(name, {}).get("status") == bad
    ]
    if not available:
        problems.append(NO_PODS)
    elif first or not progressed:
        problems.append(FEW_PODS)
    else:
        problems.append(NO_ROLL)
    words = f"[1/2] Waiting for app ReplicaSet be available ({ready}/{desired} Pods available)"
    if updated >= desired and old > 0:
        words = f"[1/2] Waiting for {old} old Pods to end"
    return Readiness(False, words, tuple(problems))


def stateful_set(live: Object) -> Readiness:
    """All replicas updated, current and ready."""
    status, desired = _status(live), _spec(live).get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    on_delete = (_spec(live).get("updateStrategy") or {}).get("type") == "OnDelete"
    updated = on_delete or status.get("currentRevision") == status.get("updateRevision")
    if observed(live) and ready >= desired and updated:
        return Readiness(True, "StatefulSet initialization complete")
    if ready < desired:
        problem = f"{ready} out of {desired} replicas succeeded readiness checks"
    else:
        revision = status.get("currentRevision")
        problem = f"StatefulSet controller failed to advance from revision {revision}"
    return Readiness(
        False,
        f"[1/3] Waiting for StatefulSet update to roll out ({ready}/{desired} Pods ready)",
        (problem,),
    )


def daemon_set(live: Object) -> Readiness:
    """Scheduled everywhere, updated and ready."""
    status = _status(live)
    desired = status.get("desiredNumberScheduled", 0)
    ready, updated = (
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
    )
    on_delete = (_spec(live).get("updateStrategy") or {}).get("type") == "OnDelete"
    if observed(live) and ready >= desired and (on_delete or updated >= desired):
        return READY
    return Readiness(
        False,
        f"Waiting for DaemonSet ({ready}/{desired} Pods ready)",
        (f"{ready} of {desired} scheduled Pods are ready",),
    )


def needs_endpoints(service: Object) -> bool:
    """Whether a Service is to have endpoints: not headless, not ExternalName, with a selector."""
    spec = _spec(service)
    return (
        spec.get("clusterIP") != "None"
        and spec.get("type") != "ExternalName"
        and bool(spec.get("selector"))
    )


def has_endpoints(slices: Sequence[Object]) -> bool:
    """Whether any endpoint of a Service is ready."""
    return any(
        (e.get("conditions") or {}).get("ready", True)
        for s in slices
        for e in s.get("endpoints") or []
    )


def service(live: Object, slices: Sequence[Object]) -> Readiness:
    """Has ready endpoints, and an address if it is a LoadBalancer."""
    problems = []
    status = "Service initialization complete"
    if needs_endpoints(live) and not has_endpoints(slices):
        problems.append(NO_ENDPOINTS)
        status = "[1/3] Finding Pods to direct traffic to"
    balanced = _spec(live).get("type") == "LoadBalancer"
    if balanced and not (_status(live).get("loadBalancer") or {}).get("ingress"):
        problems.append(NO_ADDRESS)
        if len(problems) == 1:
            status = "[2/3] Attempting to allocate IP address to Service"
    return Readiness(not problems, status, tuple(problems))


def ingress(live: Object) -> Readiness:
    """Has an address from an ingress controller."""
    if (_status(live).get("loadBalancer") or {}).get("ingress"):
        return Readiness(True, "Ingress initialization complete")
    return Readiness(
        False,
        "[2/3] Waiting for update of .status.loadBalancer with hostname/IP",
        (NO_INGRESS,),
    )


def pod(live: Object) -> Readiness:
    """Scheduled, initialized and ready, or finished well."""
    phase = _status(live).get("phase", "")
    if phase == "Succeeded" or (phase == "Running" and _true(live, "Ready")):
        return READY
    return Readiness(
        False,
        f"Waiting for Pod to be ready ({phase or 'Unknown'})",
        tuple(pod_problems(live)),
    )


def pod_problems(live: Object) -> list[str]:
    """What keeps a Pod from running, in the words of its conditions and containers."""
    name = live["metadata"]["name"]
    matches = [
        f'Pod "{name}" [{c.get("reason")}] {c["message"]}'
        for c in conditions(live).values()
        if c.get("status") == "False" and c.get("message")
    ]
    status = _status(live)
    for container in [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("message"):
            matches.append(f'Pod "{name}" [{waiting.get("reason")}] {waiting["message"]}')
    return matches


def job(live: Object) -> Readiness:
    """Completed; a failed Job never gets ready."""
    if _true(live, "Complete") or _true(live, "Suspended"):
        return READY
    failed = conditions(live).get("Failed", {})
    if failed.get("status") == "True":
        problem = f"[{failed.get('reason')}] {failed.get('message')}"
        return Readiness(False, "Job failed", (problem,))
    return Readiness(False, "Waiting for Job to complete", ("Job is not complete",))


def volume_claim(live: Object, wait_for_consumer: bool) -> Readiness:
    """Bound; pending is enough when the storage class binds on first use."""
    phase = _status(live).get("phase", "")
    if phase == "Bound" or (wait_for_consumer and phase == "Pending"):
        return READY
    return Readiness(False, f"Waiting for PersistentVolumeClaim to be bound ({phase})", ())


def volume(live: Object) -> Readiness:
    """Available or bound."""
    return Readiness(_status(live).get("phase") in ("Available", "Bound"), "Waiting for the volume")


def definition(live: Object) -> Readiness:
    """A custom resource definition that is established."""
    return Readiness(_true(live, "Established"), "Waiting for the definition to be established")


def quota(live: Object) -> Readiness:
    """The controller has taken over the limits."""
    hard = _spec(live).get("hard") or {}
    return Readiness(_status(live).get("hard", {}) == hard, "Waiting for the quota controller")


SIMPLE: dict[str, Callable[[Object], Readiness]] = {
    "apps/v1/StatefulSet": stateful_set,
    "apps/v1/DaemonSet": daemon_set,
    "networking.k8s.io/v1/Ingress": ingress,
    "v1/Pod": pod,
    "batch/v1/Job": job,
    "v1/PersistentVolume": volume,
    "v1/ResourceQuota": quota,
    "apiextensions.k8s.io/v1/CustomResourceDefinition": definition,
}
"""Kinds whose readiness follows from the object alone."""

AWAITED_ON_READ = frozenset(
    {
        "apps/v1/Deployment",
        "apps/v1/StatefulSet",
        "apps/v1/DaemonSet",
        "networking.k8s.io/v1/Ingress",
        "v1/Pod",
        "v1/Service",
        "batch/v1/Job",
    }
)
"""Kinds that a refresh reports as not ready."""
