"""`pulumi.com/waitFor` in the Kubernetes stand-in, and what the program asks of a Deployment by it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from components.kubernetes.rollout import WAIT_FOR, rollout_annotation
from sandbox.providers.kubernetes import wait_for, waits
from sandbox.providers.kubernetes.naming import Kind

DEPLOYMENT = Kind("apps", "v1", "Deployment")


def _deployment(
    annotation: str | None, generation: int = 2, observed: int = 2, **status: Any
) -> dict[str, Any]:
    """As the API server has it after an update, with a status of one generation."""
    annotations = {} if annotation is None else {WAIT_FOR: annotation}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "uid": "u",
            "generation": generation,
            "annotations": annotations,
        },
        "status": {"observedGeneration": observed, **status},
    }


def _is_ready(live: dict[str, Any]) -> bool:
    return wait_for.check(live, wait_for.expressions(live)).ready


def _rollout(available: str = "True", reason: str = "NewReplicaSetAvailable") -> dict[str, Any]:
    return {
        "conditions": [
            {"type": "Available", "status": available, "reason": "x"},
            {"type": "Progressing", "status": "True", "reason": reason},
        ]
    }


COUNTS = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        (COUNTS, True),
        ({**COUNTS, "replicas": 3}, False),
        ({**COUNTS, "updatedReplicas": 1}, False),
        ({**COUNTS, "availableReplicas": 1}, False),
        ({}, False),
        # A Recreate Deployment that scales down shows the verdict of its last rollout.
        ({"replicas": 2, "availableReplicas": 2, **_rollout()}, False),
    ],
)
def test_a_deployment_is_done_when_all_its_pods_are_new_and_available(
    status: dict[str, Any], ready: bool
) -> None:
    annotation = rollout_annotation(2)[WAIT_FOR]
    assert _is_ready(_deployment(annotation, **status)) is ready


@pytest.mark.parametrize("replicas", [None, 0])
@pytest.mark.parametrize(
    ("status", "ready"),
    [
        (_rollout(), True),
        (_rollout(available="False"), False),
        (_rollout(reason="ReplicaSetUpdated"), False),
        ({}, False),
    ],
)
def test_without_a_number_the_controllers_verdict_stands(
    replicas: int | None, status: dict[str, Any], ready: bool
) -> None:
    annotation = rollout_annotation(replicas)[WAIT_FOR]
    assert _is_ready(_deployment(annotation, **status)) is ready


@pytest.mark.parametrize("replicas", [None, 2])
def test_a_status_of_the_generation_before_says_nothing(replicas: int | None) -> None:
    annotation = rollout_annotation(replicas)[WAIT_FOR]
    before = _deployment(annotation, observed=1, **COUNTS, **_rollout())
    assert not _is_ready(before)
    # The provider's own rule may be content with it, once the controller has seen the change.
    assert _is_ready(_deployment(annotation, observed=2, **COUNTS, **_rollout()))


@pytest.mark.parametrize(
    ("expression", "ready"),
    [
        ("condition=Available", True),
        ("condition=available=true", True),
        ("condition=Available=False", False),
        ("condition=Missing", False),
        ("jsonpath={.status.replicas}", True),
        ("jsonpath={$.status.replicas}=2", True),
        ("jsonpath={.status.replicas}=3", False),
        ("jsonpath={.status.nothing}", False),
        ('jsonpath={.status.conditions[?(@.type=="Available")].status}=True', True),
        ('["condition=Available", "jsonpath={.status.replicas}=2"]', True),
        ('["condition=Available", "jsonpath={.status.replicas}=3"]', False),
    ],
)
def test_expressions_are_read_as_the_official_provider_reads_them(
    expression: str, ready: bool
) -> None:
    assert _is_ready(_deployment(expression, **COUNTS, **_rollout())) is ready


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("Available", 'expected a "jsonpath=" or "condition=" prefix, got "Available"'),
        ("[]", "at least one condition must be specified"),
        ("jsonpath=.status", "should be wrapped in brackets"),
        ("jsonpath={.status[}", "parsing"),
        ("[1]", 'expected a "jsonpath=" or "condition=" prefix'),
    ],
)
def test_what_is_no_condition_fails_the_resource(expression: str, words: str) -> None:
    client: Any = None
    with pytest.raises(waits.NotReady) as caught:
        waits.until_ready(
            client, DEPLOYMENT, _deployment(expression), 1, lambda _: None, threading.Event()
        )
    assert words in str(caught.value)


class Server:
    """Gives one state after the other."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)

    def get(self, *_: Any) -> dict[str, Any]:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def list(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return []


def test_the_wait_goes_by_the_annotation_and_not_by_the_kind() -> None:
    annotation = rollout_annotation(2)[WAIT_FOR]
    stale = _deployment(annotation, observed=1, **COUNTS, **_rollout())
    rolling = _deployment(annotation, **{**COUNTS, "updatedReplicas": 1}, **_rollout())
    done = _deployment(annotation, **COUNTS)
    server: Any = Server(stale, rolling, done)
    messages: list[str] = []
    never = threading.Event()
    live = waits.until_ready(server, DEPLOYMENT, stale, 5, messages.append, never)
    assert live is done
    assert messages[0] == "Waiting for {.status.replicas}=2"
    with pytest.raises(waits.NotReady) as caught:
        waits.until_ready(server, DEPLOYMENT, rolling, 0, messages.append, never)
    assert str(caught.value) == "timed out waiting for the condition"


def test_a_condition_that_does_not_hold_is_told_in_its_controllers_words() -> None:
    message = "could not get secret data from provider"
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "SecretSyncedError",
        "message": message,
    }
    secret = _deployment("condition=Ready", conditions=[condition])
    uid = secret["metadata"]["uid"]
    event = {"reason": "UpdateFailed", "message": "Code: 403. permission denied"}
    about = {"kind": "ExternalSecret", "name": "web"}

    class WithEvents(Server):
        def list(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
            return [
                event | {"involvedObject": about | {"uid": uid}},
                event | {"involvedObject": about | {"uid": "another"}, "message": "not ours"},
            ]

    server: Any = WithEvents(secret)
    kind = Kind("external-secrets.io", "v1", "ExternalSecret")
    with pytest.raises(waits.NotReady) as caught:
        waits.until_ready(server, kind, secret, 0, lambda _: None, threading.Event())
    assert caught.value.reasons == (
        f"[SecretSyncedError] {message}",
        "ExternalSecret web: [UpdateFailed] Code: 403. permission denied",
    )
    untouched: Any = Server(_deployment("condition=Ready"))
    with pytest.raises(waits.NotReady) as caught:
        waits.until_ready(untouched, kind, untouched.get(), 0, lambda _: None, threading.Event())
    assert caught.value.reasons == ("no controller has set its condition Ready",)
