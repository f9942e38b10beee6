"""How a control's cases are written down: one good stack, what spoils it, what leaves it undecided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy.core.model import Environment
from tests.policy.analyzer_support import UNKNOWN, R


@dataclass(frozen=True)
class Case:
    """The cases of one control."""

    good: Sequence[Sequence[R]]
    """Stacks that pass."""
    bad: Sequence[Sequence[R]]
    """Stacks that fail."""
    unknown: Sequence[Sequence[R]]
    """Stacks of which nothing can be said yet."""
    environment: Environment = "production"
    options: Mapping[str, Any] = field(default_factory=dict)


def case(
    base: R,
    bad: Mapping[str, Any] | Sequence[tuple[str, Any]],
    unknown: str | Sequence[str],
    *,
    around: Sequence[R] = (),
    good: Sequence[Sequence[R]] = (),
    worse: Sequence[Sequence[R]] = (),
    uncertain: Sequence[Sequence[R]] = (),
    options: Mapping[str, Any] | None = None,
) -> Case:
    """A good resource, and the properties that spoil it or may be unknown.

    Args:
        base: the resource that passes.
        bad: path to value; each alone makes it fail.
        unknown: paths; each alone leaves it undecided.
        around: what else is in the stack.
        good: further stacks that pass.
        worse: further stacks that fail.
        uncertain: further stacks of which nothing can be said.
        options: the pack's configuration.
    """
    changes = bad.items() if isinstance(bad, Mapping) else bad
    paths = [unknown] if isinstance(unknown, str) else unknown
    return Case(
        [[base, *around], *good],
        [*([base.but(path, value), *around] for path, value in changes), *worse],
        [*([base.but(path, UNKNOWN), *around] for path in paths), *uncertain],
        options=options or {},
    )
