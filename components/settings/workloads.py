"""The Deployments of a stack: one for each server component, and one for each worker group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .deployment import Component, Deployment, WorkerGroup
from .pods import PodSettings, merge

if TYPE_CHECKING:
    from .model import Settings


@dataclass(frozen=True)
class Workload:
    """A Deployment of Kestra's pods."""

    name: str
    """Its label `app.kubernetes.io/component`: `webserver`, `worker-gpu`."""
    server: str
    """The component that `kestra server` starts."""
    component: Component
    shared: PodSettings
    """What the pods of all components have besides."""
    loc: tuple[str, ...]
    """Where the settings say it."""
    group: str | None = None
    """Name of the worker group, where it is one."""

    @cached_property
    def pod(self) -> PodSettings:
        """What the pods have besides, of all components and of this one."""
        return merge(self.shared, self.component)

    @property
    def runs_tasks(self) -> bool:
        """Whether tasks of flows run in its pods."""
        return self.server in ("standalone", "worker")

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
        Workload(name, server, component, deployment, loc, group)
        for name, server, component, loc, group in places
    )


def places(settings: Settings) -> Iterator[tuple[tuple[str, ...], PodSettings]]:
    """The settings of pods, each with its place: those of all components, and those of each Deployment."""
    yield ("deployment",), settings.deployment
    for workload in settings.workloads:
        yield workload.loc, workload.component


def group_accounts(settings: Settings) -> dict[str, tuple[str, dict[str, str]]]:
    """Worker group to name and annotations of the service account that is its own.

    A group that names Kestra's account shares that one, and is not here.
    """
    accounts: dict[str, tuple[str, dict[str, str]]] = {}
    for name, group in settings.deployment.worker_groups.items():
        account = group.service_account
        own = account.name or f"kestra-worker-{name}"
        if own != settings.identity.service_account.name:
            accounts[name] = (own, dict(account.annotations))
    return accounts
