"""The heap of Kestra's Java: one place says how large it may be."""

from __future__ import annotations

from collections.abc import Iterator

from ...settings.deployment import Component
from ...settings.findings import Finding
from ...settings.java import VARIABLE, sets_heap, sets_heap_size, with_extra_variables
from ...settings.model import Settings


def check(s: Settings) -> Iterator[Finding]:
    """A share beside a size is ignored by Java without a word."""
    for workload in s.workloads:
        component, deployment = workload.component, with_extra_variables(s.deployment, workload.pod)
        is_extra = VARIABLE not in s.deployment.environment
        where = (
            f"the variable {VARIABLE} of extra-env"
            if is_extra
            else f"kestra:deployment.environment.{VARIABLE}"
        )
        if VARIABLE in deployment.secret_environment:
            yield from _beside_secret(workload.loc, component, where)
            continue
        if component.heap_percentage is None:
            continue
        rule = "one place says how large Java's heap may be; a size counts more than a share"
        at = (*workload.loc, "heap-percentage")
        if sets_heap(component.java_options or ""):
            yield Finding(at, "stands beside a heap in java-options", rule, "keep one of the two")
        elif sets_heap_size(deployment.plain_environment.get(VARIABLE, "")):
            yield Finding(
                at,
                f"stands beside a heap size in the variable {VARIABLE}",
                rule,
                f"remove it, or take the size out of {where}",
            )


def _beside_secret(loc: tuple[str, ...], component: Component, where: str) -> Iterator[Finding]:
    """An encrypted JAVA_OPTS comes from the Secret, and what a component says would take its place."""
    for key, value in (
        ("heap-percentage", component.heap_percentage),
        ("java-options", component.java_options),
    ):
        if value is not None:
            yield Finding(
                (*loc, key),
                f"stands beside an encrypted variable {VARIABLE}",
                f"both are the variable {VARIABLE} of the pod, and what is not encrypted takes the place of what is",
                f"write it into {where}, or remove that variable",
            )
