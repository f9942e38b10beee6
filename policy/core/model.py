"""What a control is, what it looks at, and what it finds. Nothing here needs Pulumi."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .options import Options
from .values import SHAPE_ERRORS, Misshapen, OutOfView, Undecided, get_path

Severity = Literal["low", "medium", "high", "critical"]
VARIABLE = "${NAME}, a variable from a Secret"
"""What a control asks for in place of a secret in a configuration."""
Environment = Literal["development", "staging", "production"]
#: S3 as version 6 of its provider has it, and what is converted from Terraform since: `aws:s3/bucketV2:BucketV2`.
_S3_V2 = re.compile(r"^aws:s3/(\w+)V2:(\w+)V2$")
#: `azure-native:keyvault/v20260201:`, and the package of an SDK made for one version of an API
#: (`azure-native_keyvault_v20260201:keyvault/v20260201:`).
_AZURE_VERSION = re.compile(r"^azure-native(_[a-z0-9]+_v\w+)?:([^/:]+)(/v\w+)?:")


@dataclass(frozen=True)
class Framework:
    """A rule of a published standard: the same rule has other numbers in other versions."""

    name: str
    version: str
    id: str


@dataclass(frozen=True)
class Resource:
    """A resource of the stack."""

    type: str
    name: str
    props: Mapping[str, Any] = field(default_factory=dict)
    urn: str = ""
    protect: bool = False
    references: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Property to the URNs of the resources that its value comes from; known for whole stacks only."""
    origin: Resource | None = None
    """The resource whose properties an object is made of, which is none of the stack's own (chart_objects.py)."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Property of such an object to the property of that resource; what is below one is below the other."""

    def get_path(self, path: str | Sequence[str]) -> Any:
        """A property by its path; None when missing. Raises Undecided when unknown."""
        return get_path(self.props, path)

    def place(self, path: str) -> str:
        """The property to change for one of this object's."""
        inside = (key for key in self.places if f"{path}.".startswith(f"{key}."))
        longest = max(inside, key=len, default=None)
        return path if longest is None else self.places[longest] + path[len(longest) :]

    def refers_to(self, other: Resource, *properties: str) -> bool:
        """Whether one of these properties comes from another resource."""
        return any(other.urn in self.references.get(name, ()) for name in properties)


def plain_type(token: str) -> str:
    """A type without the version that types of Azure and S3 may carry."""
    return _S3_V2.sub(r"aws:s3/\1:\2", _AZURE_VERSION.sub(r"azure-native:\2:", token))


@dataclass(frozen=True)
class Stack:
    """All resources of a stack."""

    resources: Sequence[Resource]
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What several controls work out once."""

    def of(self, *types: str) -> list[Resource]:
        """The resources of some types."""
        return [r for r in self.resources if r.type in types]


@dataclass(frozen=True)
class Context:
    """What a control may need beside what it judges."""

    environment: Environment
    options: Options = field(default_factory=Options)
    today: datetime.date = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())
    configured_releases: Mapping[str, str] = field(default_factory=dict)
    """Digest of an image to the tag that the stack's own settings name beside it."""

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def releases(self) -> Mapping[str, str]:
        """Digest of an image to the tag of its release."""
        return {**self.configured_releases, **self.options.image_releases}


@dataclass(frozen=True)
class Problem:
    """What a control objects to; never with a secret value."""

    actual: str
    """What there is."""
    expected: str
    """What there should be."""
    property_path: str
    """The property to change."""
    resource: Resource | None = None
    """Whose; for controls that look at whole stacks. None: the stack's."""
    setting: str = ""
    """The setting of this project (`kestra:…`), when it is not the control's."""


Finding = Problem | Undecided
Check = Callable[[Any, Context], Iterable[Finding]]
Remedy = Callable[[Resource, Context], Mapping[str, Any]]


@dataclass(frozen=True)
class Control:
    """A rule, why it matters, and how to satisfy it."""

    id: str
    title: str
    severity: Severity
    risk: str
    """One sentence."""
    steps: Sequence[str]
    """How to satisfy it."""
    check: Check
    types: Sequence[str]
    """Types of the resources that it judges; empty: it judges whole stacks."""
    setting: str
    frameworks: Sequence[Framework] = ()
    remedy: Remedy | None = None
    """Top-level properties to set; only for what is harmless to repeat."""
    always: Literal["advisory", ""] = ""
    """The level in every environment; empty: by the table."""

    @property
    def area(self) -> str:
        return self.id.removeprefix("ks-").rsplit("-", 1)[0]

    @property
    def is_stack(self) -> bool:
        return not self.types


REGISTRY: dict[str, Control] = {}
#: Characters of what a message says of a value.
_LONGEST = 600


def control(
    id: str,
    title: str,
    severity: Severity,
    *,
    risk: str,
    steps: Sequence[str],
    setting: str,
    types: Sequence[str] = (),
    frameworks: Sequence[Framework] = (),
    remedy: Remedy | None = None,
    always: Literal["advisory", ""] = "",
) -> Callable[[Check], Check]:
    """Registers a function as the check of a control."""

    def register(check: Check) -> Check:
        if id in REGISTRY:
            raise ValueError(f"two controls are called {id}")
        REGISTRY[id] = Control(
            id, title, severity, risk, steps, check, types, setting, frameworks, remedy, always
        )
        return check

    return register


@dataclass(frozen=True)
class Verdict:
    """What a control says of a resource or a stack."""

    problems: Sequence[Problem]
    undecided: Sequence[str]
    """What is not known yet."""
    out_of_view: Sequence[str] = ()
    """What the stack does not hold, so that it will not be known either."""
    misshapen: Sequence[str] = ()
    """What has another type than its key takes."""


def evaluate(control: Control, subject: Resource | Stack, context: Context) -> Verdict:
    """Runs a control; what is exempt is left out."""
    problems: list[Problem] = []
    undecided: list[str] = []
    out_of_view: list[str] = []
    misshapen: list[str] = []

    def findings() -> Iterator[Finding]:
        try:
            yield from control.check(subject, context)
        except Undecided as undecided_value:
            yield undecided_value
        except SHAPE_ERRORS:
            # A traceback would end the whole preview; whoever takes the value refuses it.
            yield Misshapen(f"a value of {getattr(subject, 'name', 'the stack')}")

    for finding in findings():
        if isinstance(finding, Undecided):
            kinds = {OutOfView: out_of_view, Misshapen: misshapen}
            kinds.get(type(finding), undecided).append(finding.path)
            continue
        whose = finding.resource or (subject if isinstance(subject, Resource) else None)
        if not context.options.exempts(
            control.id, whose.name if whose else "", whose.urn if whose else "", context.today
        ):
            problems.append(finding)
    return Verdict(problems, undecided, out_of_view, misshapen)


def message(control: Control, problem: Problem, resource: Resource | None) -> str:
    """What a person reads: the resource, what it has, what it should have, where to change it."""
    whose = problem.resource or resource
    own = whose.origin or whose if whose else None
    name = f"{own.name} ({own.type})" if own else "the stack"
    path = whose.place(problem.property_path) if whose else problem.property_path
    setting = problem.setting or control.setting
    here = f"; with kestra-on-pulumi: {setting}" if setting else ""
    actual = problem.actual
    if len(actual) > _LONGEST:
        actual = f"{actual[:_LONGEST]}… ({len(problem.actual):,} characters)"
    return f"{name}: {actual}. Wanted: {problem.expected}. Change {path}{here}."


# Benchmarks by name and version, as cited by the controls.


def cis_kubernetes(*ids: str, version: str = "1.10") -> tuple[Framework, ...]:
    """Rules of the CIS Kubernetes Benchmark."""
    return tuple(Framework("CIS Kubernetes Benchmark", version, rule) for rule in ids)


def cis(cloud: str, **versions: str) -> tuple[Framework, ...]:
    """One rule of a CIS Foundations Benchmark by version: `cis("AWS", v6_0="4.6")`."""
    name = f"CIS {cloud} Foundations Benchmark"
    return tuple(
        Framework(name, version.removeprefix("v").replace("_", "."), rule)
        for version, rule in versions.items()
    )


def fsbp(*ids: str) -> tuple[Framework, ...]:
    """Controls of the AWS Foundational Security Best Practices standard."""
    return tuple(
        Framework("AWS Foundational Security Best Practices", "1.0.0", rule) for rule in ids
    )
