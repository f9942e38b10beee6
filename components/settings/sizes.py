"""Amounts of bytes as Micronaut binds them.

Source: Micronaut 4.10.26, `ReadableBytesTypeConverter`: a whole number, or one with KB, MB or GB (1,024 each) directly
behind it, in any case. It fails with any other text, `10 MB` and `10M` included.
"""

from __future__ import annotations

import re
from typing import Any

from .findings import invalid_setting
from .placeholders import PLACEHOLDER

FORMS = "a size is a whole number of bytes, or one with KB, MB or GB directly behind it"
_SIZE = re.compile(r"([0-9]{1,18})([KMG]B)?", re.IGNORECASE)
_FACTORS = {"": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
#: Micronaut counts in 64 bits.
_LARGEST = 2**63 - 1


def size_in_bytes(value: Any) -> int | None:
    """The number of bytes of a size, as a number or a text; None where Micronaut does not bind it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= _LARGEST else None
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    size = int(match[1]) * _FACTORS[(match[2] or "").upper()]
    return size if size <= _LARGEST else None


def check_size(value: Any) -> Any:
    """The size as written, or a text with a placeholder.

    Raises:
        PydanticCustomError: where Micronaut does not bind it.
    """
    if isinstance(value, str) and PLACEHOLDER.search(value):
        return value
    if size_in_bytes(value) is None:
        raise invalid_setting("is no size that Kestra binds", FORMS, "write for example 10MB")
    return value
