"""Acorn, as this project would know it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from components.backends.interface import (
    AccessRow,
    Backend,
    Identity,
    PermissionRow,
    Store,
    StoreArgs,
)
from components.safeguards.failed_resource import ConflictHint, by_name
from components.settings.declared import DeclaredSecret
from components.settings.model import Settings
from tests.backends.acorn import rules
from tests.backends.acorn.blocks import AcornBlock, AcornIdentity, AcornShelf

if TYPE_CHECKING:
    import pulumi

    from components.rendering.leaves import Node


class Acorn(Backend):
    """Acorn."""

    type = "acorn"
    title = "Acorn"
    since = "2.0"
    cloud = "acorn"
    provider = "acorn"
    provider_title = "Acorn"
    block_model = AcornBlock
    identity_model = AcornIdentity
    store_model = AcornShelf
    setting_rules = (rules.shelf,)
    writes_secrets = True
    tag_limits = rules.TAGS
    hosts = ("login.acorn.example.com",)
    deployer_actions = {  # noqa: RUF012
        "acorn:index/secret:Secret": ("secrets.read", "secrets.write"),
        "acorn:index/token:Token": ("tokens.create", "tokens.revoke"),
    }

    def rendered(self, block: dict[str, Node], read_only: Node | None) -> dict[str, Node]:
        from components.rendering.leaves import GeneratedValueRef

        return {"token": GeneratedValueRef("secret.acorn.token")} | block

    def rotatable(self, settings: Settings) -> set[str]:
        block = settings.secret and settings.secret.block("acorn")
        is_made = isinstance(block, AcornBlock) and block.token is None
        return {"secret.acorn.token"} if is_made else set()

    def provisions(self, settings: Settings) -> bool:
        return True

    def not_writable(self, settings: Settings) -> None:
        return None

    def secret_name(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        return f"{declared.tenant}/{declared.namespace}/{name}"

    def secret_location(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        shelf = rules.block_of(settings).shelf
        return f"{shelf}/{self.secret_name(settings, name, declared)}"

    def location_facts(self, settings: Settings) -> dict[str, Any]:
        return {"secret.acorn.shelf": rules.block_of(settings).shelf}

    def recovery_location(self, settings: Settings) -> str:
        return f"{rules.block_of(settings).shelf}-stack/encryption-key"

    @property
    def conflict_hints(self) -> Sequence[ConflictHint]:
        advice = by_name("a secret", "kestra:secret.acorn.shelf", "path")
        return (ConflictHint(r"^acorn:", r"is taken", advice),)

    def permission_rows(self) -> Iterator[PermissionRow]:
        yield PermissionRow("read-only", "read", "`<shelf>`", "Flows read values.")
        yield PermissionRow("managed", "read, write", "`<shelf>`", "Users write values.")

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        yield AccessRow("read", rules.block_of(settings).shelf, "Flows read values.")

    def recovery_protection(self, settings: Settings) -> str:
        return "its token is for another shelf"

    def store_description(self, settings: Settings) -> str:
        return f"shelf {rules.block_of(settings).shelf}"

    def login_description(self, settings: Settings) -> str:
        return "a token that the stack makes"

    def create_store(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> Store:
        from tests.backends.acorn.components import AcornStore

        return AcornStore(name, args, opts)

    def create_identity(
        self,
        name: str,
        settings: Settings,
        store: Store,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Identity:
        if rules.block_of(settings).token is not None:
            return Identity()
        from tests.backends.acorn.components import AcornLogIn

        component = AcornLogIn(name, settings, opts)
        return Identity(principal=component.principal, environment=component.environment)


ACORN = Acorn()
