"""Requests to a Secret Manager API server, with its own words as errors, as the official provider shows them."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from sandbox.plugins.server import ProviderError


class GoogleError(ProviderError):
    """A refusal, in the words of Google's Go client."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"googleapi: Error {status}: {words}")
        self.status = status


class SecretManager:
    """A Secret Manager API over REST. Without credentials: the server has none to compare them with.

    Args:
        endpoint: base address with the version, as the official provider takes it: `http://host:port/v1/`.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._session = requests.Session()
        # Nothing of the caller's proxies and netrc.
        self._session.trust_env = False
        self._session.mount(self._endpoint, HTTPAdapter(pool_maxsize=64, max_retries=0))

    def request(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer.

        Raises:
            GoogleError: when the server refuses.
            ProviderError: when it does not answer.
        """
        url = f"{self._endpoint}/{path}"
        try:
            answer = self._session.request(method, url, json=body, params=query, timeout=60)
        except requests.RequestException as error:
            raise ProviderError(
                f"{method} {url}: Secret Manager does not answer ({type(error).__name__})"
            ) from None
        try:
            said = answer.json() if answer.content else {}
        except ValueError:
            said = {}
        if not answer.ok:
            words = said.get("error", {}).get("message") or answer.reason
            raise GoogleError(answer.status_code, words)
        return said

    def find(self, path: str) -> dict[str, Any] | None:
        """What is at a path, or None."""
        try:
            return self.request("GET", path)
        except GoogleError as error:
            if error.status == 404:
                return None
            raise
