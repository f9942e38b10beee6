"""Requests to Vault, with its own words as errors."""

from __future__ import annotations

import copy
import random
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.retry import deadline, retry_after, retry_until

_PATIENCE_SECONDS = 60.0
#: What a KV engine says for a moment after it was mounted; the official provider writes again.
_UPGRADING = "Upgrading from non-versioned to versioned data"

#: What the official provider has where nothing is configured: `max_retries` (DefaultMaxHTTPRetries), and the time
#: of one call with its repetitions (Vault's Go client, api.DefaultConfig).
MAX_RETRIES = 2
CLIENT_SECONDS = 60.0


class VaultError(ProviderError):
    """Vault's refusal, in its own words."""

    def __init__(self, message: str, status: int, words: str) -> None:
        super().__init__(message)
        self.status, self.words = status, words


class Api:
    """A Vault server, a token, and the namespace that requests go to."""

    def __init__(
        self,
        address: str,
        token: str,
        namespace: str | None = None,
        *,
        verify: bool | str = True,
        max_retries: int = MAX_RETRIES,
        client_seconds: float = CLIENT_SECONDS,
    ) -> None:
        self._max_retries, self._client_seconds = max_retries, client_seconds
        self.address, self.namespace = address.rstrip("/"), namespace
        self._token = token
        self._session = requests.Session()
        # Nothing of the caller's proxies and netrc, but its certificates as configured.
        self._session.trust_env = False
        self._session.verify = verify
        self._session.mount(self.address, HTTPAdapter(pool_maxsize=64, max_retries=0))

    def within(self, namespace: str | None) -> Api:
        """The same server and token, in a namespace below this one."""
        if not namespace:
            return self
        inner = copy.copy(self)
        inner.namespace = "/".join(filter(None, (self.namespace, namespace.strip("/"))))
        return inner

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any] | None:
        """The answer; None when there is nothing at the path.

        Raises:
            VaultError: with Vault's own errors when it refuses.
            ProviderError: when it does not answer.
        """
        headers = {"X-Vault-Token": self._token, "X-Vault-Request": "true"}
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        url = f"{self.address}/v1/{path.strip('/')}"
        end = time.monotonic() + _PATIENCE_SECONDS
        answer = self._sent(method, url, body, headers)
        while answer.status_code == 400 and _UPGRADING in answer.text and time.monotonic() < end:
            time.sleep(0.1)
            answer = self._sent(method, url, body, headers)
        return self._understood(method, url, answer)

    def _sent(self, method: str, url: str, body: Any, headers: dict[str, str]) -> requests.Response:
        end = min(deadline(), time.monotonic() + self._client_seconds)

        def send() -> requests.Response:
            seconds = max(0.1, end - time.monotonic())
            return self._session.request(method, url, json=body, headers=headers, timeout=seconds)

        try:
            return retry_until(send, self._pause, requests.RequestException, end)
        except requests.Timeout:
            raise ProviderError(
                f"{method} {url}: Vault does not answer: context deadline exceeded"
            ) from None
        except requests.RequestException as error:
            raise ProviderError(
                f"{method} {url}: Vault does not answer ({type(error).__name__})"
            ) from None

    def _pause(self, asked: int, outcome: requests.Response | Exception) -> float | None:
        """As Vault's Go client does (api.DefaultRetryPolicy, retryablehttp.RateLimitLinearJitterBackoff).

        It asks again after 412, 429, 5xx but 501, and where no answer began; not where one broke off.
        """
        if asked > self._max_retries:
            return None
        linear = random.uniform(1.0, 1.5) * asked  # noqa: S311 - a pause, no secret
        if isinstance(outcome, Exception):
            lost = isinstance(outcome, requests.ConnectionError)
            final = isinstance(outcome, (requests.Timeout, requests.exceptions.SSLError))
            return linear if lost and not final else None
        status = outcome.status_code
        if status not in (412, 429) and (status < 500 or status == 501):
            return None
        stated = retry_after(outcome.headers.get("Retry-After")) if status in (429, 503) else None
        return linear if stated is None else stated

    @staticmethod
    def _understood(method: str, url: str, answer: requests.Response) -> dict[str, Any] | None:
        try:
            said = answer.json() if answer.content else {}
        except ValueError:
            if answer.ok:
                raise ProviderError(
                    f"{method} {url}: the answer is not JSON, so it is not Vault's"
                ) from None
            said = {}
        if not isinstance(said, dict):
            said = {}
        if answer.ok:
            return said
        if answer.status_code == 404 and method in ("GET", "LIST", "DELETE"):
            # A deleted version of a secret answers 404, with what is left of it.
            return said if said.get("data") or said.get("warnings") else None
        # Vault writes lists in some of them; an error here is one line.
        words = "; ".join(" ".join(str(e).split()) for e in said.get("errors") or [])
        words = words or answer.reason
        raise VaultError(
            f"Error making API request. URL: {method} {url} Code: {answer.status_code}. "
            f"Errors: {words}",
            answer.status_code,
            words,
        )

    def remount(self, source: str, target: str) -> None:
        """Moves an engine or an auth method, and waits until it is there.

        Raises:
            ProviderError: when Vault refuses, or has not moved it after a minute.
        """
        started = self.request("POST", "sys/remount", {"from": source, "to": target}) or {}
        migration = (started.get("data") or started).get("migration_id")
        end = time.monotonic() + _PATIENCE_SECONDS
        while migration:
            answer = self.request("GET", f"sys/remount/status/{migration}") or {}
            status = (answer.get("data") or answer)["migration_info"]["status"]
            if status == "success":
                return
            if status == "failure" or time.monotonic() > end:
                raise ProviderError(f"error remounting {source} to {target}: {status}")
            time.sleep(0.1)

    def child(self, ttl_seconds: int, name: str) -> Api:
        """The same server with a short-lived child of the token, as the official provider works.

        Args:
            ttl_seconds: the child's life, which no renewal extends.
            name: the child's display name.
        """
        created = self.request(
            "POST",
            "auth/token/create",
            {
                "ttl": f"{ttl_seconds}s",
                "explicit_max_ttl": f"{ttl_seconds}s",
                "display_name": name,
                "renewable": False,
            },
        )
        assert created is not None
        child = copy.copy(self)
        child._token = created["auth"]["client_token"]
        return child
