"""The pack's verdicts on a resource or a whole stack, whoever asks for them. Nothing here needs Pulumi."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from .. import controls
from ..chart_objects import all_resources, chart_objects
from ..pods import WORKLOADS
from .levels import Level, level
from .model import Context, Control, Environment, Resource, Stack, Verdict, evaluate, message
from .options import Options
from .values import SHAPE_ERRORS, Misshapen, OutOfView, Undecided

_CONTAINER = re.compile(r": container \S+")


@dataclass(frozen=True)
class Violation:
    """What a control objects to."""

    control: Control = field(hash=False)
    level: Level
    text: str
    """For people; never with a secret value."""
    urn: str
    """Of the resource; empty: the stack's."""


@dataclass(frozen=True)
class Judged:
    """What a control says."""

    control: Control
    violations: tuple[Violation, ...]
    undecided: str
    """Why it cannot decide; empty when it can."""


@dataclass(frozen=True)
class Judge:
    """The controls at the levels of one environment, with one configuration."""

    environment: Environment
    options: Options = field(default_factory=Options)
    levels: Mapping[str, Level | Literal["disabled"]] = field(default_factory=dict)
    """Control to its level, where it is not that of the environment."""
    releases: Mapping[str, str] = field(default_factory=dict)
    """Digest of an image to the tag that the stack's own settings name beside it."""

    @cached_property
    def context(self) -> Context:
        """What the controls may need."""
        return Context(self.environment, self.options, configured_releases=self.releases)

    def level(self, control: Control) -> Level | Literal["disabled"]:
        """The level of a control."""
        return self.levels.get(control.id) or level(control, self.environment)

    def of_resource(self, resource: Resource) -> Iterator[Judged]:
        """What the controls of single resources say of one."""
        for control in controls.ALL:
            if resource.type in control.types:
                yield from self._judged(control, resource)
        yield from self._of_chart(resource)

    def _of_chart(self, release: Resource) -> Iterator[Judged]:
        """What controls of single objects say of those that Kestra's chart makes; others judge its values."""
        others = [c for c in controls.ALL if c.types and release.type not in c.types]
        try:
            objects = chart_objects(release)
        except Undecided as reason:
            for control in others:
                if set(WORKLOADS) & set(control.types) and self.level(control) != "disabled":
                    yield Judged(control, (), _undecided(_verdict(reason)))
            return
        said: set[str] = set()
        for control in others:
            for one in objects:
                for judged in self._judged(control, one) if one.type in control.types else ():
                    # A value that several components share is one to change.
                    new = {_CONTAINER.sub("", v.text): v for v in judged.violations}
                    yield Judged(
                        control,
                        tuple(v for text, v in new.items() if text not in said),
                        judged.undecided,
                    )
                    said |= set(new)

    def of_stack(self, stack: Stack) -> Iterator[Judged]:
        """What the controls of whole stacks say of one."""
        whole = all_resources(stack)
        for control in controls.ALL:
            if control.is_stack:
                yield from self._judged(control, whole)

    def _judged(self, control: Control, subject: Resource | Stack) -> Iterator[Judged]:
        own = self.level(control)
        if own == "disabled":
            return
        # What could not be mended is refused.
        refused: Level = "mandatory" if own == "remediate" else own
        verdict = evaluate(control, subject, self.context)
        resource = subject if isinstance(subject, Resource) else None
        violations = tuple(
            Violation(
                control,
                refused,
                message(control, problem, resource),
                whose.urn if (whose := problem.resource or resource) else "",
            )
            for problem in verdict.problems
        )
        # Pods of one chart may lack the same.
        yield Judged(control, tuple(dict.fromkeys(violations)), _undecided(verdict))

    def remedy(self, control: Control, resource: Resource) -> Mapping[str, object]:
        """The properties by which a control mends a resource; empty when it has nothing to mend."""
        if control.remedy is None or resource.type not in control.types:
            return {}
        if self.level(control) != "remediate":
            return {}
        if not evaluate(control, resource, self.context).problems:
            return {}
        try:
            return control.remedy(resource, self.context)
        except SHAPE_ERRORS:
            # What it cannot mend is refused.
            return {}


def _verdict(reason: Undecided) -> Verdict:
    """The verdict of a control that a reason keeps from deciding."""
    if isinstance(reason, Misshapen):
        return Verdict((), (), misshapen=[reason.path])
    return (
        Verdict((), (), [reason.path])
        if isinstance(reason, OutOfView)
        else Verdict((), [reason.path])
    )


def _undecided(verdict: Verdict) -> str:
    kinds = {
        "not decidable before the update": verdict.undecided,
        "not decidable from this stack, which does not hold it": verdict.out_of_view,
        "not decidable, since its type is none that its key takes": verdict.misshapen,
    }
    return "; ".join(f"{why}: {', '.join(dict.fromkeys(w))}" for why, w in kinds.items() if w)
