"""Who Kestra is to Azure Key Vault: a managed identity that one Kubernetes service account may take."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import pulumi
from pulumi_azure_native import authorization, managedidentity

from ... import tags
from ...settings import Settings
from .names import secret_name
from .permissions import ROLES
from .tag_limits import AZURE_TAGS
from .workload_identity import (
    AUDIENCE,
    POD_LABELS,
    TENANT_ID,
    account_annotations,
)


class AzureIdentity(pulumi.ComponentResource):
    """Kestra's managed identity, with one role on one vault and nothing else.

    - A federated credential takes tokens of one issuer for exactly one service account of one namespace.
    - Key Vault Secrets User in read-only mode, Key Vault Secrets Officer in managed mode, at the vault's scope:
      Kestra lists secrets, and Key Vault lets only those do that whose role holds for the whole vault.
    - AKS's webhook gives labelled pods a token of their own; the usual token is not mounted.
    - Read by External Secrets: Key Vault Secrets User at the scope of each secret, and of no other.
    - Without `kestra:store.azure` no role is given: where the vault is, is not known.

    Example:
        >>> AzureIdentity("identity", settings, store.vault_id)  # doctest: +SKIP
    """

    service_account_annotations: Mapping[str, pulumi.Input[str]]
    pod_labels: Mapping[str, str]
    principal: pulumi.Output[str]
    """Object id of the identity in Entra ID."""
    needs_token: bool
    """Whether the pods need their service account's token: no, the webhook projects another."""
    environment: Mapping[str, pulumi.Output[str]]
    """The client id, for Kestra's configuration."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        vault_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        secret_ids: Mapping[str, pulumi.Input[str]] = MappingProxyType({}),
    ) -> None:
        super().__init__("kestra:identity:AzureIdentity", name, None, opts)
        chosen, store = settings.identity.azure, settings.store.azure
        account = settings.store_account
        namespace = settings.deployment.namespace
        group = chosen.resource_group or (store and store.resource_group) or ""
        identity_name = chosen.name or f"{namespace}-{account}"
        child = pulumi.ResourceOptions(parent=self)
        managed = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=identity_name,
            resource_group_name=group,
            location=store and store.location,
            tags=tags.translate(tags.convention(settings.tags), AZURE_TAGS),
            opts=child,
        )
        managedidentity.FederatedIdentityCredential(
            f"{name}-federation",
            federated_identity_credential_resource_name="kubernetes",
            resource_name_=identity_name,
            resource_group_name=group,
            issuer=chosen.oidc_issuer_url,
            subject=f"system:serviceaccount:{namespace}:{account}",
            audiences=[AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self, depends_on=managed),
        )
        self.principal = managed.principal_id
        self._settings = settings
        if store is not None and settings.uses_external_secrets:
            for secret, declared in settings.stored_secrets.items():
                # A role on a secret comes after the secret.
                there = pulumi.Output.all(vault_id, secret_ids.get(secret)).apply(lambda p: p[0])
                own = secret_name(settings, secret, declared)
                self._assign(f"{name}-{secret}", pulumi.Output.concat(there, "/secrets/", own))
        elif store is not None:
            self._assign(name, vault_id)
        self.service_account_annotations = account_annotations(managed.client_id)
        self.pod_labels = dict(POD_LABELS)
        if settings.uses_external_secrets:
            # The operator logs in for this account, and asks it for both ids.
            tenant = self._client.tenant_id
            self.service_account_annotations = {
                **self.service_account_annotations,
                TENANT_ID: tenant,
            }
            self.pod_labels = {}
        self.needs_token = False
        self.environment = {"secret.azure-key-vault.workload-identity-client-id": managed.client_id}
        self.register_outputs(
            {
                "service_account_annotations": self.service_account_annotations,
                "pod_labels": self.pod_labels,
                "principal": self.principal,
                "needs_token": self.needs_token,
                "environment": self.environment,
            }
        )

    @cached_property
    def _client(self) -> Any:
        """Tenant and subscription of whoever runs Pulumi; Azure is asked once, however many roles there are."""
        return authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=self))

    def _assign(self, name: str, scope: pulumi.Input[str]) -> None:
        chosen = ROLES[self._settings.access_mode]
        authorization.RoleAssignment(
            f"{name}-role",
            role_assignment_name=pulumi.Output.all(scope, self.principal).apply(
                lambda known: assignment_name(known[0], known[1], chosen.id)
            ),
            scope=scope,
            role_definition_id=pulumi.Output.concat(
                "/subscriptions/",
                self._client.subscription_id,
                f"/providers/Microsoft.Authorization/roleDefinitions/{chosen.id}",
            ),
            principal_id=self.principal,
            # Spares Azure a look-up that fails for an identity made a moment ago.
            principal_type="ServicePrincipal",
            description=f"Kestra: {chosen.name}",
            opts=pulumi.ResourceOptions(parent=self),
        )


def assignment_name(scope: str, principal: str, role_id: str) -> str:
    """The name of an assignment: always the same for the same scope, principal and role, and another for others.

    Azure refuses a second assignment of the same three under another name, and a changed one under the same.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope.lower()}|{principal}|{role_id}"))
