"""Values of external secrets in HashiCorp Vault (KV version 2)."""

from __future__ import annotations

import urllib.parse
from typing import Any

from components.backends.answers import CurrentVersion, UnansweredError
from components.backends.external_values import NO_PLACE, NO_VALUE, Option
from components.backends.vault.caller import Caller, version_of
from components.backends.vault.paths import VALUE, secret_path
from components.settings.managers import Vault
from components.settings.model import Settings


class VaultValues:
    """The external secrets of a stack in Vault; see `ExternalValues`."""

    def __init__(self, settings: Settings, block: Vault, option: Option) -> None:
        self._settings, self._block = settings, block
        self._address = option("vault:address") or block.address

    def _request(self, method: str, half: str, name: str, value: str = "") -> dict[str, Any] | None:
        caller = Caller(self._block.namespace, self._address)
        path = secret_path(
            name, self._settings.declared_secrets[name], self._block.secret_path_prefix
        )
        body = {"data": {VALUE: value}} if value else None
        quoted = urllib.parse.quote(f"{self._block.root_engine}/{half}/{path}")
        return caller.request(method, quoted, body, (value,))

    def version(self, name: str) -> CurrentVersion:
        answer = self._request("GET", "metadata", name)
        if answer is None:
            return CurrentVersion("", NO_PLACE)
        current = version_of(answer["data"])
        return CurrentVersion("", NO_VALUE) if current.number == "0" else current

    def write(self, name: str, value: str) -> CurrentVersion:
        answer = self._request("POST", "data", name, value)
        if answer is None:
            raise UnansweredError(
                f"Vault has no engine {self._block.root_engine}: `pulumi up` makes it first."
            )
        written = answer["data"]
        return CurrentVersion(str(written["version"]), "", written.get("created_time") or "")

    def read(self, name: str) -> str:
        answer = self._request("GET", "data", name)
        value = ((answer or {}).get("data") or {}).get("data") or {}
        if not isinstance(value.get(VALUE), str):
            raise UnansweredError(f"Vault has no text in the field {VALUE} of {name}.")
        return value[VALUE]

    def random(self, length: int, *, special: bool) -> str | None:
        return None
