"""The controls as policies of Pulumi's SDK. The one place of the pack that needs Pulumi."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_policy as sdk
from google.protobuf import struct_pb2
from pulumi_policy import policy as internals
from pulumi_policy.proxy import _is_unknown
from pulumi_policy.secret import Secret

from policy import controls
from policy.core.levels import environment_of, level
from policy.core.model import (
    Context,
    Control,
    Environment,
    Resource,
    Stack,
    Verdict,
    judged,
    message,
    plain_type,
)
from policy.core.options import NAME, SCHEMA, Options
from policy.core.values import UNKNOWN, Sealed
from policy.releases import configured_releases

PACK = "kestra"


class Pack:
    """The pack's policies for one environment, sharing one configuration."""

    def __init__(
        self,
        environment: Environment,
        *,
        marked: bool = True,
        releases: Mapping[str, str] | None = None,
    ) -> None:
        self.environment: Environment = environment
        self._releases = releases or {}
        self.options = Options()
        self._marked = marked
        self._last: tuple[list[Any], Stack] | None = None
        self.policies: list[sdk.Policy] = [self._configuration()]
        self.policies += [self._policy(control) for control in controls.ALL]

    @property
    def _context(self) -> Context:
        return Context(self.environment, self.options, configured_releases=self._releases)

    def _configuration(self) -> sdk.Policy:
        """Comes first, so that it has told the others of the configuration before they judge."""

        def read(args: sdk.ResourceValidationArgs, _: sdk.ReportViolation) -> None:
            self.options = Options.read(_plain(args.get_config()))

        return sdk.ResourceValidationPolicy(
            name=NAME,
            description="Limits, allow-lists and exemptions of this pack.",
            validate=read,
            config_schema=sdk.PolicyConfigSchema(dict(SCHEMA)),
            enforcement_level=sdk.EnforcementLevel.ADVISORY,
        )

    def _policy(self, control: Control) -> sdk.Policy:
        first = control.frameworks[0] if control.frameworks else None
        said: dict[str, Any] = {
            "name": control.id,
            "description": control.risk,
            "display_name": control.title,
            "severity": sdk.Severity(control.severity),
            "framework": sdk.PolicyComplianceFramework(
                first.name, first.version, specification=first.id
            )
            if first
            else None,
            "tags": [control.area, *(f"{f.name} {f.version} {f.id}" for f in control.frameworks)],
            "remediation_steps": "\n".join(control.steps),
            "enforcement_level": sdk.EnforcementLevel(level(control, self.environment)),
        }
        if control.is_stack:
            return sdk.StackValidationPolicy(validate=self._whole(control), **said)
        mend = self._mend(control) if control.remedy else None
        return sdk.ResourceValidationPolicy(validate=self._single(control), remediate=mend, **said)

    def _single(
        self, control: Control
    ) -> Callable[[sdk.ResourceValidationArgs, sdk.ReportViolation], None]:
        def validate(args: sdk.ResourceValidationArgs, report: sdk.ReportViolation) -> None:
            if plain_type(args.resource_type) not in control.types:
                return
            resource = self._resource(args)
            verdict = judged(control, resource, self._context)
            for problem in verdict.problems:
                report(message(control, problem, resource), None)
            if reason := _undecided(verdict):
                args.not_applicable(reason)

        return validate

    def _whole(
        self, control: Control
    ) -> Callable[[sdk.StackValidationArgs, sdk.ReportViolation], None]:
        def validate(args: sdk.StackValidationArgs, report: sdk.ReportViolation) -> None:
            verdict = judged(control, self._stack(args.resources), self._context)
            for problem in verdict.problems:
                whose = problem.resource
                report(message(control, problem, None), whose.urn if whose else None)
            if reason := _undecided(verdict):
                args.not_applicable(reason)

        return validate

    def _mend(self, control: Control) -> Callable[[sdk.ResourceValidationArgs], Any]:
        def remediate(args: sdk.ResourceValidationArgs) -> Mapping[str, Any] | None:
            if control.remedy is None or plain_type(args.resource_type) not in control.types:
                return None
            resource = self._resource(args)
            if not judged(control, resource, self._context).problems:
                return None
            changes = control.remedy(resource, self._context)
            # The raw properties, so that secrets and unknown values stay what they are.
            return {**_target(args.props), **changes} if changes else None

        return remediate

    def _stack(self, resources: Sequence[Any]) -> Stack:
        """The stack of some resources; the same one again for the next control that judges them."""
        seen = [(r.urn, id(_plain_once(r.props))) for r in resources]
        if self._last is None or self._last[0] != seen:
            self._last = (seen, Stack([self._resource(r) for r in resources]))
        return self._last[1]

    def _resource(self, found: Any) -> Resource:
        references = getattr(found, "property_dependencies", {})
        return Resource(
            plain_type(found.resource_type),
            found.name,
            _plain_once(found.props),
            found.urn,
            bool(found.opts and found.opts.protect),
            {key: tuple(r.urn for r in resources) for key, resources in references.items()},
            self._marked,
        )


def _undecided(verdict: Verdict) -> str:
    """Why a control cannot decide; empty when it can."""
    kinds = {
        "not decidable before the update": verdict.undecided,
        "not decidable from this stack, which does not hold it": verdict.out_of_view,
    }
    return "; ".join(f"{why}: {', '.join(dict.fromkeys(w))}" for why, w in kinds.items() if w)


def _target(value: Any) -> Any:
    """What the SDK's views of maps and lists look at."""
    return value["__target"] if type(value).__module__.startswith("pulumi_policy.") else value


def _plain(value: Any, *, secret: bool = False) -> Any:
    """A value of the SDK as the controls see it."""
    if isinstance(value, Secret):
        return _plain(value.value, secret=True)
    value = _target(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner, secret=secret) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, secret=secret) for inner in value]
    if _is_unknown(value):
        return UNKNOWN
    if secret and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return Sealed(str(value))
    return value


class Once:
    """A function that is called once for each argument, as told by identity."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._known: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        if id(value) not in self._known:
            # The value is kept too: its identity is its own as long as it lives.
            self._known[id(value)] = (value, self._function(value))
        return self._known[id(value)][1]


_plain_once = Once(_plain)


def convert_once() -> bool:
    """Has the SDK convert a resource once, where it would do so again for each of the pack's policies.

    Comes after `keep_marks`. Whether it could be done: a later SDK may have another inside, and the pack is
    slower then.
    """
    names = ("json_format", "deserialize_properties", "unknown_checking_proxy")
    if not all(hasattr(internals, name) for name in names):
        return False
    real: Any = internals.json_format  # type: ignore[attr-defined]
    whole: Any = internals.deserialize_properties  # type: ignore[attr-defined]
    known: dict[bytes, dict[str, Any]] = {}
    for_validation = Once(whole)

    def to_dict(message: Any, *options: Any, **named: Any) -> Any:
        if options or named or not isinstance(message, struct_pb2.Struct):
            return real.MessageToDict(message, *options, **named)
        sent = message.SerializeToString(deterministic=True)
        if sent not in known:
            known[sent] = real.MessageToDict(message)
        return known[sent]

    def deserialize(properties: Any, for_remediation: bool = False) -> Any:
        # A remediation may change what it is given.
        return whole(properties, True) if for_remediation else for_validation(properties)

    proxied = Once(internals.unknown_checking_proxy)  # type: ignore[attr-defined]
    internals.json_format = SimpleNamespace(MessageToDict=to_dict)  # type: ignore[attr-defined]
    internals.deserialize_properties = deserialize  # type: ignore[attr-defined]
    internals.unknown_checking_proxy = proxied  # type: ignore[attr-defined]
    return True


def keep_marks() -> bool:
    """Keeps the marks of secret values, which the SDK takes off before a policy sees the values.

    The SDK has the marks for remediations only; the same reading is used for validations here. Whether it
    could be done: a later SDK may have another inside, and the controls that need the marks then say so.
    """
    original = getattr(internals, "deserialize_properties", None)
    if original is None:
        return False

    def deserialize(properties: dict[str, Any], _: bool = False) -> Any:
        return original(properties, True)

    internals.deserialize_properties = deserialize  # type: ignore[attr-defined]
    return True


def start() -> None:
    """Serves the pack to the engine; does not return."""
    config = pulumi.runtime.get_config_env()
    environment = environment_of(config, os.environ.get("PULUMI_STACK", ""))
    pack = Pack(environment, marked=keep_marks(), releases=configured_releases(config))
    convert_once()
    sdk.PolicyPack(
        name=PACK,
        policies=pack.policies,
        enforcement_level=sdk.EnforcementLevel.ADVISORY,
        display_name=f"Kestra, {environment}",
    )
