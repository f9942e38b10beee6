"""Requests to Vault, with its own words as errors."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from sandbox.plugins.server import ProviderError


class Api:
    """A Vault server and a token."""

    def __init__(self, address: str, token: str, namespace: str | None = None) -> None:
        self.address, self.namespace = address.rstrip("/"), namespace
        self._token = token
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(self.address, HTTPAdapter(pool_maxsize=64, max_retries=0))

    def request(
        self, method: str, path: str, body: Any = None, *, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """The answer; None when there is nothing at the path.

        Raises:
            ProviderError: with Vault's own errors when it refuses, or when it does not answer.
        """
        headers = {"X-Vault-Token": self._token, "X-Vault-Request": "true"}
        if namespace or self.namespace:
            headers["X-Vault-Namespace"] = "/".join(filter(None, (self.namespace, namespace)))
        url = f"{self.address}/v1/{path.strip('/')}"
        try:
            answer = self._session.request(method, url, json=body, headers=headers, timeout=60)
        except requests.RequestException as error:
            raise ProviderError(
                f"{method} {url}: Vault does not answer ({type(error).__name__})"
            ) from None
        if answer.status_code == 404 and method in ("GET", "LIST", "DELETE"):
            return None
        if not answer.ok:
            try:
                words = answer.json().get("errors") or []
            except ValueError:
                words = []
            raise ProviderError(
                f"Error making API request. URL: {method} {url} Code: {answer.status_code}. "
                f"Errors: {'; '.join(map(str, words)) or answer.reason}"
            )
        return answer.json() if answer.content else {}

    def child(self, ttl_seconds: int) -> Api:
        """The same server with a short-lived child of the token, as the official provider works."""
        made = self.request(
            "POST",
            "auth/token/create",
            {
                "ttl": f"{ttl_seconds}s",
                "explicit_max_ttl": f"{ttl_seconds}s",
                "display_name": "pulumi",
                "renewable": False,
            },
        )
        assert made is not None
        return Api(self.address, made["auth"]["client_token"], self.namespace)
