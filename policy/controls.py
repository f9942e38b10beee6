"""All controls, area by area."""

from __future__ import annotations

from policy import (
    conventions,  # noqa: F401
    identity,  # noqa: F401
    kestra,  # noqa: F401
    kestra_credentials,  # noqa: F401
    kestra_log_in,  # noqa: F401
    kestra_pods,  # noqa: F401
    kestra_release,  # noqa: F401
    keys,  # noqa: F401
    kubernetes,  # noqa: F401
    kubernetes_secrets,  # noqa: F401
    secret_stores,  # noqa: F401
    vault,  # noqa: F401
)
from policy.model import REGISTRY, Control

AREAS = (
    "secret-stores",
    "keys",
    "identity",
    "kubernetes",
    "kestra",
    "vault",
    "conventions",
)
ALL: tuple[Control, ...] = tuple(
    sorted(REGISTRY.values(), key=lambda control: (AREAS.index(control.area), control.id))
)
