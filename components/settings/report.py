"""Problems of settings, and the report that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or that has no effect. Never holds a value of a sensitive key."""

    path: str
    """The key as the user wrote it, for example `kestra:server.basic-auth.password`."""
    source: str
    """The stack file."""
    message: str
    rule: str
    fix: str
    severity: Literal["error", "warning"] = "error"

    def line(self) -> str:
        """One line: where, what, the rule, the fix."""
        text = f"{self.source}: {self.path}: {self.message}. Rule: {self.rule}. Fix: {self.fix}."
        # A key can hold a line break or a terminal's control characters.
        return "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
        )


def report(problems: Sequence[Problem]) -> str:
    """All problems, one a line, under a heading that counts them."""
    errors = [p for p in problems if p.severity == "error"]
    warnings = [p for p in problems if p.severity == "warning"]
    lines = []
    if errors:
        lines.append(f"{len(errors)} problem{'s' if len(errors) > 1 else ''} in the settings:")
        lines += [f"  {p.line()}" for p in errors]
    if warnings:
        lines.append(f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}:")
        lines += [f"  {p.line()}" for p in warnings]
    return "\n".join(lines)


class SettingsError(Exception):
    """The settings cannot be used. `problems` has all of them; the text is the report."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(report(problems))

    def report(self) -> str:
        """The report, one line a problem."""
        return report(self.problems)
