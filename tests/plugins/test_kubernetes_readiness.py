"""When the Kubernetes stand-in takes an object for ready."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.providers.kubernetes import readiness


def _deployment(revision: str, **conditions: tuple[str, str]) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "d",
            "uid": "d",
            "generation": 2,
            "annotations": {readiness.REVISION: revision},
        },
        "spec": {"replicas": 2},
        "status": {
            "observedGeneration": 2,
            "conditions": [
                {"type": k, "status": s, "reason": r, "message": "m"}
                for k, (s, r) in conditions.items()
            ],
        },
    }


def _replica_set(revision: str, ready: int) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"d-{revision}",
            "uid": revision,
            "annotations": {readiness.REVISION: revision},
            "ownerReferences": [{"uid": "d"}],
        },
        "spec": {"replicas": 2},
        "status": {"readyReplicas": ready},
    }


def test_a_deployment_is_ready_when_its_current_revision_is_available() -> None:
    done = _deployment("2", Available=("True", "x"), Progressing=("True", "NewReplicaSetAvailable"))
    assert readiness.deployment(done, [_replica_set("1", 2), _replica_set("2", 2)]).ready


def test_a_deployment_whose_old_pods_serve_while_the_new_do_not_start_is_not_ready() -> None:
    rolling = _deployment("2", Available=("True", "x"), Progressing=("True", "ReplicaSetUpdated"))
    found = readiness.deployment(rolling, [_replica_set("1", 2), _replica_set("2", 0)])
    assert not found.ready
    assert found.status.endswith("(0/2 Pods available)")
    assert found.problems == (readiness.FEW_PODS,)


def test_a_deployment_that_may_not_create_pods_says_why() -> None:
    failing = _deployment(
        "1", Available=("False", "Minimum"), ReplicaFailure=("True", "FailedCreate")
    )
    found = readiness.deployment(failing, [_replica_set("1", 0)])
    assert "[FailedCreate] m" in found.problems


def test_a_deployment_that_its_controller_has_not_seen_is_not_ready() -> None:
    live = _deployment("1", Available=("True", "x"))
    live["status"]["observedGeneration"] = 1
    assert not readiness.deployment(live, [_replica_set("1", 2)]).ready


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
