"""Spans of time as compose and systemd write them."""

from __future__ import annotations

import re

_UNITS = {
    "": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0,
    "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0, "ms": 0.001, "msec": 0.001,
    "us": 0.000001, "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)\s*")
KESTRA_SECONDS = 300
"""Kestra's own `server.termination-grace-period`."""


def seconds_of(text: str) -> float | None:
    """The seconds of a span like `6m`, `1h30m`, `150`, `2min 30s`; None where it is none."""
    total, position = 0.0, 0
    text = text.strip().lower()
    while match := _PART.match(text, position):
        if match[2] not in _UNITS:
            return None
        total += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    return total if text and position == len(text) else None


def shorter_than_kestra(seconds: float) -> bool:
    """Whether a pod that ends after this time would cut off what Kestra's own grace period lets finish."""
    return seconds < KESTRA_SECONDS
