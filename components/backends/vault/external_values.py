"""Values of external secrets in HashiCorp Vault (KV version 2)."""

from __future__ import annotations

import urllib.parse
from typing import Any

from ...settings.declared import Generate
from ...settings.managers import Vault
from ...settings.model import Settings
from ..answers import CurrentVersion, UnansweredError
from ..external_values import ENCRYPTION_KEY, NO_PLACE, NO_VALUE, Option
from .caller import Caller, version_of
from .paths import (
    ENCRYPTION_KEY_PATH,
    KEY_FIELD,
    VALUE,
    secret_path,
    stack_engine,
)


class VaultValues:
    """The external secrets of a stack in Vault; see `ExternalValues`."""

    def __init__(self, settings: Settings, block: Vault, option: Option) -> None:
        self._settings, self._block, self._option = settings, block, option

    def _request(self, method: str, half: str, name: str, value: str = "") -> dict[str, Any] | None:
        caller = self._caller()
        engine, path, field = self._place(name)
        body = {"data": {field: value}} if value else None
        return caller.request(method, urllib.parse.quote(f"{engine}/{half}/{path}"), body, (value,))

    def _caller(self) -> Caller:
        return Caller(self._block.namespace, self._option, self._block.address)

    def _place(self, name: str) -> tuple[str, str, str]:
        """Engine, path and field."""
        engine = self._block.root_engine
        if name == ENCRYPTION_KEY:
            return stack_engine(engine), ENCRYPTION_KEY_PATH, KEY_FIELD
        declared = self._settings.declared_secrets[name]
        return engine, secret_path(name, declared, self._block.secret_path_prefix), VALUE

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
                f"Vault has no engine {self._place(name)[0]}: `pulumi up` makes it first."
            )
        written = answer["data"]
        return CurrentVersion(str(written["version"]), "", written.get("created_time") or "")

    def read(self, name: str) -> str:
        answer = self._request("GET", "data", name)
        value = ((answer or {}).get("data") or {}).get("data") or {}
        field = self._place(name)[2]
        if not isinstance(value.get(field), str):
            raise UnansweredError(f"Vault has no text in the field {field} of {name}.")
        return value[field]

    def random(self, generate: Generate) -> str | None:
        if generate.password_policy is None:
            return None
        path = f"sys/policies/password/{generate.password_policy}/generate"
        answer = self._caller().request("GET", urllib.parse.quote(path))
        if answer is None:
            raise UnansweredError(f"Vault has no password policy {generate.password_policy}.")
        return answer["data"]["password"]
