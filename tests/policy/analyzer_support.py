"""The pack's analyzer called as the engine calls it, with the messages of its protocol."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi.runtime.proto import analyzer_pb2 as proto

from policy import controls
from policy.core.analyzer import Analyzer
from policy.core.model import REGISTRY, Environment
from policy.core.options import NAME
from policy.core.wire import SECRET, SIGNATURE, UNKNOWN_TEXT

UNKNOWN = UNKNOWN_TEXT
ABSENT = object()
_ORDER = [control.id for control in controls.ALL]


class Refused(Exception):
    """The analyzer ended a request with an error."""


class Call:
    """What the analyzer may ask of a request."""

    def abort(self, code: Any, details: str) -> None:
        raise Refused(details)


@dataclass(frozen=True)
class R:
    """A resource of a test's stack; `**props` are its properties."""

    type: str
    props: Mapping[str, Any] = field(default_factory=dict)
    name: str = "it"
    protect: bool = False
    uses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Property to the names of the resources that its value comes from."""

    def but(self, path: str, value: Any) -> R:
        """The same with another value at a path; ABSENT removes what is there."""
        props = copy.deepcopy(dict(self.props))
        *way, last = path.split("/") if "/" in path else path.split(".")
        place: Any = props
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if value is ABSENT:
            del place[int(last) if isinstance(place, list) else last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
        return R(self.type, props, self.name, self.protect, self.uses)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::kestra::{self.type}::{self.name}"


@dataclass
class Judged:
    """What a policy said."""

    messages: list[str] = field(default_factory=list)
    not_yet: list[str] = field(default_factory=list)


def request(resource: R) -> proto.AnalyzeRequest:
    """What the engine sends of a resource."""
    message = proto.AnalyzeRequest(type=resource.type, urn=resource.urn, name=resource.name)
    message.options.protect = resource.protect
    message.properties.update(copy.deepcopy(dict(resource.props)))
    return message


def _whole(stack: Sequence[R]) -> proto.AnalyzeStackRequest:
    assert len({r.name for r in stack}) == len(stack), "two resources of a test have one name"
    urns = {r.name: r.urn for r in stack}
    whole = proto.AnalyzeStackRequest()
    for resource in stack:
        message = whole.resources.add(type=resource.type, urn=resource.urn, name=resource.name)
        message.options.protect = resource.protect
        message.properties.update(copy.deepcopy(dict(resource.props)))
        for prop, names in resource.uses.items():
            message.propertyDependencies[prop].urns.extend(urns[name] for name in names)
    return whole


def pack(
    environment: Environment,
    options: Mapping[str, Any] | None = None,
    levels: Mapping[str, Any] | None = None,
    *,
    config: Mapping[str, str] | None = None,
) -> Analyzer:
    """The analyzer, told of its environment and configuration as in a run.

    Args:
        environment: of the stack.
        options: of the configuration.
        levels: control to level.
        config: further configuration of the stack, key to text.
    """
    analyzer, call = Analyzer(), Call()
    known = {"kestra-policy:environment": environment, **(config or {})}
    analyzer.ConfigureStack(proto.AnalyzerStackConfigureRequest(stack="any", config=known), call)
    configured = proto.ConfigureAnalyzerRequest()
    configured.policyConfig[NAME].properties.update(dict(options or {}))
    for name, level in (levels or {}).items():
        configured.policyConfig[name].enforcementLevel = proto.EnforcementLevel.Value(level.upper())
    analyzer.Configure(configured, call)
    return analyzer


def judge(analyzer: Analyzer, control: str, stack: Sequence[R]) -> Judged:
    """What one control says of a stack."""
    judged = Judged()
    others: dict[str, Any] = {one: "disabled" for one in _ORDER if one != control}
    whole, analyzer.judge = analyzer.judge, replace(analyzer.judge, levels=others)
    if REGISTRY[control].is_stack:
        responses = [analyzer.AnalyzeStack(_whole(stack), Call())]
    else:
        responses = [analyzer.Analyze(request(resource), Call()) for resource in stack]
    for response in responses:
        for diagnostic in response.diagnostics:
            assert diagnostic.message.startswith(f"{diagnostic.description}\n")
            judged.messages.append(diagnostic.message.partition("\n")[2])
        judged.not_yet += [one.reason for one in response.not_applicable]
    analyzer.judge = whole
    return judged


def stack_responses(analyzer: Analyzer, stack: Sequence[R]) -> list[proto.AnalyzeResponse]:
    """What the analyzer answers of each resource, and of the whole."""
    each = [analyzer.Analyze(request(resource), Call()) for resource in stack]
    return [*each, analyzer.AnalyzeStack(_whole(stack), Call())]


def everything(analyzer: Analyzer, stack: Sequence[R]) -> list[tuple[str, str]]:
    """Control and message of every problem of a stack, control by control."""
    said = [
        (diagnostic.policyName, diagnostic.message.partition("\n")[2])
        for response in stack_responses(analyzer, stack)
        for diagnostic in response.diagnostics
    ]
    return sorted(said, key=lambda entry: _ORDER.index(entry[0]))


def secret(value: Any) -> dict[str, Any]:
    """A value that Pulumi marks as secret."""
    return {SIGNATURE: SECRET, "value": value}
