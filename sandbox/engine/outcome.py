"""What an operation of the engine comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import automation as auto

from sandbox.errors import SandboxError


class EngineFailure(SandboxError):
    """An update failed; the message has the engine's words, resource by resource."""


class PolicyRefusal(EngineFailure):
    """The policy pack found what is mandatory to be otherwise."""


@dataclass(frozen=True)
class Outcome:
    """What an operation did."""

    changes: Mapping[str, int]
    outputs: Mapping[str, auto.OutputValue]
    seconds: float


def engine_errors(error: auto.CommandError) -> str:
    """The errors that the engine gave on its way out, a line each."""
    messages = re.findall(r"^\s*(?:stderr: )?error: (.+)$", str(error), re.MULTILINE)
    return "\n".join(messages) or "The engine was killed. Run the same command again to go on."
