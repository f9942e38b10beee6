"""Kestra's own stores, and open-source Kestra, which has none: as this project knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...settings.model import Settings
from ..interface import AccessRow, Backend, NotWritable

if TYPE_CHECKING:
    from ...rendering.leaves import Node


class InternalStore(Backend):
    """A store that Kestra keeps itself, encrypted with a key of its own."""

    block_required = False
    is_read_only_capable = False

    def rendered(self, block: dict[str, Node], read_only: Node | None) -> dict[str, Node]:
        from ...rendering.leaves import GeneratedValueRef

        # A key of this project's checks, unknown to Kestra.
        known = {name: value for name, value in block.items() if name != "existing"}
        return {"secret": GeneratedValueRef(self.data_key)} | known

    @property
    def data_key(self) -> str:
        return f"secret.{self.type}.secret"

    def not_writable(self, settings: Settings) -> NotWritable:
        return NotWritable(
            f"cannot be written to {self.type}",
            "only Kestra itself writes to its internal store",
            "create them in Kestra, or choose an external manager",
        )

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        yield AccessRow(
            "read, write", "its own database", "secrets are encrypted with a key of their own"
        )

    def store_description(self, settings: Settings) -> str:
        return "encrypted with its own key"

    def login_description(self, settings: Settings) -> str:
        return "Kestra itself"


class Jdbc(InternalStore):
    """Kestra's database."""

    type = "jdbc"
    title = "Kestra's own database"


class Elasticsearch(InternalStore):
    """Kestra's Elasticsearch."""

    type = "elasticsearch"
    title = "Kestra's own Elasticsearch"


class OpenSource(Backend):
    """No manager: declared secrets reach the pods as variables `SECRET_<NAME>`."""

    type = ""
    title = ""

    def not_writable(self, settings: Settings) -> None:
        return None

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        return iter(())

    def store_description(self, settings: Settings) -> str:
        return ""

    def login_description(self, settings: Settings) -> str:
        return ""


JDBC = Jdbc()
ELASTICSEARCH = Elasticsearch()
OPEN_SOURCE = OpenSource()
