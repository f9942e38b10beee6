"""Stacks of Kestra that are not this project's, in the manners that the public has; `python -m docsgen --tests` writes their findings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pulumi
import yaml

from tests.policy.analyzer_support import REGISTRY, UNKNOWN, R, pack, secret, stack_responses

FOLDER = Path(__file__).parent / "public"
COMMAND = "python -m docsgen --tests"
STACKS = ("helm-release", "manifests", "terraform")
_REFERENCE = re.compile(r"\$\{(\w+)\.\w+\}")


def resources(name: str) -> list[R]:
    """The resources of a stack before its first update: what comes from another resource is unknown.

    Args:
        name: `terraform.hardened`.
    """
    document = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return [
        R(
            entry["type"],
            _value(entry.get("properties", {})),
            logical,
            entry.get("options", {}).get("protect", False),
            {
                key: _REFERENCE.findall(value)
                for key, value in entry.get("properties", {}).items()
                if isinstance(value, str) and _REFERENCE.fullmatch(value)
            },
        )
        for logical, entry in document["resources"].items()
    ]


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        if "fn::secret" in value:
            return secret(value["fn::secret"])
        return {key: _value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_value(inner) for inner in value]
    return UNKNOWN if isinstance(value, str) and _REFERENCE.fullmatch(value) else value


def findings(name: str) -> list[str]:
    """One line a finding, and a control that cannot decide: control, level and severity, and what is said."""
    lines: set[str] = set()
    for response in stack_responses(pack("production"), resources(name)):
        for d in response.diagnostics:
            level = {0: "advisory", 1: "mandatory"}[d.enforcementLevel]
            severity = REGISTRY[d.policyName].severity
            lines.add(f"{d.policyName}  {level}  {severity}  {d.message.partition(chr(10))[2]}")
        lines |= {f"{n.policy_name}  undecided  {n.reason}" for n in response.not_applicable}
    return sorted(lines)


def golden(name: str) -> Path:
    """The file of a stack's findings."""
    return FOLDER / f"{name}.txt"


def files() -> dict[Path, str]:
    """For `docsgen`."""
    return {golden(f"{s}.naive"): "\n".join(findings(f"{s}.naive")) + "\n" for s in STACKS}


class Declared(pulumi.CustomResource):
    """A resource of any type, for the real engine; `found` is known when it is made."""

    found: pulumi.Output[str]

    def __init__(self, type_: str, name: str, props: dict[str, Any], *, protect: bool) -> None:
        options = pulumi.ResourceOptions(protect=protect or None)
        values = {**props, "later": f"arn:planted:{name}", "found": None}
        super().__init__(type_, name, values, options)


def declare(name: str) -> None:
    """A stack as a program: a reference is what the other resource becomes."""
    document = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    known: dict[str, Declared] = {}

    def value(written: Any) -> Any:
        if isinstance(written, dict):
            if "fn::secret" in written:
                return pulumi.Output.secret(written["fn::secret"])
            return {key: value(inner) for key, inner in written.items()}
        if isinstance(written, list):
            return [value(inner) for inner in written]
        match = _REFERENCE.fullmatch(written) if isinstance(written, str) else None
        return known[match[1]].found if match else written

    for logical, entry in document["resources"].items():
        known[logical] = Declared(
            entry["type"],
            logical,
            value(entry.get("properties", {})),
            protect=entry.get("options", {}).get("protect", False),
        )
