"""The store and the identity of a stack's settings; each imports only the SDK that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from components.backends.azure import workload_identity
from components.backends.interface import Identity, Store, StoreArgs
from components.settings import Settings

if TYPE_CHECKING:
    from components.backends.aws.identity import AwsIdentity
    from components.backends.azure.identity import AzureIdentity
    from components.backends.gcp.identity import GcpIdentity


def create_store(name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> Store:
    """The store of the stack's settings; imports only the SDK that it needs."""
    kind = args.settings.secret.type if args.settings.secret else None
    if kind == "vault":
        from components.backends.vault.store import VaultStore

        return VaultStore(name, args, opts)
    if kind == "google-secret-manager":
        from components.backends.gcp.secret_manager import GcpStore

        return GcpStore(name, args, opts)
    if kind == "aws-secret-manager":
        from components.backends.aws.secrets_manager import AwsStore

        return AwsStore(name, args, opts)
    if kind == "aws-ssm-parameter-store":
        from components.backends.aws.parameter_store import AwsParameterStore

        return AwsParameterStore(name, args, opts)
    if kind == "azure-key-vault":
        from components.backends.azure.key_vault import AzureStore

        return AzureStore(name, args, opts)
    from components.backends.embedded.store import EmbeddedStore

    return EmbeddedStore(name, args, opts)


def create_identity(
    name: str, settings: Settings, store: Store, opts: pulumi.ResourceOptions | None = None
) -> Identity:
    """The identity of the stack's settings; imports only the SDK that it needs."""
    kind = settings.secret.type if settings.secret else None
    if kind == "google-secret-manager" and settings.identity.gcp.workload_pool:
        from components.backends.gcp.identity import GcpIdentity
        from components.backends.gcp.secret_manager import GcpStore

        assert isinstance(store, GcpStore)
        return _face(GcpIdentity(name, settings, store, opts))
    if kind == "vault":
        from components.backends.vault.identity import VaultIdentity
        from components.backends.vault.store import VaultStore

        assert isinstance(store, VaultStore)
        made = VaultIdentity(name, settings, store.policy, opts, store.first)
        return Identity(
            principal=made.principal,
            needs_token=made.needs_token,
            environment=made.environment,
        )
    if settings.secret is not None and settings.secret.cloud == "aws":
        from components.backends.aws.principals import has_role

        if has_role(settings):
            from components.backends.aws.identity import AwsIdentity
            from components.backends.aws.secrets_manager import AwsStore

            assert isinstance(store, AwsStore)
            return _face(AwsIdentity(name, settings, store.key_arn, opts))
    if settings.secret is not None and settings.secret.azure_key_vault is not None:
        given = settings.secret.azure_key_vault.workload_identity_client_id
        if settings.identity.azure.oidc_issuer_url is not None:
            from components.backends.azure.identity import AzureIdentity
            from components.backends.azure.key_vault import AzureStore

            assert isinstance(store, AzureStore)
            return _face(AzureIdentity(name, settings, store.vault_id, opts))
        if given is not None:
            return Identity(
                workload_identity.account_annotations(given), workload_identity.POD_LABELS, given
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
