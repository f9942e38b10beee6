"""The provider for Vault: one log-in, with which every resource asks its own namespace."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Engine
from sandbox.providers.runtime.schema_provider import SchemaProvider
from sandbox.providers.runtime.values import Properties
from sandbox.providers.vault.api import CLIENT_SECONDS, MAX_RETRIES, Api
from sandbox.providers.vault.resource import VaultResource
from sandbox.providers.vault.resources import RESOURCES


class VaultProvider(SchemaProvider[Api, VaultResource]):
    """The provider."""

    version = "7.14.0"
    types = RESOURCES

    def __init__(self) -> None:
        super().__init__()
        self._config: Properties = {}
        self._api: Api | None = None
        self._refused: ProviderError | None = None
        self._lock = threading.Lock()

    def configure(self, config: Properties, engine: Engine) -> None:
        self._config, self._refused = config, None

    def connect(self, p: Properties) -> Api:
        # One log-in, however many resources start at once; one failure tells of all.
        with self._lock:
            if self._refused is not None:
                raise self._refused
            if self._api is None:
                try:
                    self._api = self._log_in()
                except ProviderError as error:
                    self._refused = error
                    raise
        return self._api.within(p.get("namespace"))

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
