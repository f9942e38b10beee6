"""All settings of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import PrivateAttr, SecretStr

from .base import SOURCE_PROJECT, Model, RotationToken, key
from .configurations import Configurations
from .declared import DeclaredSecret
from .deployment import COMPONENTS_1, COMPONENTS_2, Deployment
from .durations import milliseconds
from .encryption import Encryption
from .endpoints import Endpoints
from .identity import Identity
from .platform import Datasource, Queue, Repository, Storage
from .secret import SecretManager, StoreManager
from .security import Security
from .server import Heartbeat, Server
from .storage_bucket import StorageBucket
from .store import Store
from .tags import TagSettings
from .worker_channel import DEFAULT_GROUP, GrpcTls
from .workloads import Workload, workloads

AccessMode = Literal["read-only", "managed", "external-secrets"]


class Settings(Model):
    """What a stack may say, under `kestra:`, in the order of Kestra's page."""

    version: Literal["1.3", "2.0"] = key(
        "1.3", "Kestra version that is rendered for. Quote it in YAML.", source=SOURCE_PROJECT
    )
    edition: Literal["oss", "enterprise"] = key("oss", "Kestra edition.", source=SOURCE_PROJECT)
    encryption: Encryption = key(
        Encryption, "Encryption at rest (kestra.encryption).", source=SOURCE_PROJECT
    )
    secret: SecretManager | None = key(
        None, "Secret manager (kestra.secret), Enterprise.", source=SOURCE_PROJECT
    )
    declared_secrets: dict[str, DeclaredSecret] = key(
        {}, "Name to secret that this stack provides.", source=SOURCE_PROJECT
    )
    rotation: dict[str, RotationToken] = key(
        {},
        "Value that the stack makes, as `pulumi stack output generated` names it, to any text; another text makes "
        "another value (docs/rotation.md).",
        source=SOURCE_PROJECT,
    )
    server: Server = key(Server, "Server (kestra.server).", source=SOURCE_PROJECT)
    endpoints: Endpoints = key(
        Endpoints, "Management endpoints (root key endpoints).", source=SOURCE_PROJECT
    )
    heartbeat: Heartbeat | None = key(
        None, "Ignored by Kestra since 0.16.", until="0.15", source=SOURCE_PROJECT
    )
    security: Security | None = key(
        None, "Security (kestra.security), Enterprise.", source=SOURCE_PROJECT
    )
    configurations: Configurations = key(
        Configurations, "Configuration files (kestra.configurations).", source=SOURCE_PROJECT
    )
    datasources: dict[str, Datasource] = key(
        {}, "Databases (root key datasources).", source=SOURCE_PROJECT
    )
    queue: Queue | None = key(None, "Queue (kestra.queue).", source=SOURCE_PROJECT)
    repository: Repository | None = key(
        None, "Repository (kestra.repository).", source=SOURCE_PROJECT
    )
    storage: Storage | None = key(None, "Internal storage (kestra.storage).", source=SOURCE_PROJECT)
    deployment: Deployment = key(Deployment, "Kestra on Kubernetes.", source=SOURCE_PROJECT)
    identity: Identity = key(Identity, "Who Kestra is to its secret store.", source=SOURCE_PROJECT)
    store: Store = key(
        Store, "What is provisioned in the secret manager's cloud.", source=SOURCE_PROJECT
    )
    storage_bucket: StorageBucket | None = key(
        None,
        "The bucket of kestra:storage, which Kestra's pods use by their workload identity (docs/storage.md). Absent: "
        "bucket and access are others'.",
        source=SOURCE_PROJECT,
    )
    tags: TagSettings = key(TagSettings, "Tags of every resource.", source=SOURCE_PROJECT)
    url: str | None = key(
        None,
        "Address that users see (kestra.url); the same as deployment.url.",
        pattern=r"^https?://[^\s/]+",
        source=SOURCE_PROJECT,
    )
    additional_configuration: dict[str, Any] = key(
        {},
        "Root key of Kestra's file to what stands below it, for keys that neither these settings nor docs/catalogue.md "
        "have. Rendered as written, not checked.",
        source=SOURCE_PROJECT,
    )
    _catalogue_keys: Mapping[str, Any] = PrivateAttr(default_factory=lambda: MappingProxyType({}))

    @property
    def catalogue_keys(self) -> Mapping[str, Any]:
        """Keys of Kestra's that no field here has, as they stand in Kestra's file: checked, with nested mappings,
        tuples for lists, and each secret as a `SecretStr`."""
        return self._catalogue_keys

    def with_catalogue_keys(self, keys: Mapping[str, Any]) -> Settings:
        """The same settings with these keys of Kestra's, which have to be checked already."""
        settings = self.model_copy()
        settings._catalogue_keys = keys
        return settings

    def catalogue_value(self, *path: str) -> Any:
        """What stands at a path of Kestra's file (`"micronaut", "server", "port"`), or None; of fields nothing."""
        node: Any = self._catalogue_keys
        for part in path:
            if not isinstance(node, Mapping) or part not in node:
                return None
            node = node[part]
        return node

    @property
    def address(self) -> str | None:
        """The address that users see, under either name."""
        return self.deployment.url or self.url

    @property
    def secondary(self) -> Settings | None:
        """The same stack with its two secret managers (`store.also`) in each other's place."""
        if self.store.also is None:
            return None
        store = self.store.model_copy(update={"also": self.secret})
        return self.model_copy(update={"secret": self.store.also, "store": store})

    @property
    def managers(self) -> tuple[SecretManager, ...]:
        """The secret manager, and the second one while the stack moves."""
        return tuple(m for m in (self.secret, self.store.also) if m is not None)

    @property
    def is_read_only(self) -> bool:
        """Whether there is a secret manager in which Kestra may only read."""
        return self.secret is not None and self.secret.is_read_only

    @property
    def uses_external_secrets(self) -> bool:
        """Whether External Secrets reads the secret manager, for open-source Kestra (`kestra:store.type`)."""
        return isinstance(self.secret, StoreManager)

    @property
    def written_secrets(self) -> dict[str, DeclaredSecret]:
        """The declared secrets whose values this stack has, and writes."""
        return {n: one for n, one in self.declared_secrets.items() if one.existing is None}

    @property
    def stored_secrets(self) -> dict[str, DeclaredSecret]:
        """The declared secrets that are in the secret manager, whoever wrote them there."""
        return {
            name: one
            for name, one in self.declared_secrets.items()
            if one.existing is None or one.existing.name is not None
        }

    @property
    def is_secrets_alone(self) -> bool:
        """Whether this is a stack of a team's secrets, without Kestra (`kestra:deployment.enabled: false`)."""
        return not self.deployment.enabled

    @property
    def is_shared_with_teams(self) -> bool:
        """Whether stacks of teams write into the store that this stack's Kestra reads (`kestra:store.teams`)."""
        return "teams" in self.store.model_fields_set and self.deployment.enabled

    @property
    def access_mode(self) -> AccessMode:
        """How the secret manager is used, which decides what the stack's identity may do there."""
        if self.uses_external_secrets:
            return "external-secrets"
        return "read-only" if self.is_read_only else "managed"

    @property
    def store_account(self) -> str:
        """The Kubernetes service account that the secret manager knows: Kestra's own, or that of External Secrets,
        so that Kestra's pods themselves may do nothing there."""
        account = self.identity.service_account.name
        return f"{account}-secrets" if self.uses_external_secrets else account

    @property
    def is_enterprise(self) -> bool:
        """Whether this is the Enterprise Edition."""
        return self.edition == "enterprise"

    @property
    def is_production(self) -> bool:
        """Whether the environment is production."""
        return self.tags.environment == "production"

    @property
    def protect(self) -> bool:
        """Whether stores and keys are protected against deletion."""
        return self.is_production if self.deployment.protect is None else self.deployment.protect

    @property
    def components(self) -> tuple[str, ...]:
        """The server components that are deployed."""
        if self.deployment.mode == "standalone":
            return ("standalone",)
        return COMPONENTS_2 if self.version == "2.0" else COMPONENTS_1

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """The Deployments of Kestra's pods: the server components, and the worker groups."""
        return workloads(self.deployment, self.components)

    @property
    def grpc_tls(self) -> GrpcTls | None:
        """The certificates of workers and controllers, where they are asked for."""
        tls = self.deployment.grpc_tls
        return tls if tls is not None and tls.enabled else None

    @property
    def registration_groups(self) -> dict[str, SecretStr | None]:
        """Worker group, and `default`, to the registration token that the settings give it, where the stack tells
        Kestra the tokens of its workers; None: the stack makes it."""
        chosen = self.deployment.worker_authentication
        if chosen is None or not chosen.enabled:
            return {}
        groups = self.deployment.worker_groups
        return {DEFAULT_GROUP: None} | {n: g.registration_token for n, g in groups.items()}

    @property
    def grace_seconds(self) -> int:
        """Kestra's own termination grace period, in seconds."""
        return -(-(milliseconds(self.server.termination_grace_period or "5m") or 0) // 1000)
