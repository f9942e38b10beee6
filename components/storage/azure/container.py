"""A container of Azure Blob Storage for Kestra's files, and the managed identity by which Kestra's pods use it."""

from __future__ import annotations

import uuid

import pulumi
from pulumi_azure_native import authorization, managedidentity, storage

from ... import tags
from ...backends.azure.identity import assignment_name
from ...backends.azure.tag_limits import AZURE_TAGS
from ...backends.azure.workload_identity import AUDIENCE, POD_LABELS, account_annotations
from ...backends.login import Identity
from ...settings import Settings
from ..waiting import known_after
from .permissions import actions
from .principals import account_name, own_identity_name, shares_identity


class BlobStorage(pulumi.ComponentResource):
    """Kestra's files in Azure Blob Storage.

    - With `create` a storage account of its own with one container: TLS 1.2 and HTTPS only, no shared keys, nothing public,
      encrypted twice by Azure, with versions. Deleted blobs and old versions go after their time; a deleted container can
      be had back as long.
    - Kestra's pods use it by a managed identity: that by which they read their secrets where there is one, else one that
      is made. A role of the stack's own, at the scope of the container.
    - The service account waits for all of it.

    Example:
        >>> BlobStorage("storage", settings, identity)  # doctest: +SKIP
    """

    container: pulumi.Output[str]
    """`<account>/<container>`."""
    principal: pulumi.Output[str]
    """Object id of the identity in Entra ID."""
    identity: Identity

    def __init__(
        self,
        name: str,
        settings: Settings,
        identity: Identity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kestra:storage:BlobStorage", name, None, opts)
        assert settings.storage is not None
        assert settings.storage.azure is not None
        assert settings.storage_bucket is not None
        block, self._chosen = settings.storage.azure, settings.storage_bucket
        self._name, self._settings = name, settings
        self._account, self._container = account_name(settings) or "", block.container
        self._group = self._chosen.azure.resource_group or ""
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags.translate(tags.convention(settings.tags), AZURE_TAGS)
        self._client = authorization.get_client_config_output(
            opts=pulumi.InvokeOutputOptions(parent=self)
        )
        ready: list[pulumi.Resource] = self._create() if self._chosen.create else []
        self.container = pulumi.Output.from_input(f"{self._account}/{self._container}")
        if shares_identity(settings):
            self.principal = pulumi.Output.from_input(identity.principal)
            annotations = dict(identity.service_account_annotations)
        else:
            managed, federated = self._identity()
            self.principal = managed.principal_id
            annotations = account_annotations(managed.client_id)
            ready.append(federated)
        # A role at a container comes after the container.
        ready.append(self._assign(list(ready)))
        waited = {key: known_after(value, ready) for key, value in annotations.items()}
        self.identity = Identity(waited, dict(POD_LABELS), self.principal)
        self.register_outputs({"container": self.container, "principal": self.principal})

    def _identity(
        self,
    ) -> tuple[managedidentity.UserAssignedIdentity, managedidentity.FederatedIdentityCredential]:
        settings, chosen = self._settings, self._settings.identity.azure
        group, name = chosen.resource_group or self._group, own_identity_name(settings)
        managed = managedidentity.UserAssignedIdentity(
            f"{self._name}-identity",
            resource_name_=name,
            resource_group_name=group,
            location=self._chosen.azure.location,
            tags=self._tags,
            opts=self._child,
        )
        account = settings.identity.service_account.name
        federated = managedidentity.FederatedIdentityCredential(
            f"{self._name}-federation",
            federated_identity_credential_resource_name="kubernetes",
            resource_name_=name,
            resource_group_name=group,
            issuer=chosen.oidc_issuer_url,
            subject=f"system:serviceaccount:{settings.deployment.namespace}:{account}",
            audiences=[AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self, depends_on=managed),
        )
        return managed, federated

    def _create(self) -> list[pulumi.Resource]:
        """The storage account with all that belongs to it."""
        azure = self._chosen.azure
        kept = pulumi.ResourceOptions(parent=self, protect=self._settings.protect)
        closed = [
            storage.VirtualNetworkRuleArgs(
                virtual_network_resource_id=subnet, action=storage.Action.ALLOW
            )
            for subnet in azure.allowed_subnet_ids
        ]
        account = storage.StorageAccount(
            f"{self._name}-account",
            account_name=self._account,
            resource_group_name=self._group,
            location=azure.location,
            kind="StorageV2",
            sku=storage.SkuArgs(name=azure.sku),
            allow_blob_public_access=False,
            allow_shared_key_access=False,
            allow_cross_tenant_replication=False,
            default_to_o_auth_authentication=True,
            enable_https_traffic_only=True,
            minimum_tls_version="TLS1_2",
            # Kestra's client needs names without a hierarchy (Kestra documentation, runtime and storage).
            is_hns_enabled=False,
            encryption=storage.EncryptionArgs(
                key_source="Microsoft.Storage", require_infrastructure_encryption=True
            ),
            network_rule_set=storage.NetworkRuleSetArgs(
                default_action=storage.DefaultAction.DENY
                if closed
                else storage.DefaultAction.ALLOW,
                bypass="AzureServices",
                virtual_network_rules=closed,
            ),
            tags=self._tags,
            opts=kept,
        )
        days = storage.DeleteRetentionPolicyArgs(enabled=True, days=azure.noncurrent_days)
        service = storage.BlobServiceProperties(
            f"{self._name}-service",
            account_name=account.name,
            resource_group_name=self._group,
            blob_services_name="default",
            is_versioning_enabled=True,
            delete_retention_policy=days,
            container_delete_retention_policy=days,
            opts=kept,
        )
        lifecycle = storage.ManagementPolicy(
            f"{self._name}-lifecycle",
            account_name=account.name,
            resource_group_name=self._group,
            management_policy_name="default",
            policy=storage.ManagementPolicySchemaArgs(
                rules=[
                    storage.ManagementPolicyRuleArgs(
                        name="kestra",
                        type="Lifecycle",
                        enabled=True,
                        definition=storage.ManagementPolicyDefinitionArgs(
                            filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"]),
                            actions=storage.ManagementPolicyActionArgs(
                                version=storage.ManagementPolicyVersionArgs(
                                    delete=storage.DateAfterCreationArgs(
                                        days_after_creation_greater_than=azure.noncurrent_days
                                    )
                                )
                            ),
                        ),
                    )
                ]
            ),
            # A rule about versions is for an account that has them.
            opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[service])),
        )
        container = storage.BlobContainer(
            f"{self._name}-container",
            account_name=account.name,
            resource_group_name=self._group,
            container_name=self._container,
            public_access=storage.PublicAccess.NONE,
            opts=kept,
        )
        return [account, service, lifecycle, container]

    def _assign(self, after: list[pulumi.Resource]) -> authorization.RoleAssignment:
        settings, group = self._settings, self._group
        within = pulumi.Output.concat(
            "/subscriptions/", self._client.subscription_id, f"/resourceGroups/{group}"
        )
        scope = pulumi.Output.concat(
            within,
            f"/providers/Microsoft.Storage/storageAccounts/{self._account}/blobServices/default/containers/",
            self._container,
        )
        title = f"Kestra {settings.deployment.namespace}, {self._account}/{self._container}"
        definition = authorization.RoleDefinition(
            f"{self._name}-role-definition",
            # Always the same for the same container, so that nothing is replaced for nothing.
            role_definition_id=scope.apply(lambda at: str(uuid.uuid5(uuid.NAMESPACE_URL, f"kestra|{at.lower()}"))),
            role_name=title,
            role_type="CustomRole",
            description="What Kestra needs in the container of its files",
            permissions=[
                authorization.PermissionArgs(
                    actions=actions(data=False), data_actions=actions(data=True)
                )
            ],
            assignable_scopes=[within],
            scope=within,
            opts=self._child,
        )  # fmt: skip
        role = pulumi.Output.concat(
            "/subscriptions/",
            self._client.subscription_id,
            "/providers/Microsoft.Authorization/roleDefinitions/",
            definition.name,
        )
        return authorization.RoleAssignment(
            f"{self._name}-role",
            role_assignment_name=pulumi.Output.all(scope, self.principal, role).apply(
                lambda known: assignment_name(*known)
            ),
            scope=scope,
            role_definition_id=role,
            principal_id=self.principal,
            # Spares Azure a look-up that fails for an identity made a moment ago.
            principal_type="ServicePrincipal",
            description=title,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
