"""The pack's policies called as the engine calls them, with the SDK's own types."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi_policy as sdk
from pulumi_policy.policy import _NotApplicableError
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy
from pulumi_policy.secret import Secret

from policy.core.adapter import Pack
from policy.core.model import Environment
from policy.core.options import NAME

UNKNOWN = UNKNOWN_STRING_VALUE
ABSENT = object()


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


def _options(resource: R) -> sdk.PolicyResourceOptions:
    timeouts = sdk.PolicyCustomTimeouts(0, 0, 0)
    return sdk.PolicyResourceOptions(resource.protect, [], None, [], timeouts, [])


def arguments(resource: R, config: Mapping[str, Any] | None = None) -> sdk.ResourceValidationArgs:
    props = unknown_checking_proxy(copy.deepcopy(dict(resource.props)))
    return sdk.ResourceValidationArgs(
        resource.type, props, resource.urn, resource.name, _options(resource), None, config
    )


def _whole(stack: Sequence[R]) -> sdk.StackValidationArgs:
    by_name = {
        r.name: sdk.PolicyResource(
            r.type,
            unknown_checking_proxy(copy.deepcopy(dict(r.props))),
            r.urn,
            r.name,
            _options(r),
            None,
            None,
            [],
            {},
        )
        for r in stack
    }
    assert len(by_name) == len(stack), "two resources of a test have one name"
    for resource in stack:
        for prop, names in resource.uses.items():
            by_name[resource.name].property_dependencies[prop] = [by_name[n] for n in names]
    return sdk.StackValidationArgs(list(by_name.values()))


def pack(
    environment: Environment, options: Mapping[str, Any] | None = None, *, marked: bool = True
) -> Pack:
    """The pack, with its configuration read as in a run."""
    policy_pack = Pack(environment, marked=marked)
    first = cast(sdk.ResourceValidationPolicy, policy_pack.policies[0])
    assert first.name == NAME
    first.validate(arguments(R("pulumi:pulumi:Stack"), options), lambda *_: None)
    return policy_pack


def judge(policy_pack: Pack, control: str, stack: Sequence[R]) -> Judged:
    """What one control says of a stack."""
    policy: Any = next(p for p in policy_pack.policies if p.name == control)
    judged = Judged()

    def report(message: str, _: str | None = None) -> None:
        judged.messages.append(message)

    @contextlib.contextmanager
    def noted() -> Iterator[None]:
        try:
            yield
        except _NotApplicableError as error:
            judged.not_yet.append(error.reason or "")

    if isinstance(policy, sdk.StackValidationPolicy):
        with noted():
            policy.validate(_whole(stack), report)
        return judged
    for resource in stack:
        with noted():
            policy.validate(arguments(resource), report)
    return judged


def everything(policy_pack: Pack, stack: Sequence[R]) -> list[tuple[str, str]]:
    """Control and message of every problem of a stack."""
    return [
        (policy.name, message)
        for policy in policy_pack.policies[1:]
        for message in judge(policy_pack, policy.name, stack).messages
    ]


def secret(value: Any) -> Secret:
    """A value that Pulumi marks as secret."""
    return Secret(value)
