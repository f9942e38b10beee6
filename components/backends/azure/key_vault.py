"""Azure Key Vault as the secret store: the vault, the declared secrets, and a second vault for recovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_azure_native import authorization, keyvault, monitor, network

from ... import tags
from ...settings import Settings
from ...settings.store import AzureStore as Block
from ..external_values import ENCRYPTION_KEY, keeps_key, record_version
from ..interface import StoreArgs
from ..secret_naming import recovery_name, secret_tags
from .external_values import DATA_HOST
from .names import recovery_vault_name, secret_name
from .tag_limits import AZURE_TAGS
from .vault_properties import secret_properties, vault_properties

PROVIDER = "providers/Microsoft.KeyVault/vaults"


class AzureStore(pulumi.ComponentResource):
    """Kestra's secrets in Azure Key Vault.

    - A vault opened by roles alone, closed to networks that the settings do not name, with purge protection and
      90 days of soft delete outside development; protected in production.
    - Declared secrets by the names and tags by which a read-only Kestra finds them. A changed value is a new
      version, and `version_ids` change with it.
    - Nothing of an external secret, which Key Vault cannot have without a value; `version_ids` have the version
      that others wrote.
    - The encryption key in a vault of its own, which nobody is given a role in and no network reaches: a role on
      Kestra's vault holds for every secret in it. That vault stays when the stack goes.
    - With `workspace-id` the audit events of both vaults go to that Log Analytics workspace.
    - Without `kestra:store.azure` nothing is provisioned.

    Resource Manager writes the secrets: that needs no role on the vault's data and no way to it. It cannot
    delete them: to remove a declared secret, the deployer needs both.

    Example:
        >>> AzureStore("store", StoreArgs(settings, {"TOKEN": token}))  # doctest: +SKIP
    """

    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    """Declared secret to its address in the vault."""
    version_ids: Mapping[str, pulumi.Output[str]]
    vault_id: pulumi.Output[str]
    """Resource id of Kestra's vault; empty where the settings do not say where it is."""

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:stores:AzureStore", name, None, opts)
        self._name, self._settings = name, args.settings
        self._child = pulumi.ResourceOptions(parent=self)
        self.environment = {}
        self._ids: dict[str, pulumi.Output[str]] = {}
        self._versions: dict[str, pulumi.Output[str]] = {}
        self.secret_ids, self.version_ids = self._ids, self._versions
        self.vault_id = pulumi.Output.from_input("")
        block = args.settings.store.azure
        if block is not None:
            self._provision(args, block)
        self.register_outputs(
            {
                "environment": self.environment,
                "vault_id": self.vault_id,
            }
        )

    def _provision(self, args: StoreArgs, block: Block) -> None:
        self._block = block
        self._tags = tags.translate(tags.convention(self._settings.tags), AZURE_TAGS)
        self._client = authorization.get_client_config_output(
            opts=pulumi.InvokeOutputOptions(parent=self)
        )
        vault_name = _vault_name(self._settings)
        vault = None
        if block.create_vault:
            vault = self._vault(
                "vault",
                vault_name,
                self._options(protect=self._settings.protect),
                public=block.public_network,
            )
            self.vault_id = vault.id
        else:
            self.vault_id = pulumi.Output.concat(
                "/subscriptions/",
                self._client.subscription_id,
                f"/resourceGroups/{block.resource_group}/{PROVIDER}/{vault_name}",
            )
        self._audit("audit", self.vault_id, self._child)
        self._private_endpoint(block)
        for name, declared in self._settings.written_secrets.items():
            if declared.is_external:
                secret = secret_name(self._settings, name, declared)
                self._record_external(args, name, vault_name, secret)
                continue
            self._secret(
                name,
                f"declared-{name}",
                vault_name,
                secret_name(self._settings, name, declared),
                secret_properties(args.secrets[name], declared),
                tags.translate(secret_tags(self._settings, name, declared), AZURE_TAGS),
                # A vault that goes takes its secrets along; the deployer then needs no way into it.
                self._options(depends_on=vault, deleted_with=vault) if vault else self._child,
            )
        if keeps_key(args):
            self._recovery(args)

    def _record_external(self, args: StoreArgs, name: str, vault_name: str, secret: str) -> None:
        """Key Vault has no secret without a value: whoever writes the first one makes it."""
        address = f"https://{vault_name}.{DATA_HOST}/secrets/{secret}"
        self._ids[name] = pulumi.Output.from_input(address)
        record_version(args, name, self._versions)

    def _recovery(self, args: StoreArgs) -> None:
        kept = {"protect": self._settings.protect, "retain_on_delete": True}
        vault_name = recovery_vault_name(self._settings)
        # Nobody reads it until the day of a recovery: written through Azure's management, it needs no way in.
        labels = {**self._tags, "private-endpoint": "none"}
        vault = self._vault(
            "recovery-vault", vault_name, self._options(**kept), public=False, labels=labels
        )
        self._audit("recovery-audit", vault.id, self._options(retain_on_delete=True))
        if args.encryption_key is None:
            secret = recovery_name(self._settings)
            self._record_external(args, ENCRYPTION_KEY, vault_name, secret)
            return
        self._secret(
            "encryption.secret-key",
            "encryption-key",
            vault_name,
            recovery_name(self._settings),
            secret_properties(args.encryption_key),
            self._tags,
            self._options(depends_on=vault, **kept),
        )

    def _vault(
        self,
        suffix: str,
        vault_name: str,
        opts: pulumi.ResourceOptions,
        *,
        public: bool,
        labels: Mapping[str, str] | None = None,
    ) -> keyvault.Vault:
        return keyvault.Vault(
            f"{self._name}-{suffix}",
            vault_name=vault_name,
            resource_group_name=self._block.resource_group,
            location=self._block.location,
            properties=vault_properties(
                self._settings, self._block, self._client.tenant_id, public=public
            ),
            tags=labels or self._tags,
            opts=opts,
        )

    def _secret(
        self,
        key: str,
        suffix: str,
        vault_name: str,
        name: str,
        properties: keyvault.SecretPropertiesArgs,
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        written = keyvault.Secret(
            f"{self._name}-{suffix}",
            vault_name=vault_name,
            resource_group_name=self._block.resource_group,
            secret_name=name,
            properties=properties,
            tags=labels,
            opts=opts,
        )
        # The properties are secret for the value in them; the addresses are not.
        known = pulumi.Output.unsecret(written.properties)
        self._ids[key] = known.apply(lambda p: p.secret_uri or "")
        self._versions[key] = known.apply(
            lambda p: (p.secret_uri_with_version or "").rsplit("/", 1)[-1]
        )

    def _audit(
        self, suffix: str, vault_id: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> None:
        if self._block.workspace_id is None:
            return
        monitor.DiagnosticSetting(
            f"{self._name}-{suffix}",
            name="kestra-audit",
            resource_uri=vault_id,
            workspace_id=self._block.workspace_id,
            logs=[monitor.DiagnosticsLogSettingsArgs(category_group="audit", enabled=True)],
            opts=opts,
        )

    def _private_endpoint(self, block: Block) -> None:
        private = block.private_endpoint
        if private is None:
            return
        endpoint = network.PrivateEndpoint(
            f"{self._name}-endpoint",
            resource_group_name=block.resource_group,
            location=private.location or block.location,
            subnet=network.SubnetArgs(id=private.subnet_id),
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name="vault", private_link_service_id=self.vault_id, group_ids=["vault"]
                )
            ],
            tags=self._tags,
            opts=self._child,
        )
        if private.dns_zone_id is not None:
            network.PrivateDnsZoneGroup(
                f"{self._name}-endpoint-names",
                private_dns_zone_group_name="default",
                private_endpoint_name=endpoint.name,
                resource_group_name=block.resource_group,
                private_dns_zone_configs=[
                    network.PrivateDnsZoneConfigArgs(
                        name="vaultcore", private_dns_zone_id=private.dns_zone_id
                    )
                ],
                opts=self._child,
            )

    def _options(self, **more: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, **more)


def _vault_name(settings: Settings) -> str:
    block = settings.secret.azure_key_vault if settings.secret else None
    assert block is not None
    assert block.vault_name is not None
    return block.vault_name
