"""Who Kestra is to its secret store, and the least it may do.

An identity takes the store and the service account; it gives `service_account_annotations`, `pod_labels`,
`principal`, `needs_token` and `environment` (credentials that it provisioned, settings path to secret output).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi

from components.identity import azure_workload
from components.settings import Settings
from components.stores import Store

if TYPE_CHECKING:
    from components.identity.aws import AwsIdentity
    from components.identity.azure import AzureIdentity
    from components.identity.gcp import GcpIdentity


@dataclass(frozen=True)
class Identity:
    """The identity of a store that needs none: Kestra's own database, or a given credential."""

    service_account_annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    principal: pulumi.Input[str] = ""
    needs_token: bool = False
    environment: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)


def create_identity(
    name: str, settings: Settings, store: Store, opts: pulumi.ResourceOptions | None = None
) -> Identity:
    """The identity of the stack's settings; imports only the SDK that it needs."""
    kind = settings.secret.type if settings.secret else None
    if kind == "google-secret-manager" and settings.identity.gcp.workload_pool:
        from components.identity.gcp import GcpIdentity
        from components.stores.gcp import GcpStore

        assert isinstance(store, GcpStore)
        return _face(GcpIdentity(name, settings, store, opts))
    if kind == "vault":
        from components.identity.vault import VaultIdentity
        from components.stores.vault import VaultStore

        assert isinstance(store, VaultStore)
        made = VaultIdentity(name, settings, store.policy, opts, store.first)
        return Identity(
            principal=made.principal,
            needs_token=made.needs_token,
            environment=made.environment,
        )
    if settings.secret is not None and settings.secret.cloud == "aws":
        from components.permissions.aws_principals import has_role

        if has_role(settings):
            from components.identity.aws import AwsIdentity
            from components.stores.aws import AwsStore

            assert isinstance(store, AwsStore)
            return _face(AwsIdentity(name, settings, store.key_arn, opts))
    if settings.secret is not None and settings.secret.azure_key_vault is not None:
        given = settings.secret.azure_key_vault.workload_identity_client_id
        if settings.identity.azure.oidc_issuer_url is not None:
            from components.identity.azure import AzureIdentity
            from components.stores.azure import AzureStore

            assert isinstance(store, AzureStore)
            return _face(AzureIdentity(name, settings, store.vault_id, opts))
        if given is not None:
            return Identity(
                azure_workload.account_annotations(given), azure_workload.POD_LABELS, given
            )
    return Identity()


def _face(made: AwsIdentity | AzureIdentity | GcpIdentity) -> Identity:
    return Identity(
        made.service_account_annotations,
        made.pod_labels,
        made.principal,
        made.needs_token,
        made.environment,
    )
