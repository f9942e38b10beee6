"""What a backend is: one object for each secret manager, and what its store and its identity take and give.

A backend is a `Backend`; `components/backends/registry.py` names them all. What the base class says holds for a
manager that Kestra is only told of: its block is rendered, and nothing is provisioned. docs/adding-a-backend.md says
what a new one needs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from ..settings.base import Model
from ..settings.declared import DeclaredSecret
from ..settings.findings import Finding, Kind
from ..settings.model import Settings
from ..settings.tag_rules import TagLimits
from . import secret_naming
from .external_secrets import ReadByExternalSecrets
from .login import Identity as Identity
from .login import to_identity as to_identity

if TYPE_CHECKING:
    import pulumi

    from ..rendering.leaves import Node
    from ..safeguards.failed_resource import ConflictHint
    from .answers import VersionQuery
    from .external_values import ExternalValues, Option

Rule = Callable[[Settings], Iterator[Finding]]
"""A check of the settings."""


class Reader(Enum):
    """Who reads the secrets of the manager, so that flows can use them."""

    KESTRA = "Kestra"
    """Kestra itself, which looks each one up (Enterprise Edition)."""
    EXTERNAL_SECRETS = "External Secrets"
    """External Secrets Operator, which copies them into the cluster for Kestra."""


@dataclass(frozen=True)
class StoreArgs:
    """What every store takes."""

    settings: Settings
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Name of a declared secret to its value (secret)."""
    encryption_key: pulumi.Input[str] | None = None
    """The encryption key (secret), kept in the store too."""
    external_versions: Mapping[str, str] = field(default_factory=dict)
    """Name of a declared secret whose value others write to the version in force; empty or absent: none yet."""


class Store(Protocol):
    """The interface of a store.

    The identifiers are not registered as outputs of the component: the stack exports them. What has an entry for each
    secret costs the engine's state and Pulumi's SDK more than in proportion (docs/benchmarks.md).
    """

    environment: Mapping[str, pulumi.Output[str]]
    """What the store provides: settings path to secret output."""
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]


@dataclass(frozen=True)
class NameRule:
    """What a manager takes as the name of a secret."""

    pattern: str
    """Regular expression of the whole name."""
    text: str
    """The rule, for people."""
    ignores_case: bool = False


class PermissionRow(NamedTuple):
    """One permission of Kestra's role, for the documentation."""

    mode: str
    """`read-only` or `managed`."""
    actions: str
    """Separated by `, `."""
    scope: str
    reason: str


class AccessRow(NamedTuple):
    """What Kestra may do in the manager of one stack, or may not."""

    actions: str
    scope: str
    reason: str
    is_allowed: bool = True
    role: str = ""
    """By what role; empty where there is none of its own."""


class NotWritable(NamedTuple):
    """Why a stack cannot write declared secrets to a manager."""

    message: str
    rule: str
    fix: str
    kind: Kind = "value"
    adds: tuple[str, ...] = ()
    """The setting that the fix adds; empty where it adds none."""


class DeployerNeed(NamedTuple):
    """One permission of whoever runs `pulumi up`, for one resource."""

    action: str
    """An action; of Vault a capability."""
    where: str = ""
    """Of Vault a path."""


@dataclass(frozen=True)
class SdkPackage:
    """The SDK of a Pulumi provider."""

    name: str
    """As the package index has it."""
    module: str
    """As Python imports it."""
    lock: str
    """The locked requirements that have it, relative to the project."""

    @property
    def is_installed(self) -> bool:
        """Whether Python finds it; nothing is imported."""
        return importlib.util.find_spec(self.module) is not None


class Backend(ReadByExternalSecrets):
    """A secret manager: its name, what it needs of the settings, and what a stack provisions in it.

    The methods take settings in which `secret` names this manager (`Settings.secondary` for the second one).
    """

    type: ClassVar[str]
    """`kestra:secret.type`; empty for open-source Kestra, which has no manager."""
    title: ClassVar[str]
    """Its name, for people."""
    since: ClassVar[str] = "1.3"
    """The first version of Kestra that has it."""
    cloud: ClassVar[str] = ""
    """Key of its blocks in `kestra:store` and `kestra:identity`; empty where it has none in `store`."""
    provider: ClassVar[str] = ""
    """Pulumi's package that provisions in it; empty where nothing is provisioned."""
    provider_title: ClassVar[str] = ""
    sdk_package: ClassVar[SdkPackage | None] = None
    """The provider's SDK, where a stack of this manager imports one."""

    block_required: ClassVar[bool] = True
    """Whether its block holds something that Kestra cannot do without."""
    block_model: ClassVar[type[Model] | None] = None
    """The model of its block in `kestra:secret`; None where `components/settings/secret.py` has it."""
    identity_model: ClassVar[type[Model] | None] = None
    """The model of its block in `kestra:identity`; None where it has none, or `components/settings` has it."""
    store_model: ClassVar[type[Model] | None] = None
    """The model of its block in `kestra:store`; None where it has none, or `components/settings` has it."""
    known_keys: ClassVar[tuple[str, ...]] = ()
    """Keys of its block that the stack itself reads, so that no placeholder of Kestra's may stand there."""
    place_keys: ClassVar[frozenset[str]] = frozenset()
    """Fields of its block that say where its secrets are and how Kestra finds them. The others, which say how Kestra
    logs in, have no effect in a stack of secrets alone; empty where that is not judged."""
    has_namespaces: ClassVar[bool] = False
    """Whether the names of its secrets have Kestra's namespace, by which a team's secrets are known."""
    setting_rules: ClassVar[Sequence[Rule]] = ()
    """Checks of the settings; they hold for a second manager too."""
    identity_rules: ClassVar[Sequence[Rule]] = ()
    """Checks of Kestra's one identity, which is that of the first manager."""

    is_read_only_capable: ClassVar[bool] = True
    """Whether Kestra can leave the writing to others."""
    writes_secrets: ClassVar[bool] = False
    """Whether this project can write declared secrets to it."""
    declared_keys: ClassVar[tuple[str, ...]] = ()
    """Keys of a declared secret that only this manager has."""
    takes_external: ClassVar[bool] = False
    """Whether others can put the values of declared secrets into it (`declared-secrets.<NAME>.external`)."""
    name_rule: ClassVar[NameRule | None] = None
    tag_limits: ClassVar[TagLimits | None] = None
    """What its tags can hold; None where it has no tags of this project."""
    hosts: ClassVar[tuple[str, ...]] = ()
    """Where it answers by HTTPS, where no setting holds the address."""
    deployer_actions: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Type of its resources to what whoever runs `pulumi up` must be allowed."""
    version_query: ClassVar[VersionQuery | None] = None
    """How its API says which version of a secret is in force (`components/drift.py`); None where refresh sees it."""
    conflict_hints: ClassVar[Sequence[ConflictHint]] = ()
    """What to do when a name of its resources is taken."""
    values_package: ClassVar[SdkPackage | None] = None
    """What `external_values` imports beside the project's own packages."""
    account_annotation: ClassVar[str] = ""
    """Annotation by which a Kubernetes service account has an identity in it; empty where there is none."""

    @property
    def owner(self) -> str:
        """Who gives permissions in it: its cloud, or where it has none the provider; empty for neither."""
        return self.cloud or self.provider

    def reader(self, settings: Settings) -> Reader:
        """Who reads its secrets for flows."""
        return Reader.EXTERNAL_SECRETS if settings.uses_external_secrets else Reader.KESTRA

    # Settings and Kestra's configuration

    def identity_block(self, settings: Settings) -> Any:
        """Its block in `kestra:identity`, where `identity_model` is its own."""
        return getattr(settings.identity, self.owner.replace("-", "_"))

    def store_block(self, settings: Settings) -> Any:
        """Its block in `kestra:store`; None where the stack has none."""
        return getattr(settings.store, self.cloud.replace("-", "_"))

    def with_defaults(self, settings: Settings) -> Settings:
        """The settings with what follows from other ones."""
        return settings

    def rendered(self, block: dict[str, Node], read_only: Node | None) -> dict[str, Node]:
        """The block as Kestra takes it, of its keys as they are set and of `kestra:secret.read-only`."""
        return block

    def provisioned_keys(self, settings: Settings) -> tuple[str, ...]:
        """Keys of the block that the store or the identity provides."""
        return ()

    @property
    def data_key(self) -> str:
        """Settings path of the key that Kestra encrypts its own secrets with; empty where it keeps none."""
        return ""

    def provides(self, path: str) -> bool:
        """Whether its store or its identity provides what stands at a settings path, and no generator."""
        return path.startswith(f"secret.{self.type}.") and path != self.data_key

    def rotatable(self, settings: Settings) -> set[str]:
        """Settings paths of credentials that the identity makes and can make anew."""
        return set()

    # Declared secrets

    def provisions(self, settings: Settings) -> bool:
        """Whether the stack writes secrets into it."""
        return False

    def not_writable(self, settings: Settings) -> NotWritable | None:
        """Why declared secrets cannot be written to it; None where they can."""
        return NotWritable(
            f"cannot be written to {self.type}",
            "this project provisions nothing there: no Pulumi provider of its own writes to it",
            f"create them in {self.type} itself and remove them here",
        )

    def secret_name(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        """The declared secret's name in the manager; of one that others made its own."""
        return name

    def external_values(self, settings: Settings, option: Option) -> ExternalValues | None:
        """How the values of external secrets are written and their versions read; None where they cannot be."""
        return None

    def secret_location(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        """Where in the manager the declared secret is, for people."""
        return self.secret_name(settings, name, declared)

    def secret_tags(
        self, settings: Settings, name: str, declared: DeclaredSecret
    ) -> dict[str, str]:
        """All tags of a declared secret, those that make it visible included."""
        return secret_naming.secret_tags(settings, name, declared)

    def declared_tags(self, declared: DeclaredSecret) -> Mapping[str, str]:
        """What of a declaration becomes a tag."""
        return declared.tags

    def location_facts(self, settings: Settings) -> dict[str, Any]:
        """Where its secrets are: settings path to value. Another value means another place."""
        return {}

    def created_things(self, settings: Settings) -> dict[str, str]:
        """Settings path of what makes a thing to its name, where `location_facts` does not have it; empty where the
        thing exists already."""
        return {}

    def recovery_location(self, settings: Settings) -> str:
        """Where the copy of the encryption key is; empty where there is none."""
        return ""

    # Network

    def node_services(self, settings: Settings) -> Sequence[tuple[str, int]]:
        """Network and port of what the node itself answers: who gives a pod its identity in the cloud."""
        return ()

    def is_account_identity(self, settings: Settings) -> bool:
        """Whether Kestra's own service account has an identity in it by `account_annotation`."""
        return False

    # Permissions

    def permission_rows(self) -> Iterator[PermissionRow]:
        """What Kestra may do with the identity that the stack makes, for the documentation."""
        return iter(())

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        """What Kestra may do in the manager of this stack."""
        yield AccessRow(
            "what the given credential may",
            self.title,
            "this project configures the manager and grants nothing in it",
        )

    def recovery_protection(self, settings: Settings) -> str:
        """What keeps Kestra from the copy of the encryption key."""
        return "no grant on that secret"

    def policy_text(self, settings: Settings) -> str:
        """The policy of Kestra's role as text; empty where the manager has none."""
        return ""

    def key_administrators(self, settings: Settings) -> Sequence[str]:
        """Who manages the key of the secrets, and cannot decrypt with it."""
        return ()

    def server(self, settings: Settings) -> str:
        """The server or account that its secrets are in, for people; empty where the settings do not say it."""
        return ""

    def may_read(self, settings: Settings, name: str) -> bool:
        """Whether the Kestra of these settings may read the secret of this name in the manager."""
        return False

    def team_deployer_policy(self, settings: Settings) -> str:
        """What whoever runs `pulumi up` of a stack of secrets alone needs in the manager, as the manager writes it."""
        return ""

    def deployer_needs(
        self, type_: str, inputs: Mapping[str, Any]
    ) -> Sequence[DeployerNeed] | None:
        """What whoever runs `pulumi up` needs for a resource; None for a type that is not of this provider."""
        actions = self.deployer_actions.get(type_)
        return None if actions is None else [DeployerNeed(action) for action in actions]

    def deployer_rows(self) -> Iterator[tuple[str, str]]:
        """Resource type and what it needs, for the documentation."""
        for type_, actions in self.deployer_actions.items():
            yield type_, ", ".join(f"`{action}`" for action in actions)

    # Reports

    def store_description(self, settings: Settings) -> str:
        """Where the store is, in a few words."""
        return "existing"

    def login_description(self, settings: Settings) -> str:
        """As whom Kestra uses it."""
        return "a given credential"

    # Resources; only these import an SDK

    def create_store(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> Store:
        """Registers the store."""
        from .embedded.store import EmbeddedStore

        return EmbeddedStore(name, args, opts)

    def create_identity(
        self,
        name: str,
        settings: Settings,
        store: Store,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Identity:
        """Registers the identity that reads the store."""
        return Identity()
