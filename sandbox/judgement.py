"""What the policy pack says of a stack, for a person to read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from components.settings import Settings
from policy import controls
from policy.core.levels import LEVELS, environment_of
from policy.core.model import REGISTRY, Environment
from sandbox.errors import SandboxError
from sandbox.state import ROOT

PACK = ROOT / "policy"


@dataclass(frozen=True)
class Pack:
    """The pack that judges a stack."""

    environment: Environment
    config: Path | None = None
    """File of limits, allow-lists and exemptions (`--policy-config`); None: the pack's defaults."""
    folder: Path = PACK

    @classmethod
    def of(cls, stack: str, settings: Settings, config: Path | None = None) -> Pack:
        """The pack at the levels of a stack's environment.

        Raises:
            SandboxError: when its configuration is no JSON document.
        """
        if config:
            try:
                json.loads(config.read_text())
            except ValueError as error:
                raise SandboxError(
                    f"{config} is no JSON document ({error}). Mend it, or leave --policy-config out."
                ) from None
        tags = {"environment": settings.tags.environment}
        return cls(environment_of({"kestra:tags": json.dumps(tags)}, stack), config)

    @property
    def refuses(self) -> bool:
        """Whether a violation can end an update; a configuration may have set other levels."""
        return self.config is not None or set(LEVELS[self.environment]) != {"advisory"}

    def __str__(self) -> str:
        means = "a violation refuses the update" if self.refuses else "violations are only told"
        text = f"{len(controls.ALL)} controls at the levels of {self.environment}: {means}"
        return f"{text}; options of {self.config.name}" if self.config else text


@dataclass(frozen=True)
class Violation:
    """A control that a resource, or the stack, does not satisfy."""

    control: str
    is_mandatory: bool
    resource: str
    """URN."""
    text: str

    @classmethod
    def of(cls, event: Any) -> Violation:
        """From the engine's event."""
        text = re.sub(r"<\{%[^%]*%\}>", "", event.message).strip()
        return cls(
            event.policy_name,
            event.enforcement_level == "mandatory",
            event.resource_urn or "",
            # The SDK puts the control's description before what the control says.
            text.partition("\n")[2].strip() or text,
        )


def counted(violations: Iterable[Violation]) -> str:
    """`2 violations of ks-keys-01 and ks-vault-07`."""
    listed_violations = list(violations)
    *names, last = sorted({v.control for v in listed_violations})
    listed = f"{', '.join(names)} and {last}" if names else last
    return (
        f"{len(listed_violations)} violation{'s' if len(listed_violations) > 1 else ''} of {listed}"
    )


def refusal(stack: str, violations: Iterable[Violation], words: str, *, in_update: bool) -> str:
    """The error of an update that the policy pack refuses.

    Args:
        stack: the stack's name.
        violations: the mandatory ones.
        words: the engine's own errors.
        in_update: whether the update had begun.
    """
    before = "Nothing was created or changed"
    if in_update:
        before = "What the preview could not know was refused during the update, which ended there"
    message = (
        f"The policy pack refuses stack {stack}: {counted(violations)}. {before}."
        " Change the settings that are named above, or try the stack out with --no-policy."
    )
    return f"{message}\n{words}" if words else message


def show(console: Console, violations: Iterable[Violation]) -> None:
    """Prints what was found, control by control, the mandatory ones first."""
    ordered = sorted(dict.fromkeys(violations), key=lambda v: (not v.is_mandatory, v.control))
    before = ""
    for violation in ordered:
        if violation.control != before:
            console.print(_heading(violation))
            before = violation.control
        console.print(f"      {violation.text}", markup=False)


def _heading(violation: Violation) -> Text:
    sign, colour = ("✗", "red") if violation.is_mandatory else ("!", "yellow")
    level = "mandatory" if violation.is_mandatory else "advisory"
    control = REGISTRY.get(violation.control)
    about = f", {control.severity}: {control.title}" if control else ""
    return Text.assemble((f"  {sign} {violation.control}", colour), f" {level}{about}")
