"""The provider: checks, differences and life cycle of the resources, with secrets marked."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from sandbox.plugins.inputs import Schemas
from sandbox.plugins.server import Diff, Engine, ProviderError, take_urn
from sandbox.plugins.values import UNKNOWN, Secret, has_unknown, plain
from sandbox.plugins.vault.api import Api
from sandbox.plugins.vault.resources import RESOURCES

#: Life of the provider's own token, as the official provider's `maxLeaseTtlSeconds`.
_TOKEN_SECONDS = 1200
_UNORDERED = frozenset(
    {"boundServiceAccountNames", "boundServiceAccountNamespaces", "tokenPolicies", "policies", "cidrLists",
     "tokenBoundCidrs", "secretIdBoundCidrs"}
)  # fmt: skip


class VaultPlugin:
    """The provider."""

    version = "7.14.0"

    def __init__(self) -> None:
        self._schemas = Schemas(Path(__file__).with_name("schema.json"))
        self._config: dict[str, Any] = {}
        self._api_made: Api | None = None

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        self._config = config

    @property
    def _api(self) -> Api:
        if self._api_made is None:
            address = self._config.get("address") or os.environ.get("VAULT_ADDR")
            token = self._config.get("token") or os.environ.get("VAULT_TOKEN")
            if not address:
                raise ProviderError(
                    "no Vault address: set VAULT_ADDR or `pulumi config set vault:address`"
                )
            if not token:
                raise ProviderError(
                    "no vault token set on the client: set VAULT_TOKEN or vault:token"
                )
            api = Api(
                address, token, self._config.get("namespace") or os.environ.get("VAULT_NAMESPACE")
            )
            skip = str(self._config.get("skipChildToken", "")).lower() == "true"
            self._api_made = api if skip else api.child(_TOKEN_SECONDS)
        return self._api_made

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        schema = self._schemas.of(type_)
        inputs = schema.with_defaults(news)
        if "name" in schema.inputs and "name" not in inputs:
            inputs["name"] = plain(olds).get("name") or f"{name}-{secrets.token_hex(4)[:7]}"
        return inputs, schema.check(inputs)

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        before, after = plain(olds), plain(news)
        changed = set()
        for name in schema.inputs:
            if name.endswith("Wo"):
                continue
            if name not in after:
                # Something that the server has and nobody asked for any more.
                if name not in resource.computed and before.get(name) not in (
                    None,
                    "",
                    0,
                    False,
                    [],
                    {},
                ):
                    changed.add(name)
            elif has_unknown(news[name]) or not _same(name, before.get(name), after[name]):
                changed.add(name)
        return Diff(changed, changed & schema.replacing(), delete_first=True)

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        take_urn(news)
        schema = self._schemas.of(type_)
        known = {k: v for k, v in news.items() if not k.startswith("__")}
        if preview:
            unknown = {
                k: Secret(UNKNOWN) if schema.outputs[k].get("secret") else UNKNOWN
                for k in schema.outputs
                if k not in known and k not in schema.inputs
            }
            return "", known | unknown
        id_, outputs = RESOURCES[type_].create(self._api, plain(known))
        return id_, schema.mark(outputs, known)

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        schema = self._schemas.of(type_)
        if not olds:
            raise ProviderError(
                "this stand-in does not import; install the official plugin for that"
            )
        outputs = RESOURCES[type_].read(self._api, id_, plain(olds))
        if outputs is None:
            return None
        marked = schema.mark(outputs, olds)
        seen = {k: marked.get(k, v) for k, v in inputs.items()}
        return id_, seen, marked

    def update(
        self,
        type_: str,
        id_: str,
        old_inputs: dict[str, Any],
        olds: dict[str, Any],
        news: dict[str, Any],
        preview: bool,
        timeout: float,
    ) -> dict[str, Any]:
        take_urn(news)
        schema = self._schemas.of(type_)
        known = {k: v for k, v in news.items() if not k.startswith("__")}
        if preview:
            kept = {k: v for k, v in olds.items() if k not in schema.inputs}
            return kept | known
        # What the server filled in stays known to the resource; what nobody sets any more does not.
        filled = {
            k: v
            for k, v in plain(olds).items()
            if k in RESOURCES[type_].computed or k not in schema.inputs
        }
        outputs = RESOURCES[type_].update(self._api, id_, filled | plain(known), plain(olds))
        return schema.mark(outputs, known)

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        take_urn(olds)
        RESOURCES[type_].delete(self._api, id_, plain(olds))


def _same(name: str, before: Any, after: Any) -> bool:
    if name in _UNORDERED and isinstance(before, list) and isinstance(after, list):
        return sorted(map(str, before)) == sorted(map(str, after))
    if isinstance(after, dict) and isinstance(before, dict) and name == "customMetadata":
        return all(before.get(k) == v for k, v in after.items())
    if name in ("path", "mount", "backend") and isinstance(before, str) and isinstance(after, str):
        return before.strip("/") == after.strip("/")
    if isinstance(after, (bool, int, float)) or isinstance(before, (bool, int, float)):
        return str(before).lower() == str(after).lower()
    return before == after or (before in (None, "") and after in (None, ""))
