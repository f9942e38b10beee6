"""The store and the identity of Acorn; the one module of the backend that needs Pulumi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components import tags
from components.backends.interface import StoreArgs
from components.settings import Settings
from tests.backends.acorn.rules import TAGS, block_of


class AcornSecret(pulumi.CustomResource):
    """A secret of Acorn's provider."""

    version: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("acorn:index/secret:Secret", name, {"version": None, **props}, opts)


class AcornToken(pulumi.CustomResource):
    """A token of Acorn's provider."""

    token: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("acorn:index/token:Token", name, {"token": None, **props}, opts)


class AcornStore(pulumi.ComponentResource):
    """Kestra's secrets in Acorn."""

    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:stores:AcornStore", name, None, opts)
        from tests.backends.acorn.backend import ACORN

        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        labels = tags.translate(tags.convention(settings.tags), TAGS)
        written: dict[str, AcornSecret] = {}
        for secret, declared in settings.declared_secrets.items():
            path = ACORN.secret_location(settings, secret, declared)
            value = pulumi.Output.secret(args.secrets[secret])
            block = ACORN.store_block(settings)
            props = {"path": path, "value": value, "tags": labels, "copies": block and block.copies}
            written[secret] = AcornSecret(f"{name}-declared-{secret}", props, own)
        if args.encryption_key is not None:
            kept = pulumi.ResourceOptions(
                parent=self, protect=settings.protect, retain_on_delete=True
            )
            path = ACORN.recovery_location(settings)
            value = pulumi.Output.secret(args.encryption_key)
            copy = AcornSecret(f"{name}-encryption-key", {"path": path, "value": value}, kept)
            written["encryption.secret-key"] = copy
        self.environment = {}
        self.secret_ids = {secret: resource.id for secret, resource in written.items()}
        self.version_ids = {secret: resource.version for secret, resource in written.items()}
        self.register_outputs({})


class AcornLogIn(pulumi.ComponentResource):
    """Kestra's token in Acorn."""

    principal: pulumi.Output[str]
    environment: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:identity:AcornLogIn", name, None, opts)
        from tests.backends.acorn.backend import ACORN

        team = ACORN.identity_block(settings).team
        props = {"team": team, "shelf": block_of(settings).shelf}
        token = AcornToken(f"{name}-token", props, pulumi.ResourceOptions(parent=self))
        self.principal = pulumi.Output.from_input(team)
        self.environment = {"secret.acorn.token": pulumi.Output.secret(token.token)}
        self.register_outputs({})
