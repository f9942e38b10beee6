"""The forms of durations that Kestra really binds.

Kestra (Micronaut) replaces a duration that it cannot read by the default, without a word
(measured on 1.3.31: `60`, `5 s`, `0.5s`, `1M`, `30S` and `1m30s` all do that), so every other form is
refused here.
"""

from __future__ import annotations

import re

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


def check_duration(text: str) -> str:
    """The duration as written.

    Raises:
        PydanticCustomError: when Kestra would silently use its default instead.
    """
    length = milliseconds(text)
    if length is None:
        hint = _suggestion(text)
        raise invalid_setting(
            f"is no duration that Kestra binds{hint}",
            "Kestra would use its default instead, without a word",
            f"write {FORMS}",
        )
    if length <= 0:
        raise invalid_setting(
            "is not positive", "a duration is above zero", "write a duration above zero"
        )
    if length > _LONGEST:
        raise invalid_setting(
            "is longer than a hundred years", "a hundred years at most", "write a shorter duration"
        )
    return text


def _suggestion(text: str) -> str:
    compact = text.strip().lower().replace(" ", "")
    if not compact.isascii():
        return ""
    if compact.isdigit() and len(compact) < 10:
        return f"; for seconds write {int(compact)}s"
    parts = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", compact)
    if parts and compact:
        iso = "PT" + "".join(f"{n}{u}" for n, u in zip(parts.groups(), "HMS", strict=True) if n)
        only_one = sum(n is not None for n in parts.groups()) == 1
        return f"; write {compact if only_one else iso}"
    return ""
