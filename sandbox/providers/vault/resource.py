"""What every resource type has: how it is written to Vault, read back, compared and deleted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from sandbox.providers.runtime.errors import ProviderError, finish_create
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.schema_provider import ResourceType
from sandbox.providers.runtime.schema_validation import snake
from sandbox.providers.runtime.schemas import ResourceSchema
from sandbox.providers.runtime.terraform_values import ZERO, is_json_object, normalize_json
from sandbox.providers.runtime.values import Properties
from sandbox.providers.vault.api import Api


class VaultResource(ResourceType[Api]):
    """A type. `write` is used for create and update; `read` gives the server's view of the properties.

    The attributes say what the official provider's own schema says beyond Pulumi's: they decide what is a
    difference.
    """

    #: Texts that hold JSON and are compared as such.
    documents: frozenset[str] = frozenset()

    def path(self, p: Properties) -> str:
        """Where it lives in the API."""
        raise NotImplementedError

    def id(self, p: Properties) -> str:
        """Its id in the state."""
        return self.path(p)

    def check(self, p: Properties) -> Failures:
        return [
            (name, f'"{snake(name)}" contains an invalid JSON')
            for name in sorted(self.documents)
            if isinstance(p.get(name), str) and not is_json_object(p[name])
        ]

    def create(self, api: Api, p: Properties) -> tuple[str, Properties]:
        self.write(api, p, {})
        id_ = self.id(p)

        def rest() -> Properties | None:
            self.describe(api, p)
            return self.read(api, id_, p)

        return id_, finish_create(id_, p, rest)

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties | None:
        self.write(api, p, olds)
        self.describe(api, p)
        return self.read(api, self.id(p), p) or p

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        """Sends the properties; what `olds` has and `p` has not is set back to nothing."""
        raise NotImplementedError

    def describe(self, api: Api, p: Properties) -> None:
        """Sends what is written of a resource only when it exists."""

    def locate(self, api: Api, schema: ResourceSchema, id_: str) -> tuple[str, Properties]:
        return id_, self.parse(id_)

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        api.request("DELETE", self.path(p))

    def parse(self, id_: str) -> Properties:
        """The properties that an id tells, for an import.

        Raises:
            ProviderError: when the type cannot be imported, or not by this id.
        """
        raise ProviderError("resource doesn't support import")

    def left_to_server(self, name: str, value: Any) -> bool:
        return name in self.computed and value in ZERO and value is not None and value is not False

    def same(self, name: str, before: Any, after: Any) -> bool:
        if before in ZERO and after in ZERO:
            return True
        if name in self.documents and isinstance(before, str) and isinstance(after, str):
            return normalize_json(before) == normalize_json(after)
        if name in self.sets and isinstance(before, list) and isinstance(after, list):
            return sorted(map(_address, before)) == sorted(map(_address, after))
        if name in ("backend", "mount") and isinstance(before, str) and isinstance(after, str):
            return before.strip("/") == after.strip("/")
        if isinstance(before, (bool, int, float)) or isinstance(after, (bool, int, float)):
            return str(before).lower() == str(after).lower()
        if isinstance(before, dict) and isinstance(after, dict):
            return {k: str(v) for k, v in before.items()} == {k: str(v) for k, v in after.items()}
        return before == after


def body(p: Properties, names: Iterable[str], olds: Properties | None = None) -> Properties:
    """The API's names and values; with `olds`, what is no longer wanted is set back to nothing."""
    sent = {snake(n): p[n] for n in names if p.get(n) is not None}
    for name in names if olds else ():
        before = (olds or {}).get(name)
        if snake(name) not in sent and before not in ZERO:
            sent[snake(name)] = type(before)()
    return sent


def view(data: Properties, names: Iterable[str], p: Properties) -> Properties:
    """What the server says of the inputs; a nothing that nobody set is left out."""
    out = dict(p)
    for name in names:
        value = data.get(snake(name))
        if value in ZERO and p.get(name) in ZERO:
            continue
        out[name] = value
    return out


def _address(value: Any) -> str:
    # Vault writes an address without the mask that means one host only.
    try:
        return str(ipaddress.ip_network(str(value), strict=False))
    except ValueError:
        return str(value)
