"""The Deployments of a stack: one for each server component, and one for each worker group."""

from __future__ import annotations

from dataclasses import dataclass

from components.settings.deployment import Component, Deployment, WorkerGroup
from components.settings.pods import PodSettings, merge


@dataclass(frozen=True)
class Workload:
    """A Deployment of Kestra's pods."""

    name: str
    """Its label `app.kubernetes.io/component`: `webserver`, `worker-gpu`."""
    server: str
    """The component that `kestra server` starts."""
    component: Component
    pod: PodSettings
    """What the pods have besides, of all components and of this one."""
    loc: tuple[str, ...]
    """Where the settings say it."""
    group: str | None = None
    """Name of the worker group, where it is one."""

    @property
    def worker_group(self) -> WorkerGroup | None:
        """The settings of the worker group, where it is one."""
        return self.component if isinstance(self.component, WorkerGroup) else None


def workloads(deployment: Deployment, components: tuple[str, ...]) -> tuple[Workload, ...]:
    """Every Deployment.

    Args:
        deployment: the settings.
        components: names of the server components that are deployed.
    """
    places = [
        (name, name, getattr(deployment.components, name), ("deployment", "components", name), None)
        for name in components
    ]
    places += [
        (f"worker-{name}", "worker", group, ("deployment", "worker-groups", name), name)
        for name, group in deployment.worker_groups.items()
    ]
    return tuple(
        Workload(name, server, component, merge(deployment, component), loc, group)
        for name, server, component, loc, group in places
    )
