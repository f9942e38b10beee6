"""Requests to a Secret Manager API server, with its own words as errors, as the official provider shows them."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.retry import retry_until

REQUEST_SECONDS = 120.0
"""The official provider's `request_timeout` where nothing is configured."""
_AGAIN = frozenset({429, 500, 502, 503})


class GoogleError(ProviderError):
    """A refusal, in the words of Google's Go client."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"googleapi: Error {status}: {words}")
        self.status = status


class SecretManager:
    """A Secret Manager API over REST. Without credentials: the server has none to compare them with.

    Args:
        endpoint: base address with the version, as the official provider takes it: `http://host:port/v1/`.
        request_seconds: how long one request may take.
    """

    def __init__(self, endpoint: str, request_seconds: float = REQUEST_SECONDS) -> None:
        self._request_seconds = request_seconds
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

        def send() -> requests.Response:
            return self._session.request(
                method, url, json=body, params=query, timeout=self._request_seconds
            )

        try:
            answer = retry_until(send, _pause, requests.RequestException)
        except requests.RequestException as error:
            raise ProviderError(
                f"{method} {url}: Secret Manager does not answer ({type(error).__name__})"
            ) from None
        try:
            said = answer.json() if answer.content else {}
        except ValueError:
            if answer.ok:
                raise ProviderError(
                    f"{method} {url}: the answer is not JSON, so it is not Secret Manager's"
                ) from None
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


def _pause(asked: int, outcome: requests.Response | Exception) -> float | None:
    """As the official provider does, until the operation's time is over.

    terraform-provider-google, google/transport: error_retry_predicates.go for what is asked again,
    retry_transport.go for the pauses, which grow as Fibonacci's numbers do.
    """
    if isinstance(outcome, Exception):
        reset = "ConnectionResetError" in repr(outcome)
        again = isinstance(outcome, requests.Timeout) or reset
    else:
        again = outcome.status_code in _AGAIN
    if not again:
        return None
    pause, following = 0.5, 1.0
    for _ in range(min(asked, 8) - 1):
        pause, following = following, pause + following
    return pause
