"""Autoscaling and disruption budgets: what Kestra and Kubernetes can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...settings.deployment import Component
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.scaling import Autoscaling, DisruptionBudget
from ..schema import Loc


def check(s: Settings) -> Iterator[Finding]:
    """For all components, and for each."""
    deployment, at = s.deployment, ("deployment",)
    yield from _autoscaling(s, deployment.autoscaling, (*at, "autoscaling"))
    yield from _budget(deployment.disruption_budget, (*at, "disruption-budget"))
    for workload in s.workloads:
        own, place = workload.component, workload.loc
        yield from _autoscaling(s, own.autoscaling, (*place, "autoscaling"))
        yield from _replicas(deployment.autoscaling, own, place)
        yield from _budget(own.disruption_budget, (*place, "disruption-budget"))
        yield from _evicts(deployment, own, place)


def _autoscaling(s: Settings, scaling: Autoscaling | None, at: Loc) -> Iterator[Finding]:
    if scaling is None:
        return
    if s.deployment.mode == "standalone":
        yield Finding(
            at,
            "has no use in mode standalone",
            "one pod holds every component there, with its own queue or storage",
            "set kestra:deployment.mode to distributed, or remove it",
            kind="relation",
        )
    if scaling.min_replicas > scaling.max_replicas:
        yield Finding(
            (*at, "min-replicas"),
            "is above max-replicas",
            "min-replicas <= max-replicas",
            "lower it",
            kind="relation",
        )
    if scaling.memory_percentage is not None:
        yield Finding(
            (*at, "memory-percentage"),
            "adds pods that are hardly ever removed",
            "Java keeps the memory that it once had, so that its use says nothing of the work that is left",
            "use cpu-percentage, or for workers an autoscaler that asks Kestra's metrics",
            warning=True,
        )
    if at[-2:] == ("scheduler", "autoscaling") and scaling.max_replicas > 2:
        yield Finding(
            (*at, "max-replicas"),
            "is more than schedulers use",
            "the work of the scheduler is not shared out by the use of cpu; a second one stands by for the first",
            "write replicas: 2 in place of autoscaling",
            warning=True,
        )


def _replicas(shared: Autoscaling | None, own: Component, at: Loc) -> Iterator[Finding]:
    if (own.autoscaling or shared) and "replicas" in own.model_fields_set:
        yield Finding(
            (*at, "replicas"),
            "is set beside autoscaling",
            "the autoscaler sets the number of pods between min-replicas and max-replicas",
            "remove it, and set min-replicas",
        )


def _budget(budget: DisruptionBudget | None, at: Loc) -> Iterator[Finding]:
    if budget is None:
        return
    if budget.min_available and budget.max_unavailable:
        yield Finding(
            (*at, "max-unavailable"),
            "is set beside min-available",
            "a budget has one of the two",
            "remove one of them",
        )
    elif not budget.min_available and not budget.max_unavailable:
        yield Finding(
            at, "says nothing", "a budget has min-available or max-unavailable", "set one of them"
        )


def _evicts(deployment: Any, own: Component, at: Loc) -> Iterator[Finding]:
    """A budget under which no pod may ever be evicted stops the upgrade of nodes."""
    from ...kubernetes.scaling import fewest_pods

    budget, where = own.disruption_budget, (*at, "disruption-budget")
    if budget is None:
        budget, where = deployment.disruption_budget, ("deployment", "disruption-budget")
    if budget is None or own.replicas == 0:
        return
    stay, gone = budget.min_available or "", budget.max_unavailable or ""
    fewest = fewest_pods(deployment, own)
    never = stay == "100%" or (stay.isdigit() and int(stay) >= fewest) or gone in ("0", "0%", "00%")
    if never:
        key = "min-available" if stay else "max-unavailable"
        yield Finding(
            (*where, key),
            f"lets no pod be evicted of {fewest} that {at[-1]} has at least",
            "nodes cannot be drained then, and their upgrade waits",
            "write max-unavailable: 1, or more replicas",
            warning=True,
        )
