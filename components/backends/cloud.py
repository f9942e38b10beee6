"""What the managers of the clouds have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..settings.declared import DeclaredSecret
from ..settings.model import Settings
from .interface import AccessRow, Backend, NotWritable
from .secret_naming import filtered_name, prefix, recovery_name


class CloudBackend(Backend):
    """A manager of a cloud: what is provisioned stands under `kestra:store.<cloud>`."""

    block_required = False
    writes_secrets = True
    place_keys = frozenset(
        {"prefix", "filter_on_tags", "filter_on_prefix", "excluded_tags", "tags"}
    )

    def provisions(self, settings: Settings) -> bool:
        return self.store_block(settings) is not None

    def not_writable(self, settings: Settings) -> NotWritable | None:
        if self.provisions(settings):
            return None
        return NotWritable(
            f"has no kestra:store.{self.cloud}",
            "a stack that writes secrets also provisions their key and their protection",
            f"add kestra:store.{self.cloud}",
            "missing",
            ("store", self.cloud),
        )

    def secret_name(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        if declared.existing is not None and declared.existing.name is not None:
            return declared.existing.name
        return filtered_name(settings, name)

    def recovery_location(self, settings: Settings) -> str:
        return recovery_name(settings)

    def location_facts(self, settings: Settings) -> dict[str, Any]:
        facts = {
            f"secret.{self.type}.prefix": prefix(settings),
            f"store.{self.cloud}": "given" if self.provisions(settings) else "absent",
        }
        if self.provisions(settings):
            facts["deployment.namespace"] = settings.deployment.namespace
        return facts

    def has_static_credential(self, settings: Settings) -> bool:
        """Whether the settings hold a credential of it."""
        return False

    def login_description(self, settings: Settings) -> str:
        if self.has_static_credential(settings):
            return "a static credential from the stack settings"
        account = f"{settings.deployment.namespace}/{settings.store_account}"
        return f"the workload identity of service account {account}"

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        for row in self.permission_rows():
            if row.mode == settings.access_mode:
                yield AccessRow(row.actions, self.access_scope(settings, row.scope), row.reason)

    def access_scope(self, settings: Settings, scope: str) -> str:
        """On what a permission of this stack is, as a report says it."""
        return scope
