"""What keeps a release from being made: every problem at once, each with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence


class ReleaseError(Exception):
    """Problems for whoever makes the release. Shown without a traceback; the exit code is 1."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(f"- {problem}" for problem in self.problems))
