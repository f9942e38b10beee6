"""The forms of durations that Kestra really binds.

Kestra (Micronaut) replaces a duration that it cannot read by the default, without a word
(measured on 1.3.31: `60`, `5 s`, `0.5s`, `1M`, `30S` and `1m30s` all do that), so every other form is
refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .findings import invalid_setting

FORMS = "a whole number with ms, s, m, h or d (500ms, 45s, 7d) or ISO 8601 (PT1M30S, P30D)"

_SHORT = re.compile(r"(?P<n>[0-9]+)(?P<unit>ms|s|m|h|d)")
_ISO = re.compile(
    r"P(?=.)(?:(?P<d>[0-9]+)D)?"
    r"(?:T(?=.)(?:(?P<h>[0-9]+)H)?(?:(?P<m>[0-9]+)M)?(?:(?P<s>[0-9]+)(?:\.(?P<f>[0-9]{1,9}))?S)?)?"
)
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST = 100 * 365 * 86_400_000


def milliseconds(text: str) -> int | None:
    """The length of a duration in milliseconds, or None when Kestra would not read it."""
    if short := _SHORT.fullmatch(text):
        return (
            int(short["n"]) * _MILLISECONDS[short["unit"]] if len(short["n"]) < 16 else _LONGEST * 2
        )
    if (iso := _ISO.fullmatch(text)) and len(text) < 64:
        parts = sum(int(iso[k] or 0) * _MILLISECONDS[k] for k in "dhms")
        return parts + int((iso["f"] or "0").ljust(9, "0")[:3])
    return None


def seconds(duration: str) -> int:
    """A checked duration in whole seconds."""
    return (milliseconds(duration) or 0) // 1000


@dataclass(frozen=True)
class DurationForm:
    """Which durations a key takes, and what is said of anything else."""

    message: str
    """What is wrong with another form."""
    rule: str
    example: str = ""
    """A duration that the key takes; empty: the fix names the forms."""
    least: int = 1
    """The shortest one, in milliseconds."""
    most: int = _LONGEST
    """The longest one, in milliseconds."""
    step: int = 1
    """Of which each one is a multiple, in milliseconds."""

    def check(self, value: object) -> str:
        """The duration as written; `60` is a number to YAML, and a duration without a unit.

        Raises:
            PydanticCustomError: when the key does not take it.
        """
        text = _text(value)
        length = milliseconds(text)
        fix = f"write for example {self.example}" if self.example else f"write {FORMS}"
        if length is None:
            close = _close(text)
            hint = close[1] if close and self._takes(milliseconds(close[0])) else ""
            raise invalid_setting(f"{self.message}{hint}", self.rule, fix)
        if self._takes(length):
            return text
        if self.example:
            raise invalid_setting("is out of range", self.rule, fix)
        if length <= 0:
            raise invalid_setting(
                "is not positive", "a duration is above zero", "write a duration above zero"
            )
        raise invalid_setting(
            "is longer than a hundred years", "a hundred years at most", "write a shorter duration"
        )

    def _takes(self, length: int | None) -> bool:
        return length is not None and self.least <= length <= self.most and not length % self.step


KESTRA_DURATION = DurationForm(
    "is no duration that Kestra binds", "Kestra would use its default instead, without a word"
)
PROJECT_DURATION = DurationForm("is no duration", f"a duration is {FORMS}")


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # Pulumi hands 5.0 on as 5.
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value)


def _close(text: str) -> tuple[str, str] | None:
    """The duration that may be meant, and how it is proposed."""
    compact = text.strip().lower().replace(" ", "")
    if not compact.isascii():
        return None
    if compact.isdigit() and len(compact) < 10:
        return f"{int(compact)}s", f"; for seconds write {int(compact)}s"
    parts = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", compact)
    if parts and compact:
        iso = "PT" + "".join(f"{n}{u}" for n, u in zip(parts.groups(), "HMS", strict=True) if n)
        only_one = sum(n is not None for n in parts.groups()) == 1
        meant = compact if only_one else iso
        return meant, f"; write {meant}"
    return None
