"""When a Deployment is done: its new pods are available and the old ones are gone. Pure: an annotation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: Of Pulumi's Kubernetes provider: it waits for all of these in place of its own rule for the kind.
WAIT_FOR = "pulumi.com/waitFor"


def rollout_annotation(replicas: int | None) -> dict[str, str]:
    """The annotation by which an update of a Deployment ends when the new pods are ready.

    The provider's own rule for Deployments (4.25 to 4.32) may end before the controller has seen the change: it takes
    the status of the last rollout. These expressions are compared only with a status of the newest generation
    (`status.observedGeneration`). All pods that there are, those of the new template and the available ones are one
    number only when nothing is left of the old template.

    Args:
        replicas: of the Deployment; None where an autoscaler sets the number, which the controller's own verdict
            of the rollout then stands for.
    """
    if replicas:
        counts = ("replicas", "updatedReplicas", "availableReplicas")
        expressions = [f"jsonpath={{.status.{count}}}={replicas}" for count in counts]
    else:
        expressions = [
            "condition=Available",
            'jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=NewReplicaSetAvailable',
        ]
    return {WAIT_FOR: json.dumps(expressions)}


def explain_timeout(words: str, inputs: Mapping[str, Any]) -> str:
    """What to look at when the pods of a Deployment did not become ready in time; empty for other failures.

    With the annotation the provider says no more than that it waited.

    Args:
        words: what the provider said.
        inputs: of the resource that failed.
    """
    if "timed out waiting for the condition" not in words or inputs.get("kind") != "Deployment":
        return ""
    labels = _part(_part(_part(inputs, "spec"), "selector"), "matchLabels")
    selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
    namespace = _part(inputs, "metadata").get("namespace")
    return (
        "The new pods are not ready. What they wait for:\n"
        f"  kubectl --namespace {namespace} describe pods --selector {selector}\n"
        f"  kubectl --namespace {namespace} logs --all-containers --selector {selector}"
    )


def _part(inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    # What is secret, or not known yet, is an output in a hook.
    part = inputs.get(name)
    return part if isinstance(part, Mapping) else {}
