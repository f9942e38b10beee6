"""The heap of Kestra's Java: one place says how large it may be."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.findings import Finding
from components.settings.java import VARIABLE, sets_heap, sets_heap_size
from components.settings.model import Settings


def check(s: Settings) -> Iterator[Finding]:
    """A share beside a size is ignored by Java without a word."""
    deployment = s.deployment
    for name in s.components:
        component = getattr(deployment.components, name)
        if component.heap_percentage is None:
            continue
        rule = "one place says how large Java's heap may be; a size counts more than a share"
        at = ("deployment", "components", name, "heap-percentage")
        if sets_heap(component.java_options or ""):
            yield Finding(at, "stands beside a heap in java-options", rule, "keep one of the two")
        elif sets_heap_size(deployment.environment.get(VARIABLE, "")):
            yield Finding(
                at,
                f"stands beside a heap size in the variable {VARIABLE}",
                rule,
                f"remove it, or take the size out of kestra:deployment.environment.{VARIABLE}",
            )
