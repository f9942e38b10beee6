"""No store outside Kestra: its own database (`jdbc`, `elasticsearch`), or the open-source edition's environment."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from ..interface import StoreArgs


class EmbeddedStore(pulumi.ComponentResource):
    """A store inside Kestra.

    - Nothing outside is provisioned; the key of `jdbc` or `elasticsearch` comes from the settings or is
      generated with 48 characters, and is not the encryption key.
    - Declared secrets of the open-source edition live in the stack's one Kubernetes Secret, whose name
      changes with its content, so a new value reaches the pods.

    Example:
        >>> EmbeddedStore("store", StoreArgs(settings))  # doctest: +SKIP
    """

    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:stores:EmbeddedStore", name, None, opts)
        self.environment = {}
        self.secret_ids = {
            secret: pulumi.Output.from_input(f"SECRET_{secret.upper()}") for secret in args.secrets
        }
        self.version_ids = {}
        self.register_outputs({"environment": self.environment})
