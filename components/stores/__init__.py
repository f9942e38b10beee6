"""Secret stores: one face whatever the manager.

A store takes its settings, the declared secrets and the tags; it gives `configuration` (the fragment under
`kestra.secret`, without secrets), `environment` (what it provides, settings path to secret output),
`secret_ids` and `version_ids`.

These two are not registered as outputs of the component: the stack exports them. What has an entry for each secret
costs the engine's state and Pulumi's SDK more than in proportion (docs/benchmarks.md).
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


def create_store(name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> Store:
    """The store of the stack's settings; imports only the SDK that it needs."""
    kind = args.settings.secret.type if args.settings.secret else None
    if kind == "vault":
        from components.stores.vault import VaultStore

        return VaultStore(name, args, opts)
    if kind == "google-secret-manager":
        from components.stores.gcp import GcpStore

        return GcpStore(name, args, opts)
    if kind == "aws-secret-manager":
        from components.stores.aws import AwsStore

        return AwsStore(name, args, opts)
    if kind == "aws-ssm-parameter-store":
        from components.stores.aws_ssm import AwsParameterStore

        return AwsParameterStore(name, args, opts)
    if kind == "azure-key-vault":
        from components.stores.azure import AzureStore

        return AzureStore(name, args, opts)
    from components.stores.embedded import EmbeddedStore

    return EmbeddedStore(name, args, opts)
