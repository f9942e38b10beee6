"""What is wrong with settings: what a check found, and what a model refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic_core import PydanticCustomError

Kind = Literal["value", "missing", "relation", "unknown-key", "not-a-list"]
"""Whether a value is wrong by itself, something is missing, two settings do not go together, nobody knows the key, or
something else stands where a list belongs."""


@dataclass(frozen=True)
class Finding:
    """What a check found, at a place in Kestra's spelling."""

    loc: tuple[str | int, ...]
    message: str
    rule: str
    fix: str
    warning: bool = False
    encrypts: bool = False
    """Whether the fix is the command that encrypts the value at the place, which the report knows as it is written."""
    kind: Kind = "value"
    adds: tuple[str | int, ...] = ()
    """The setting that the fix adds, where that is another one than the place."""
    sections: tuple[str, ...] = ()
    """First-level settings that it was judged by: what is invalid there may explain it."""

    @property
    def depends_on_neighbours(self) -> bool:
        """Whether a neighbour that was left out as invalid may explain it."""
        return self.kind in ("missing", "relation")


#: Type of pydantic's errors that carry message, rule and fix in their context.
INVALID_SETTING = "invalid_setting"


def invalid_setting(message: str, rule: str, fix: str) -> PydanticCustomError:
    """The error that a model's validator raises; its context has the three texts."""
    context = {"message": message, "rule": rule, "fix": fix}
    return PydanticCustomError(INVALID_SETTING, "{message}", context)
