"""HashiCorp Vault, as this project knows it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...settings.declared import DeclaredSecret
from ...settings.managers import Vault, VaultAppRole, VaultKubernetes
from ...settings.model import Settings
from ...settings.secrets_alone import team_of
from ..existing_store import ExistingStore
from ..interface import (
    AccessRow,
    Backend,
    DeployerNeed,
    Identity,
    PermissionRow,
    SdkPackage,
    Store,
    StoreArgs,
)
from . import (
    deployer_permissions,
    drift,
    name_conflicts,
    permissions,
    rendering,
    rules,
)
from .paths import (
    ENCRYPTION_KEY_PATH,
    VALUE,
    namespace_path,
    stack_engine,
    stored_path,
)
from .tag_limits import VAULT_METADATA

if TYPE_CHECKING:
    import pulumi

    from ...rendering.leaves import Node
    from ..external_values import ExternalValues, Option


class VaultBackend(Backend):
    """HashiCorp Vault: an engine, a policy and a log-in are provisioned wherever it runs."""

    type = "vault"
    title = "HashiCorp Vault"
    provider = "vault"
    provider_title = "Vault"
    sdk_package = SdkPackage("pulumi-vault", "pulumi_vault", "requirements/vault.txt")
    setting_rules = (rules.log_in, rules.paths, rules.shared_engine, rules.lives)
    writes_secrets = True
    takes_external = True
    declared_keys = ("generate.password-policy",)
    known_keys = ("address",)
    has_namespaces = True
    place_keys = frozenset(
        {
            "address", "namespace", "engine_version", "root_engine", "prefix", "secret_path_prefix",
            "read_only", "tags", "filter_on_tags", "excluded_tags",
        }
    )  # fmt: skip
    tag_limits = VAULT_METADATA
    version_query = drift.QUERY
    conflict_hints = name_conflicts.HINTS

    def with_defaults(self, settings: Settings) -> Settings:
        """Where the block names no auth method: the service account, or AppRole out of the cluster's reach."""
        secret, block = settings.secret, settings.secret and settings.secret.vault
        if secret is None or not block or rules.vault_methods(block) or settings.is_secrets_alone:
            return settings
        method = (
            {"kubernetes": VaultKubernetes()}
            if settings.identity.vault.reach_cluster
            else {"app_role": VaultAppRole()}
        )
        chosen = secret.model_copy(update={"vault": block.model_copy(update=method)})
        return settings.model_copy(update={"secret": chosen})

    def rendered(self, block: dict[str, Node], read_only: Node | None) -> dict[str, Node]:
        return rendering.rendered(block, read_only)

    def rotatable(self, settings: Settings) -> set[str]:
        block = settings.secret and settings.secret.vault
        if not block:
            return set()
        method = rules.vault_method(block)
        if method == "app-role" and block.app_role and block.app_role.role_id is None:
            return {"secret.vault.app-role.secret-id"}
        if method == "password" and block.password and block.password.password is None:
            return {"secret.vault.password.password"}
        if method == "token" and block.token and block.token.token is None:
            return {"secret.vault.token.token"}
        return set()

    def provisions(self, settings: Settings) -> bool:
        return True

    def not_writable(self, settings: Settings) -> None:
        return None

    def secret_name(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        return stored_path(name, declared, _block(settings).secret_path_prefix)

    def secret_location(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        return f"{_block(settings).root_engine}/{self.secret_name(settings, name, declared)}"

    def external_values(self, settings: Settings, option: Option) -> ExternalValues:
        from .external_values import VaultValues

        return VaultValues(settings, _block(settings), option)

    def declared_tags(self, declared: DeclaredSecret) -> Mapping[str, str]:
        described = {"description": declared.description} if declared.description else {}
        return described | declared.tags

    def location_facts(self, settings: Settings) -> dict[str, Any]:
        block = _block(settings)
        return {
            "secret.vault.root-engine": block.root_engine,
            "secret.vault.namespace": block.namespace,
            "secret.vault.secret-path-prefix": (block.secret_path_prefix or "").strip("/"),
            "identity.vault.mount-engine": settings.identity.vault.mount_engine,
        }

    def created_things(self, settings: Settings) -> dict[str, str]:
        path = rules.log_in_mount(_block(settings))
        # Vault has tokens without a mount.
        if path in (None, "token"):
            return {}
        mounts = settings.identity.vault.mount_auth
        return {"identity.vault.mount-auth": path if mounts else ""}

    def recovery_location(self, settings: Settings) -> str:
        return f"{stack_engine(_block(settings).root_engine)}/{ENCRYPTION_KEY_PATH}"

    def permission_rows(self) -> Iterator[PermissionRow]:
        return permissions.rows()

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        engine, scope = _block(settings).root_engine, permissions.scope(settings)
        for permission, paths in permissions.grants(engine, scope, mode=settings.access_mode):
            actions = ", ".join(permission.capabilities)
            yield AccessRow(actions, ", ".join(paths), permission.reason)
        if scope != permissions.WHOLE_ENGINE:
            yield AccessRow(
                "anything",
                f"any other path of the engine {engine}",
                "its policy names no other",
                is_allowed=False,
            )

    def recovery_protection(self, settings: Settings) -> str:
        return "its policy has no path of that engine"

    def policy_text(self, settings: Settings) -> str:
        return permissions.policy_text(
            _block(settings).root_engine,
            mode=settings.access_mode,
            scope=permissions.scope(settings),
        )

    def server(self, settings: Settings) -> str:
        block = _block(settings)
        place = f" in namespace {block.namespace}" if block.namespace else ""
        return f"{block.address.rstrip('/')}{place}, engine {block.root_engine}"

    def may_read(self, settings: Settings, name: str) -> bool:
        return permissions.scope(settings).has(name)

    def team_deployer_policy(self, settings: Settings) -> str:
        block, named = _block(settings), team_of(settings)
        folders: list[str] = []
        if named is not None:
            _, team = named
            folders += [
                namespace_path(team.tenant, namespace, block.secret_path_prefix)
                for namespace in team.namespaces
            ]
        mounts = settings.identity.vault.mount_engine
        return deployer_permissions.team_policy(block.root_engine, folders, mounts=mounts)

    def deployer_needs(
        self, type_: str, inputs: Mapping[str, Any]
    ) -> Sequence[DeployerNeed] | None:
        return deployer_permissions.needs(type_, inputs)

    def deployer_rows(self) -> Iterator[tuple[str, str]]:
        return deployer_permissions.rows()

    def store_description(self, settings: Settings) -> str:
        return f"KV version 2 at {_block(settings).root_engine}/"

    def login_description(self, settings: Settings) -> str:
        account = f"{settings.deployment.namespace}/{settings.store_account}"
        return f"log-in by {rules.vault_method(_block(settings))}, as service account {account}"

    def create_store(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> Store:
        from .store import VaultStore

        return VaultStore(name, args, opts)

    def create_identity(
        self,
        name: str,
        settings: Settings,
        store: Store,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Identity:
        from .identity import VaultIdentity
        from .store import VaultStore

        assert isinstance(store, (VaultStore, ExistingStore))
        component = VaultIdentity(name, settings, store.policy, opts, store.first)
        return Identity(
            principal=component.principal,
            needs_token=component.needs_token,
            environment=component.environment,
            resources=(component,),
        )

    def secret_store(self, settings: Settings, identity: Identity) -> dict[str, Any]:
        block, store, vault = _block(settings), settings.store.vault, settings.identity.vault
        assert block.kubernetes is not None
        account: dict[str, Any] = {"name": settings.store_account}
        if vault.audience is not None:
            account["audiences"] = [vault.audience]
        provider: dict[str, Any] = {
            "server": block.address,
            "path": block.root_engine,
            "version": "v2",
            "auth": {
                "kubernetes": {
                    "mountPath": block.kubernetes.path,
                    "role": identity.principal,
                    "serviceAccountRef": account,
                }
            },
        }
        if block.namespace is not None:
            provider["namespace"] = block.namespace
        if store is not None and store.ca_certificate is not None:
            provider["caBundle"] = b64encode(store.ca_certificate.encode()).decode()
        return {"vault": provider}

    def remote_field(self, declared: DeclaredSecret) -> str | None:
        return super().remote_field(declared) or VALUE


VAULT = VaultBackend()


def _block(settings: Settings) -> Vault:
    """The block, which the checks require."""
    assert settings.secret is not None
    assert settings.secret.vault is not None
    return settings.secret.vault
