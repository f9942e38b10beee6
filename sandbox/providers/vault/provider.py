"""The provider: checks, differences and life cycle of the resources, with secrets marked."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from sandbox.providers.bridge import (
    DEFAULTS,
    asked,
    automatic,
    checked,
    is_named,
    read_back,
    unknown_outputs,
)
from sandbox.providers.documents import ZERO
from sandbox.providers.inputs import Schemas
from sandbox.providers.server import Begun, Diff, Engine, ProviderError, take_urn
from sandbox.providers.values import has_unknown, plain
from sandbox.providers.vault.api import CLIENT_SECONDS, MAX_RETRIES, Api
from sandbox.providers.vault.resource import Properties
from sandbox.providers.vault.resources import RESOURCES


class VaultPlugin:
    """The provider."""

    version = "7.14.0"

    def __init__(self) -> None:
        self._schemas = Schemas(Path(__file__).with_name("schema.json"))
        self._config: dict[str, Any] = {}
        self._made: Api | None = None
        self._refused: ProviderError | None = None
        self._lock = threading.Lock()

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        self._config, self._refused = config, None

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        filled = {k: v for k, v in resource.defaults.items() if news.get(k) is None}
        if "name" in schema.inputs and news.get("name") is None:
            filled["name"] = automatic(olds, "name", name)
        inputs = news | filled
        return inputs | {DEFAULTS: sorted(filled)}, checked(schema, resource.check, name, inputs)

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        before, after = plain(olds), plain(news)
        changed = set()
        for name in schema.inputs:
            if name.endswith("Wo"):
                continue  # write-only: its version says when it changes
            if after.get(name) is None:
                if resource.dropped(name, after) and not resource.same(
                    name, before.get(name), None
                ):
                    changed.add(name)
            elif after[name] in ZERO and name in resource.computed and after[name] is not False:
                continue
            elif has_unknown(news[name]) or not resource.same(name, before.get(name), after[name]):
                changed.add(name)
        taken = is_named(schema, after) and before.get("name") == after.get("name")
        return Diff(changed, changed & schema.replacing(), delete_first=taken)

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        take_urn(news)
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        known = asked(news)
        if preview:
            return "", schema.mark(known, known) | unknown_outputs(schema, known, resource.computed)
        wanted = plain(known)
        try:
            id_, outputs = resource.create(self._api(known), wanted)
        except Begun as error:
            raise error.kept(lambda outputs: schema.mark(outputs, known)) from None
        return id_, schema.mark(outputs, known)

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        before = plain(olds) or {**resource.defaults, **resource.parse(id_)}
        outputs = resource.read(self._api(before), id_, before)
        if outputs is None:
            return None
        return read_back(schema, id_, inputs, olds, outputs, resource.computed)

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
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        known = asked(news)
        # What the server filled in stays known to the resource; what nobody sets any more does not.
        filled = {
            k: v
            for k, v in olds.items()
            if k not in schema.inputs
            or (k in resource.computed and not resource.dropped(k, plain(known)))
        }
        if preview:
            return filled | schema.mark(known, known)
        wanted = plain(filled) | plain(known)
        outputs = resource.update(self._api(known), id_, wanted, plain(olds))
        return schema.mark(outputs, known)

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        take_urn(olds)
        before = plain(olds)
        RESOURCES[type_].delete(self._api(before), id_, before)

    def _api(self, properties: Properties) -> Api:
        with (
            self._lock
        ):  # one log-in, however many resources start at once; one failure tells of all
            if self._refused is not None:
                raise self._refused
            if self._made is None:
                try:
                    self._made = self._log_in()
                except ProviderError as error:
                    self._refused = error
                    raise
        return self._made.within(plain(properties.get("namespace")))

    def _log_in(self) -> Api:
        other = sorted(name for name in self._config if name.startswith("authLogin"))
        if other:
            raise ProviderError(
                f"this stand-in logs in with a token, not with {other[0]}; install the official plugin"
            )
        address = self._setting("address", "VAULT_ADDR")
        if not address:
            raise ProviderError(
                "failed to configure Vault address: set VAULT_ADDR or "
                "`pulumi config set vault:address`"
            )
        token = self._setting("token", "VAULT_TOKEN") or _kept_token()
        if not token:
            raise ProviderError("no vault token set on Client: set VAULT_TOKEN or vault:token")
        insecure = self._setting("skipTlsVerify", "VAULT_SKIP_VERIFY").lower() in ("1", "true")
        verify = not insecure and (self._setting("caCertFile", "VAULT_CACERT") or True)
        api = Api(
            address,
            token,
            self._setting("namespace", "VAULT_NAMESPACE"),
            verify=verify,
            max_retries=int(self._setting("maxRetries", "VAULT_MAX_RETRIES") or MAX_RETRIES),
            client_seconds=float(
                os.environ.get("VAULT_CLIENT_TIMEOUT", "").removesuffix("s") or CLIENT_SECONDS
            ),
        )
        try:
            api.request("GET", "auth/token/lookup-self")
        except ProviderError as error:
            raise ProviderError(f"failed to lookup token, err={error}") from None
        if self._setting("skipChildToken", "TERRAFORM_VAULT_SKIP_CHILD_TOKEN").lower() == "true":
            return api
        seconds = int(self._setting("maxLeaseTtlSeconds", "TERRAFORM_VAULT_MAX_TTL") or 1200)
        return api.child(seconds, self._setting("tokenName", "VAULT_TOKEN_NAME") or "terraform")

    def _setting(self, name: str, variable: str) -> str:
        value = self._config.get(name)
        return str(value) if value not in (None, "") else os.environ.get(variable, "")


def _kept_token() -> str:
    """The token of `vault login`."""
    try:
        return (Path.home() / ".vault-token").read_text().strip()
    except OSError:
        return ""
