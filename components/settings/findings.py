"""What a check of the settings found."""

from __future__ import annotations

from dataclasses import dataclass


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

    @property
    def relative(self) -> bool:
        """Whether it speaks of a missing key or of a relation, so that a bad neighbour may explain it."""
        return self.message.startswith(
            (
                "is missing",
                "has no",
                "has neither",
                "stands without",
                "is not below",
                "is not above",
                "is above",
                "is below",
                "needs read-only",
                "distributed needs",
            )
        )
