"""What an operation on a resource can end with, and what a diff answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.providers.kubernetes.diff import PathChange

Properties = dict[str, Any]


class ResourceError(Exception):
    """An operation failed; the text is what the user reads."""


class InitFailed(ResourceError):
    """The object exists but the operation did not complete: its state is to be kept."""

    def __init__(
        self,
        text: str,
        identity: str,
        state: Properties,
        reasons: list[str],
        inputs: Properties,
    ) -> None:
        super().__init__(text)
        self.identity = identity
        self.state = state
        self.reasons = reasons
        self.inputs = inputs


@dataclass(frozen=True)
class Difference:
    """Answer of a diff."""

    changes: dict[str, PathChange]
    replaces: list[str]
    delete_before_replace: bool


@dataclass(frozen=True)
class Autonaming:
    """What the engine asks of names that the provider makes."""

    proposed: str = ""
    disabled: bool = False
