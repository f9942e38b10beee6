"""Google Secret Manager, as this project knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...settings.declared import DeclaredSecret
from ...settings.managers import GoogleSecretManager
from ...settings.model import Settings
from ...settings.secrets_alone import team_of
from ..cloud import CloudBackend
from ..existing_store import ExistingStore
from ..interface import (
    Identity,
    NameRule,
    PermissionRow,
    SdkPackage,
    Store,
    StoreArgs,
    to_identity,
)
from ..secret_naming import filtered_name, prefix
from . import (
    deployer_permissions,
    drift,
    name_conflicts,
    names,
    permissions,
    rules,
)
from .tag_limits import GOOGLE_LABELS

if TYPE_CHECKING:
    import pulumi

    from ..external_values import ExternalValues, Option

#: Where GKE's metadata server answers, without and with Dataplane V2.
#: Source: Google Cloud documentation, Workload Identity Federation for GKE.
METADATA = (("169.254.169.252/32", 988), ("169.254.169.254/32", 80))
SDK = SdkPackage("pulumi-gcp", "pulumi_gcp", "requirements/gcp.txt")


class SecretManager(CloudBackend):
    """Google Secret Manager."""

    type = names.TYPE
    title = "Google Secret Manager"
    cloud = "gcp"
    provider = "gcp"
    provider_title = "Google Cloud"
    sdk_package = SDK
    setting_rules = (rules.store, rules.aliases)
    identity_rules = (rules.identity,)
    declared_keys = ("version-aliases",)
    name_rule = NameRule(r"[A-Za-z0-9_-]{1,255}", "255 letters, digits, _ and - at most")
    deployer_actions = deployer_permissions.ACTIONS
    tag_limits = GOOGLE_LABELS
    version_query = drift.QUERY
    conflict_hints = name_conflicts.HINTS
    hosts = ("*.googleapis.com",)
    account_annotation = names.ACCOUNT
    takes_external = True
    place_keys = CloudBackend.place_keys | {"project"}

    def secret_tags(
        self, settings: Settings, name: str, declared: DeclaredSecret
    ) -> dict[str, str]:
        return names.secret_labels(settings, declared)

    def external_values(self, settings: Settings, option: Option) -> ExternalValues | None:
        from .external_values import GoogleValues

        block = _block(settings)
        project = block and block.project
        return GoogleValues(settings, project) if project else None

    def location_facts(self, settings: Settings) -> dict[str, Any]:
        block, store = _block(settings), settings.store.gcp
        facts = super().location_facts(settings)
        facts[f"secret.{self.type}.project"] = block and block.project
        if store is not None:
            facts |= {
                "store.gcp.regions": ", ".join(store.regions),
                "store.gcp.kms.enabled": store.kms.enabled,
                "store.gcp.kms.name": store.kms.name,
            }
        return facts

    def node_services(self, settings: Settings) -> Sequence[tuple[str, int]]:
        return METADATA if settings.identity.gcp.workload_pool else ()

    def is_account_identity(self, settings: Settings) -> bool:
        return settings.identity.gcp.workload_pool is not None

    def permission_rows(self) -> Iterator[PermissionRow]:
        return permissions.rows()

    def access_scope(self, settings: Settings, scope: str) -> str:
        if scope == permissions.Scope.EACH_DECLARED and settings.stored_secrets:
            return f"{scope}: {', '.join(settings.stored_secrets)}"
        return scope

    def server(self, settings: Settings) -> str:
        block = _block(settings)
        return f"project {block.project}" if block and block.project else ""

    def may_read(self, settings: Settings, name: str) -> bool:
        if settings.access_mode == "managed":
            return name.startswith(prefix(settings))
        own = {self.secret_name(settings, n, one) for n, one in settings.stored_secrets.items()}
        begins = tuple((names.team_prefixes(settings) or {}).values())
        return name in own or name.startswith(begins)

    def team_deployer_policy(self, settings: Settings) -> str:
        named = team_of(settings)
        begin = filtered_name(settings, (named and named[1].name_prefix) or "")
        return deployer_permissions.team_policy(begin)

    def store_description(self, settings: Settings) -> str:
        block = _block(settings)
        return (block and block.project) or "project of the environment"

    def has_static_credential(self, settings: Settings) -> bool:
        block = _block(settings)
        return block is not None and block.service_account is not None

    def create_store(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> Store:
        from .secret_manager import GcpStore

        return GcpStore(name, args, opts)

    def create_identity(
        self,
        name: str,
        settings: Settings,
        store: Store,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Identity:
        if not settings.identity.gcp.workload_pool:
            return Identity()
        from .identity import GcpIdentity
        from .secret_manager import GcpStore

        assert isinstance(store, (GcpStore, ExistingStore))
        component = GcpIdentity(name, settings, store, opts)
        return to_identity(component, component)

    def secret_store(self, settings: Settings, identity: Identity) -> dict[str, Any]:
        block, cluster = _block(settings), settings.identity.gcp.cluster
        log_in: dict[str, Any] = {"serviceAccountRef": {"name": settings.store_account}}
        if cluster is not None:
            log_in["clusterName"] = cluster.name
            log_in["clusterLocation"] = cluster.location
            if cluster.project is not None:
                log_in["clusterProjectID"] = cluster.project
        project = block and block.project
        return {"gcpsm": {"projectID": project, "auth": {"workloadIdentity": log_in}}}

    def remote_version(self, version: str) -> str:
        return version.rsplit("/", 1)[-1]


SECRET_MANAGER = SecretManager()


def _block(settings: Settings) -> GoogleSecretManager | None:
    return settings.secret.google_secret_manager if settings.secret else None
