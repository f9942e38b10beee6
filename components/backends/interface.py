"""What a secret manager's store and identity take and give, whatever the manager.

A store takes its settings, the declared secrets and the tags; it gives `configuration` (the fragment under
`kestra.secret`, without secrets), `environment` (what it provides, settings path to secret output),
`secret_ids` and `version_ids`.

These two are not registered as outputs of the component: the stack exports them. What has an entry for each secret
costs the engine's state and Pulumi's SDK more than in proportion (docs/benchmarks.md).

An identity is who Kestra is to its store, and the least it may do. It takes the store and the service account; it
gives `service_account_annotations`, `pod_labels`, `principal`, `needs_token` and `environment` (credentials that it
provisioned, settings path to secret output).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi

from components.settings import Settings


@dataclass(frozen=True)
class StoreArgs:
    """What every store takes."""

    settings: Settings
    """The stack's settings."""
    configuration: Mapping[str, Any]
    """The rendered fragment under `kestra.secret`, without secrets."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Name of a declared secret to its value (secret)."""
    encryption_key: pulumi.Input[str] | None = None
    """The encryption key (secret), kept in the store too."""


class Store(Protocol):
    """The face of a store."""

    configuration: Mapping[str, Any]
    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]


@dataclass(frozen=True)
class Identity:
    """The identity of a store that needs none: Kestra's own database, or a given credential."""

    service_account_annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    principal: pulumi.Input[str] = ""
    needs_token: bool = False
    environment: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
