"""How many pods a component has: HorizontalPodAutoscaler and PodDisruptionBudget."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from .base import Model, StrictInt, key

AUTOSCALING = "Kubernetes API reference, HorizontalPodAutoscaler v2"
BUDGET = "Kubernetes API reference, PodDisruptionBudget"
#: Share of the requested cpu at which pods are added, where the settings say no share.
CPU_PERCENTAGE = 80


class Autoscaling(Model):
    """Pods are added and removed by what they use; `replicas` then says nothing."""

    min_replicas: StrictInt = key(
        1, "Pods at least.", unit="pods", ge=1, le=100, source=AUTOSCALING
    )
    max_replicas: StrictInt = key(
        text="Pods at most.", unit="pods", ge=1, le=1000, source=AUTOSCALING
    )
    cpu_percentage: StrictInt | None = key(
        None,
        f"Share of the requested cpu that the pods are kept at ({CPU_PERCENTAGE}, unless memory-percentage is set).",
        unit="percent",
        ge=1,
        le=1000,
        source=AUTOSCALING,
    )
    memory_percentage: StrictInt | None = key(
        None,
        "Share of the requested memory that the pods are kept at. Java gives little of it back.",
        unit="percent",
        ge=1,
        le=1000,
        source=AUTOSCALING,
    )


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Amount = Annotated[
    str, BeforeValidator(_as_text), Field(pattern=r"^([0-9]{1,3}|([0-9]{1,2}|100)%)$")
]
"""A number of pods, or a share of them: `1`, `50%`."""


class DisruptionBudget(Model):
    """How many pods may be missing while nodes are drained. One of the two."""

    min_available: Amount | None = key(
        None, "Pods that stay, as a number or a share (`50%`).", source=BUDGET
    )
    max_unavailable: Amount | None = key(
        None, "Pods that may be missing, as a number or a share.", source=BUDGET
    )
