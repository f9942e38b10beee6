"""The namespaces in which the task runner makes pods, and who makes them there."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Settings
from .task_runner import TaskNamespace
from .workloads import group_accounts


@dataclass(frozen=True)
class TaskPlace:
    """A namespace for task pods."""

    settings: TaskNamespace
    namespace: str
    suffix: str
    """Of the logical names of its resources: `tasks`, `tasks-gpu`."""
    groups: tuple[str, ...]
    """Worker groups whose own service accounts make pods there."""
    is_kestras: bool
    """Whether Kestra's own service account makes pods there."""
    loc: tuple[str, ...]
    """Where the settings say it."""


def task_places(settings: Settings) -> tuple[TaskPlace, ...]:
    """The namespaces for task pods: the one of the stack, and those of worker groups with one of their own."""
    deployment, at = settings.deployment, ("deployment", "task-runner")
    if deployment.task_runner is None:
        return ()
    own = {n: g.task_runner for n, g in deployment.worker_groups.items() if g.task_runner}
    sharing = tuple(name for name in group_accounts(settings) if name not in own)
    chosen = [(deployment.task_runner, "tasks", sharing, True, at)]
    chosen += [
        (place, f"tasks-{name}", (name,), False, ("deployment", "worker-groups", name, at[-1]))
        for name, place in own.items()
    ]
    return tuple(
        TaskPlace(
            place,
            place.namespace or f"{deployment.namespace}-{suffix}",
            suffix,
            groups,
            is_kestras,
            loc,
        )
        for place, suffix, groups, is_kestras, loc in chosen
    )
