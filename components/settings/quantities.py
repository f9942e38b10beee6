"""Kubernetes quantities: amounts of cpu and memory."""

from __future__ import annotations

import re
from decimal import Decimal

_SUFFIXES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000**power) for power, suffix in enumerate("kMGT", 1)},
    **{f"{suffix}i": Decimal(1024**power) for power, suffix in enumerate("KMGT", 1)},
}


def amount(quantity: str) -> Decimal:
    """A checked quantity as a number: cores, or bytes.

    >>> amount("500m") < amount("1"), amount("1Gi") > amount("1G")
    (True, True)
    """
    number, suffix = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", quantity).groups()  # type: ignore[union-attr]
    return Decimal(number) * _SUFFIXES[suffix]
