"""When the Kubernetes stand-in takes an object for ready."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.providers.kubernetes import readiness

AVAILABLE, ROLLED = ("True", "x"), ("True", "NewReplicaSetAvailable")
COUNTS = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def _deployment(
    revision: str,
    counts: dict[str, int] | None = None,
    spec: dict[str, Any] | None = None,
    **conditions: tuple[str, str],
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "d",
            "uid": "d",
            "generation": 2,
            "annotations": {readiness.REVISION: revision},
        },
        "spec": {"replicas": 2, **(spec or {})},
        "status": {
            "observedGeneration": 2,
            **(COUNTS if counts is None else counts),
            "conditions": [
                {"type": k, "status": s, "reason": r, "message": "m"}
                for k, (s, r) in conditions.items()
            ],
        },
    }


def _replica_set(revision: str, ready: int, replicas: int = 2) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"d-{revision}",
            "uid": revision,
            "annotations": {readiness.REVISION: revision},
            "ownerReferences": [{"uid": "d"}],
        },
        "spec": {"replicas": replicas},
        "status": {"readyReplicas": ready},
    }


NEW = [_replica_set("1", 0, 0), _replica_set("2", 2)]


def test_a_deployment_is_ready_when_its_current_revision_is_available() -> None:
    done = _deployment("2", Available=AVAILABLE, Progressing=ROLLED)
    assert readiness.deployment(done, NEW).ready


@pytest.mark.parametrize(
    ("revision", "counts", "spec", "replica_sets", "words"),
    [
        # Recreate: the revision is the old one, of which no pod is wanted any more; the verdict is the last rollout's.
        ("1", {}, {}, [_replica_set("1", 0, 0)], "(0/2 Pods available)"),
        ("1", {"replicas": 1}, {}, [_replica_set("1", 0, 0)], "(0/2 Pods available)"),
        # An old pod is still there; the new ones are available.
        ("2", COUNTS | {"replicas": 3}, {}, NEW, "Waiting for 1 old Pods to end"),
        ("2", COUNTS | {"updatedReplicas": 1}, {}, NEW, "(2/2 Pods available)"),
        ("2", COUNTS | {"availableReplicas": 1}, {}, NEW, "(2/2 Pods available)"),
        ("2", COUNTS, {"paused": True}, NEW, "The Deployment is paused"),
    ],
)
def test_a_deployment_with_pods_to_come_or_to_go_is_not_ready(
    revision: str,
    counts: dict[str, int],
    spec: dict[str, Any],
    replica_sets: list[dict[str, Any]],
    words: str,
) -> None:
    live = _deployment(revision, counts, spec, Available=AVAILABLE, Progressing=ROLLED)
    state = readiness.deployment(live, replica_sets)
    assert not state.ready
    assert state.status.endswith(words)
    assert state.problems


def test_a_deployment_of_no_pods_is_ready_when_none_is_left() -> None:
    empty = {"Available": AVAILABLE, "Progressing": ROLLED}
    none = [_replica_set("2", 0, 0)]
    assert readiness.deployment(_deployment("2", {}, {"replicas": 0}, **empty), none).ready
    left = _deployment("2", {"replicas": 1}, {"replicas": 0}, **empty)
    assert not readiness.deployment(left, none).ready


def test_a_deployment_that_made_no_progress_in_time_says_so() -> None:
    late = ("False", "ProgressDeadlineExceeded")
    live = _deployment("2", {"replicas": 2}, Available=AVAILABLE, Progressing=late)
    state = readiness.deployment(live, [_replica_set("1", 2), _replica_set("2", 0)])
    assert "[ProgressDeadlineExceeded] m" in state.problems


def test_a_deployment_whose_old_pods_serve_while_the_new_do_not_start_is_not_ready() -> None:
    rolling = _deployment(
        "2", {"replicas": 2}, Available=AVAILABLE, Progressing=("True", "ReplicaSetUpdated")
    )
    state = readiness.deployment(rolling, [_replica_set("1", 2), _replica_set("2", 0)])
    assert not state.ready
    assert state.status.endswith("(0/2 Pods available)")
    assert state.problems == (readiness.FEW_PODS,)


def test_a_deployment_that_may_not_create_pods_says_why() -> None:
    failing = _deployment(
        "1", {}, Available=("False", "Minimum"), ReplicaFailure=("True", "FailedCreate")
    )
    state = readiness.deployment(failing, [_replica_set("1", 0)])
    assert "[FailedCreate] m" in state.problems


def test_a_deployment_that_its_controller_has_not_seen_is_not_ready() -> None:
    live = _deployment("2", Available=AVAILABLE, Progressing=ROLLED)
    live["status"]["observedGeneration"] = 1
    assert not readiness.deployment(live, NEW).ready


@pytest.mark.parametrize(
    ("spec", "waits"),
    [
        ({"selector": {"a": "b"}}, True),
        ({"selector": {"a": "b"}, "clusterIP": "None"}, False),
        ({"type": "ExternalName"}, False),
        ({}, False),
    ],
)
def test_only_services_that_select_pods_wait_for_endpoints(
    spec: dict[str, Any], waits: bool
) -> None:
    assert readiness.needs_endpoints({"spec": spec}) is waits
    assert readiness.service({"spec": spec}, []).ready is not waits


def test_a_service_with_ready_endpoints_is_ready() -> None:
    slices = [{"endpoints": [{"conditions": {"ready": True}}]}]
    assert readiness.service({"spec": {"selector": {"a": "b"}}}, slices).ready
    slices = [{"endpoints": [{"conditions": {"ready": False}}]}]
    assert not readiness.service({"spec": {"selector": {"a": "b"}}}, slices).ready
