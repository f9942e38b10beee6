"""When a Deployment is done, and how long that may take. Pure: an annotation, and options."""

from __future__ import annotations

import json

import pulumi

from ..settings import Settings
from .pods import pod_seconds

#: Of Pulumi's Kubernetes provider: it waits for all of these in place of its own rule for the kind.
WAIT_FOR = "pulumi.com/waitFor"
PROVIDER_SECONDS = 600
"""How long Pulumi's Kubernetes provider waits by itself."""
START_SECONDS = 360
"""What a new pod may take: a minute for its image, and the 5 minutes of its startup probe."""
END_SECONDS = 60
"""What a deletion takes beside the pods' own time."""


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


def rollout_strategy(component: str) -> str:
    """How a component's pods are replaced: an embedded database allows one pod at a time."""
    return "Recreate" if component == "standalone" else "RollingUpdate"


def rollout_timeouts(strategy: str, settings: Settings) -> pulumi.CustomTimeouts | None:
    """How long the provider waits for a Deployment, where its own 10 minutes can be too short.

    Args:
        strategy: of the Deployment. `Recreate` starts no new pod before the old one has ended.
        settings: of the stack; they say how long a pod may take to end.
    """
    grace = pod_seconds(settings)
    update = grace + START_SECONDS if strategy == "Recreate" else 0
    longer = {
        operation: f"{seconds}s"
        for operation, seconds in (("update", update), ("delete", grace + END_SECONDS))
        if seconds > PROVIDER_SECONDS
    }
    return pulumi.CustomTimeouts(**longer) if longer else None
