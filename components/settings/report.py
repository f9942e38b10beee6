"""Problems of settings, and the report that a person reads."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from .findings import Kind


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
    kind: Kind = "value"
    adds: tuple[str | int, ...] = ()
    """The setting that the fix adds, where that is another one than the path; empty: none."""
    line_number: int | None = field(default=None, compare=False)
    """Of the key in the stack file, beginning with 1; None where it is not known or the key is not there."""

    @property
    def location(self) -> str:
        """The stack file, with the line where it is known."""
        return self.source if self.line_number is None else f"{self.source}:{self.line_number}"

    def line(self) -> str:
        """One line: where, what, the rule, the fix."""
        return _printable(
            f"{self.location}: {self.path}: {self.message}. Rule: {self.rule}. Fix: {self.fix}."
        )


def _printable(text: str) -> str:
    # A key can hold a line break or a terminal's control characters.
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


#: Columns of what is wrapped.
_WIDTH = 100


def _entries(problems: Sequence[Problem]) -> Iterator[str]:
    """One line a problem; several at one key with the same fix are listed below it, wrapped, with the fix once."""
    for (location, path, fix), group in groupby(problems, lambda p: (p.location, p.path, p.fix)):
        same = list(group)
        if len(same) == 1:
            yield f"  {same[0].line()}"
            continue
        yield f"  {_printable(f'{location}: {path}')}: {len(same)} findings with the same fix:"
        for problem in same:
            yield _wrapped(f"{problem.message}.", "    - ")
            yield _wrapped(f"Rule: {problem.rule}.", "      ")
        yield _wrapped(f"Fix: {fix}.", "    ")


def _wrapped(text: str, start: str) -> str:
    return textwrap.fill(
        _printable(text),
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def report(problems: Sequence[Problem]) -> str:
    """All problems, one a line, under headings that count them."""
    return _under_headings(problems, lambda some: (f"  {problem.line()}" for problem in some))


def terminal_report(problems: Sequence[Problem]) -> str:
    """The same for a person at a terminal: several problems at one key with the same fix are one wrapped list."""
    return _under_headings(problems, _entries)


def _under_headings(
    problems: Sequence[Problem], write: Callable[[Sequence[Problem]], Iterable[str]]
) -> str:
    errors = [p for p in problems if p.severity == "error"]
    warnings = [p for p in problems if p.severity == "warning"]
    lines = []
    if errors:
        lines.append(f"{len(errors)} problem{'s' if len(errors) > 1 else ''} in the settings:")
        lines += write(errors)
    if warnings:
        lines.append(f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}:")
        lines += write(warnings)
    return "\n".join(lines)


class SettingsError(Exception):
    """The settings cannot be used. `problems` has all of them; the text is the report."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return report(self.problems)

    def report(self) -> str:
        """The report, one line a problem."""
        return report(self.problems)
