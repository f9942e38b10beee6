"""The policy pack's verdict on the resources, area by area."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.settings import Settings
from policy import controls
from policy.core.levels import environment_of, level
from policy.core.model import (
    Context,
    Control,
    Environment,
    Resource,
    Severity,
    Stack,
    evaluate,
    message,
)
from policy.core.options import Options
from sandbox.inspection.resources import StackResources

Result = Literal["violated", "undecided", "satisfied", "nothing"]
#: Results in the order of the charts, with their words and the sign that stands beside the colour.
RESULTS: Mapping[Result, tuple[str, str]] = {
    "violated": ("Violated", "✗"),
    "undecided": ("Not decidable yet", "?"),
    "satisfied": ("No objection", "✓"),
    "nothing": ("Nothing to judge", "–"),
}
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
AREA_TITLES = {area: area.replace("-", " ").capitalize() for area in controls.AREAS}


@dataclass(frozen=True)
class Judgement:
    """What a control says of the stack."""

    control: Control
    level: str
    result: Result
    subjects: int
    """Resources that it looked at; 0 for rules on whole stacks."""
    messages: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return RESULTS[self.result][0]

    @property
    def sign(self) -> str:
        return RESULTS[self.result][1]


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: an area and how many of its controls ended how."""

    title: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def parts(self, scale: float) -> list[tuple[str, int, float, float]]:
        """Kind, count, beginning and length of each part that is not empty."""
        lengths, x = [], 0.0
        for kind, count in self.counts.items():
            if count:
                lengths.append((kind, count, round(x, 1), round(count * scale, 1)))
                x += count * scale
        return lengths


@dataclass(frozen=True)
class Judgements:
    """The whole verdict."""

    environment: Environment
    all: tuple[Judgement, ...]

    def of(self, result: Result) -> list[Judgement]:
        """Those that ended so."""
        return [j for j in self.all if j.result == result]

    def in_area(self, area: str) -> list[Judgement]:
        """Those of an area."""
        return [j for j in self.all if j.control.area == area]

    @property
    def refusing(self) -> list[Judgement]:
        """Violations that refuse an update."""
        return [j for j in self.of("violated") if j.level != "advisory"]

    @property
    def areas(self) -> list[Bar]:
        """A bar an area."""
        return [
            Bar(
                AREA_TITLES[area],
                {r: sum(j.result == r for j in self.in_area(area)) for r in RESULTS},
            )
            for area in controls.AREAS
        ]

    @property
    def severities(self) -> list[Bar]:
        """A bar a severity, of what is violated: by whether it refuses an update."""
        violated = self.of("violated")
        return [
            Bar(
                severity.capitalize(),
                {
                    "refusing": sum(
                        j in self.refusing for j in violated if j.control.severity == severity
                    ),
                    "advisory": sum(
                        j not in self.refusing for j in violated if j.control.severity == severity
                    ),
                },
            )
            for severity in SEVERITIES
        ]


def environment(settings: Settings, stack: str, config: Mapping[str, str]) -> Environment:
    """The environment that the pack takes the stack for.

    Args:
        settings: the settings.
        stack: name of the stack.
        config: the stack file's keys of other namespaces (`kestra-policy:environment`).
    """
    values = dict(config)
    if "environment" in settings.tags.model_fields_set:
        values["kestra:tags"] = json.dumps({"environment": settings.tags.environment})
    return environment_of(values, stack)


def judge(
    resources: StackResources,
    environment: Environment,
    options: Options,
    levels: Mapping[str, str] | None = None,
    releases: Mapping[str, str] | None = None,
) -> Judgements:
    """Every control on every resource.

    Args:
        resources: the stack's.
        environment: the environment that the stack is judged as.
        options: configuration of the pack.
        levels: control (or `all`) to another level than the environment's.
        releases: digest of an image to the tag that the settings name beside it.
    """
    context = Context(environment, options, configured_releases=releases or {})
    # One stack for all controls: it remembers what several of them work out.
    stack = Stack(resources.whole)
    other = levels or {}
    verdicts: list[Judgement] = []
    for control in controls.ALL:
        strictness = other.get(control.id, other.get("all", level(control, environment)))
        subjects: Sequence[Resource | Stack] = ()
        if strictness != "disabled":
            subjects = [stack] if control.is_stack else _of_types(resources, control.types)
        verdicts.append(_judge(control, subjects, context, strictness))
    return Judgements(environment, tuple(verdicts))


def _of_types(resources: StackResources, types: Sequence[str]) -> list[Resource]:
    return [resource for resource in resources.resources if resource.type in types]


def _judge(
    control: Control, subjects: Sequence[Resource | Stack], context: Context, strictness: str
) -> Judgement:
    messages: list[str] = []
    undecided: list[str] = []
    for subject in subjects:
        verdict = evaluate(control, subject, context)
        whose = subject if isinstance(subject, Resource) else None
        messages += [message(control, problem, whose) for problem in verdict.problems]
        undecided += [f"{whose.name}: {path}" if whose else path for path in verdict.undecided]
    result: Result = "satisfied"
    if messages:
        result = "violated"
    elif undecided:
        result = "undecided"
    elif not subjects:
        result = "nothing"
    return Judgement(
        control,
        strictness,
        result,
        0 if control.is_stack else len(subjects),
        tuple(messages),
        tuple(dict.fromkeys(undecided)),
    )
