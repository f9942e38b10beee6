"""Networks and ports, as network policies have them."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from .base import StrictInt
from .findings import invalid_setting


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        value = ""
    # Kubernetes takes neither a mask nor a zone (`fe80::1%eth0`).
    if not re.fullmatch(r"[^%]+/\d+", value):
        raise invalid_setting(
            "is no network", "an address, / and a length", "write for example 10.0.0.0/8"
        )
    return value


Network = Annotated[str, AfterValidator(_network)]
Port = Annotated[StrictInt, Field(ge=1, le=65535)]
