"""HorizontalPodAutoscaler and PodDisruptionBudget of the components. Pure: the objects' fields."""

from __future__ import annotations

from typing import Any

from ..settings.deployment import Component, Deployment
from ..settings.scaling import CPU_PERCENTAGE, Autoscaling, DisruptionBudget

#: What the controller of autoscaling owns, and updates of the stack leave alone.
SCALED_FIELD = "spec.replicas"


def autoscaling_of(deployment: Deployment, component: Component) -> Autoscaling | None:
    """The autoscaling of a component: its own, else that of all."""
    return component.autoscaling or deployment.autoscaling


def budget_of(deployment: Deployment, component: Component) -> DisruptionBudget | None:
    """The budget of a component: its own, else that of all, else all but one where there may be several pods."""
    chosen = component.disruption_budget or deployment.disruption_budget
    if chosen is not None and (chosen.min_available or chosen.max_unavailable):
        return chosen
    return (
        DisruptionBudget(**{"max-unavailable": "1"})
        if most_pods(deployment, component) > 1
        else None
    )


def most_pods(deployment: Deployment, component: Component) -> int:
    """How many pods a component may have."""
    scaling = autoscaling_of(deployment, component)
    return scaling.max_replicas if scaling else component.replicas


def fewest_pods(deployment: Deployment, component: Component) -> int:
    """How many pods a component has at least."""
    scaling = autoscaling_of(deployment, component)
    return scaling.min_replicas if scaling else component.replicas


def autoscaler_spec(scaling: Autoscaling, deployment_name: str) -> dict[str, Any]:
    """The specification of the HorizontalPodAutoscaler of a Deployment."""
    cpu, memory = scaling.cpu_percentage, scaling.memory_percentage
    if cpu is None and memory is None:
        cpu = CPU_PERCENTAGE
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment_name},
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": name,
                    "target": {"type": "Utilization", "averageUtilization": percentage},
                },
            }
            for name, percentage in (("cpu", cpu), ("memory", memory))
            if percentage is not None
        ],
    }


def still_autoscaled(words: str) -> str:
    """What to do where a Deployment gets a number of replicas that its autoscaler set before; empty otherwise.

    Args:
        words: what the server said.
    """
    if "conflict" not in words or SCALED_FIELD not in words:
        return ""
    return (
        "An autoscaler, or somebody with kubectl scale, set the number of replicas last.\n"
        "  To set it by the stack again: run this one update with PULUMI_K8S_ENABLE_PATCH_FORCE=true.\n"
        "  Otherwise: keep autoscaling (docs/network.md, How many pods)."
    )


def budget_spec(budget: DisruptionBudget, selector: dict[str, Any]) -> dict[str, Any]:
    """The specification of the PodDisruptionBudget of the pods that a selector names."""
    key, amount = (
        ("minAvailable", budget.min_available)
        if budget.min_available
        else ("maxUnavailable", budget.max_unavailable)
    )
    assert amount is not None
    return {key: amount if amount.endswith("%") else int(amount), "selector": selector}
