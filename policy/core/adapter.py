"""The controls as policies of Pulumi's SDK. The one place of the pack that needs Pulumi."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_policy as sdk

from policy import controls
from policy.core.levels import environment_of, level
from policy.core.model import (
    Context,
    Control,
    Environment,
    Resource,
    Stack,
    Verdict,
    evaluate,
    message,
    plain_type,
)
from policy.core.options import NAME, SCHEMA, Options
from policy.core.sdk_values import convert_once, keep_marks, plain, plain_once, unwrap
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
            self.options = Options.read(plain(args.get_config()))

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
            verdict = evaluate(control, resource, self._context)
            for problem in verdict.problems:
                report(message(control, problem, resource), None)
            if reason := _undecided(verdict):
                args.not_applicable(reason)

        return validate

    def _whole(
        self, control: Control
    ) -> Callable[[sdk.StackValidationArgs, sdk.ReportViolation], None]:
        def validate(args: sdk.StackValidationArgs, report: sdk.ReportViolation) -> None:
            verdict = evaluate(control, self._stack(args.resources), self._context)
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
            if not evaluate(control, resource, self._context).problems:
                return None
            changes = control.remedy(resource, self._context)
            # The raw properties, so that secrets and unknown values stay what they are.
            return {**unwrap(args.props), **changes} if changes else None

        return remediate

    def _stack(self, resources: Sequence[Any]) -> Stack:
        """The stack of some resources; the same one again for the next control that judges them."""
        seen = [(r.urn, id(plain_once(r.props))) for r in resources]
        if self._last is None or self._last[0] != seen:
            self._last = (seen, Stack([self._resource(r) for r in resources]))
        return self._last[1]

    def _resource(self, resource: Any) -> Resource:
        references = getattr(resource, "property_dependencies", {})
        return Resource(
            plain_type(resource.resource_type),
            resource.name,
            plain_once(resource.props),
            resource.urn,
            bool(resource.opts and resource.opts.protect),
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
