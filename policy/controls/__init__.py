"""All controls, area by area."""

from __future__ import annotations

from ..core.model import REGISTRY, Control
from . import (  # noqa: F401
    conventions,
    external_secrets,
    identity,
    kestra,
    kestra_channel,
    kestra_credentials,
    kestra_database,
    kestra_log_in,
    kestra_pods,
    kestra_release,
    keys,
    kubernetes,
    kubernetes_accounts,
    kubernetes_secrets,
    kubernetes_volumes,
    secret_stores,
    secret_stores_aws,
    secret_stores_azure,
    secret_stores_gcp,
    storage,
    task_runner,
    vault,
)

AREAS = (
    "secret-stores",
    "keys",
    "identity",
    "kubernetes",
    "task-runner",
    "kestra",
    "database",
    "vault",
    "external-secrets",
    "storage",
    "conventions",
)
ALL: tuple[Control, ...] = tuple(
    sorted(REGISTRY.values(), key=lambda control: (AREAS.index(control.area), control.id))
)
