"""Azure Key Vault, as this project knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...settings.declared import DeclaredSecret
from ...settings.managers import AzureKeyVault
from ...settings.model import Settings
from ..cloud import CloudBackend
from ..existing_store import ExistingStore
from ..interface import (
    AccessRow,
    Identity,
    NameRule,
    PermissionRow,
    SdkPackage,
    Store,
    StoreArgs,
    to_identity,
)
from ..secret_naming import recovery_name
from . import (
    deployer_permissions,
    drift,
    name_conflicts,
    names,
    permissions,
    rules,
)
from .tag_limits import AZURE_TAGS
from .workload_identity import CLIENT_ID, POD_LABELS, account_annotations

if TYPE_CHECKING:
    import pulumi

    from ..external_values import ExternalValues, Option

#: Source: Azure documentation, instance metadata service.
_METADATA = (("169.254.169.254/32", 80),)
SDK = SdkPackage("pulumi-azure-native", "pulumi_azure_native", "requirements/azure.txt")


class KeyVault(CloudBackend):
    """Azure Key Vault."""

    type = names.TYPE
    title = "Azure Key Vault"
    cloud = "azure"
    provider = "azure-native"
    provider_title = "Azure"
    sdk_package = SDK
    block_required = True
    setting_rules = (rules.vault, rules.store, rules.secrets)
    identity_rules = (rules.identity,)
    declared_keys = ("content-type", "expires")
    name_rule = NameRule(
        r"[A-Za-z0-9-]{1,127}", "127 letters, digits and hyphens at most", ignores_case=True
    )
    deployer_actions = deployer_permissions.ACTIONS
    tag_limits = AZURE_TAGS
    version_query = drift.QUERY
    conflict_hints = name_conflicts.HINTS
    hosts = ("*.vault.azure.net", "login.microsoftonline.com")
    account_annotation = CLIENT_ID
    takes_external = True
    place_keys = CloudBackend.place_keys | {"vault_name", "key_vault_uri"}

    def provisioned_keys(self, settings: Settings) -> tuple[str, ...]:
        return ("workload-identity-client-id",) if settings.identity.azure.oidc_issuer_url else ()

    def secret_name(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        return names.secret_name(settings, name, declared)

    def external_values(self, settings: Settings, option: Option) -> ExternalValues | None:
        from .external_values import AzureValues

        block, store = _block(settings), settings.store.azure
        if block is None or block.vault_name is None or store is None:
            return None
        return AzureValues(settings, block.vault_name, store)

    def location_facts(self, settings: Settings) -> dict[str, Any]:
        block, store = _block(settings), settings.store.azure
        facts = super().location_facts(settings)
        facts[f"secret.{self.type}.vault-name"] = block and block.vault_name
        if store is not None:
            facts |= {
                "store.azure.resource-group": store.resource_group,
                "store.azure.location": store.location,
                "store.azure.create-vault": store.create_vault,
                "store.azure.recovery-vault-name": names.recovery_vault_name(settings),
            }
        return facts

    def recovery_location(self, settings: Settings) -> str:
        return f"{names.recovery_vault_name(settings)}/{recovery_name(settings)}"

    def node_services(self, settings: Settings) -> Sequence[tuple[str, int]]:
        block = _block(settings)
        is_managed = block and (
            block.managed_identity_client_id or block.managed_identity_resource_id
        )
        return _METADATA if is_managed else ()

    def is_account_identity(self, settings: Settings) -> bool:
        return settings.identity.azure.oidc_issuer_url is not None

    def permission_rows(self) -> Iterator[PermissionRow]:
        return permissions.rows()

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        role = permissions.ROLES[settings.access_mode]
        for row in super().access(settings):
            yield row._replace(role=role.name)

    def access_scope(self, settings: Settings, scope: str) -> str:
        block = _block(settings)
        vault = (block and block.vault_name) or ""
        if scope == permissions.ONE_BY_ONE:
            stored = settings.stored_secrets.items()
            names_ = ", ".join(self.secret_name(settings, name, one) for name, one in stored)
            return f"{names_ or 'no secret'} in {vault}"
        return f"{scope} {vault}".strip()

    def recovery_protection(self, settings: Settings) -> str:
        return f"no role on the vault {names.recovery_vault_name(settings)}"

    def server(self, settings: Settings) -> str:
        block = _block(settings)
        return f"vault {block.vault_name}" if block and block.vault_name else ""

    def may_read(self, settings: Settings, name: str) -> bool:
        if settings.access_mode != "external-secrets":
            return True
        stored = settings.stored_secrets.items()
        return name in {self.secret_name(settings, n, one) for n, one in stored}

    def team_deployer_policy(self, settings: Settings) -> str:
        declared = settings.declared_secrets.items()
        own = [self.secret_name(settings, name, one) for name, one in declared]
        store, block = settings.store.azure, _block(settings)
        group, vault = store.resource_group if store else "", (block and block.vault_name) or ""
        return deployer_permissions.team_policy(group, vault, own)

    def store_description(self, settings: Settings) -> str:
        block = _block(settings)
        return (block and block.vault_name) or "an existing vault"

    def has_static_credential(self, settings: Settings) -> bool:
        block = _block(settings)
        return block is not None and block.client_secret is not None

    def create_store(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> Store:
        from .key_vault import AzureStore

        return AzureStore(name, args, opts)

    def create_identity(
        self,
        name: str,
        settings: Settings,
        store: Store,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Identity:
        block = _block(settings)
        if block is None:
            return Identity()
        if settings.identity.azure.oidc_issuer_url is not None:
            from .identity import AzureIdentity
            from .key_vault import AzureStore

            assert isinstance(store, (AzureStore, ExistingStore))
            component = AzureIdentity(name, settings, store.vault_id, opts, store.secret_ids)
            return to_identity(component, component)
        client_id = block.workload_identity_client_id
        if client_id is None:
            return Identity()
        return Identity(account_annotations(client_id), POD_LABELS, client_id)

    def secret_store(self, settings: Settings, identity: Identity) -> dict[str, Any]:
        block = _block(settings)
        return {
            "azurekv": {
                "authType": "WorkloadIdentity",
                "vaultUrl": f"https://{(block and block.vault_name) or ''}.vault.azure.net",
                "serviceAccountRef": {"name": settings.store_account},
            }
        }


KEY_VAULT = KeyVault()


def _block(settings: Settings) -> AzureKeyVault | None:
    return settings.secret.azure_key_vault if settings.secret else None
