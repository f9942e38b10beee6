"""Values that are outputs of another stack of Pulumi: `{from-stack: acme/cluster/production, output: issuer}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from .base import OPAQUE, kebab

FROM_STACK, OUTPUT = "from-stack", "output"
_LONGEST = 20

_PART = r"[A-Za-z0-9_.-]{1,100}"
#: Pulumi's names of stacks: that of one in this project, or organization, project and stack.
STACK_NAME = re.compile(rf"{_PART}(/{_PART}/{_PART})?")
_OUTPUT = re.compile(
    r"(?P<name>[^\s.\[\]\"]+)|\[(?P<index>[0-9]{1,9})\]|\[\"(?P<quoted>[^\"]+)\"\]"
)


@dataclass(frozen=True)
class OutputReference:
    """An output of another stack, or a part of one."""

    stack: str
    """As Pulumi names it: `acme/cluster/production`, or `production` for a stack of this project."""
    output: str
    """As it is written: `database.host`, `subnets[0]`, `["a.b"]`."""

    @property
    def path(self) -> tuple[str | int, ...]:
        """The name of the output, and the keys and positions below it."""
        return output_path(self.output) or ()

    def __str__(self) -> str:
        return f"output {self.output} of stack {self.stack}"


class UnreadValue(SecretStr):
    """Stands for an output that nobody has read: there, and not to be judged."""

    def __init__(self) -> None:
        super().__init__(OPAQUE)

    def __deepcopy__(self, _: Any) -> UnreadValue:
        return self


def is_reference(value: object) -> bool:
    """Whether a value is, or is meant as, an output of another stack."""
    return isinstance(value, Mapping) and any(
        isinstance(name, str) and len(name) < _LONGEST and kebab(name) == FROM_STACK
        for name in value
    )


def output_path(text: str) -> tuple[str | int, ...] | None:
    """The parts of an output's path, as `pulumi config --path` writes paths; None where it is none."""
    parts: list[str | int] = []
    rest = text
    while rest:
        if parts and rest[0] == ".":
            rest = rest[1:]
        elif parts and rest[0] != "[":
            return None
        match = _OUTPUT.match(rest)
        if match is None:
            return None
        index = match["index"]
        parts.append(int(index) if index else match["name"] or match["quoted"])
        rest = rest[match.end() :]
    return tuple(parts) if parts and isinstance(parts[0], str) else None
