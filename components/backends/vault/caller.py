"""Requests to Vault as whoever runs a command, with the variables that Vault's own command line reads."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..answers import CurrentVersion, UnansweredError, request_json
from ..external_values import Option, no_option


class Caller:
    """Vault at VAULT_ADDR, with VAULT_TOKEN or the token of `vault login`; VAULT_NAMESPACE and VAULT_CACERT hold."""

    def __init__(
        self, namespace: str | None, option: Option = no_option, address: str | None = None
    ) -> None:
        """
        Args:
            namespace: below that of the provider; empty or None: none.
            option: of the provider, which comes before the variables: `vault:address`, `vault:token`,
                `vault:namespace`, `vault:caCertFile`.
            address: where neither names one; None: that is an error.

        Raises:
            UnansweredError: there is no address or no token.
        """
        base = option("vault:address") or os.environ.get("VAULT_ADDR") or address
        if not base:
            raise UnansweredError("VAULT_ADDR is not set.")
        token = option("vault:token") or os.environ.get("VAULT_TOKEN") or _kept_token()
        if not token:
            raise UnansweredError(
                "There is no token of Vault. Run `vault login`, or set VAULT_TOKEN."
            )
        self._base = base.rstrip("/")
        self._headers = {"X-Vault-Token": token}
        outer = option("vault:namespace") or os.environ.get("VAULT_NAMESPACE", "")
        spaces = (outer, namespace or "")
        if space := "/".join(part.strip("/") for part in spaces if part):
            self._headers["X-Vault-Namespace"] = space
        self._ca_file = option("vault:caCertFile") or os.environ.get("VAULT_CACERT") or None

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        hidden: Collection[str] = (),
    ) -> dict[str, Any] | None:
        """The answer; None where there is nothing (for arguments and errors see `request_json`)."""
        return request_json(
            method,
            f"{self._base}/v1/{path}",
            self._headers,
            "Vault",
            body=body,
            hidden=hidden,
            ca_file=self._ca_file,
        )


def version_of(metadata: Mapping[str, Any]) -> CurrentVersion:
    """The version in force, of the metadata of a KV version 2 secret."""
    number = str(metadata["current_version"])
    newest = metadata["versions"].get(number) or {}
    changed = newest.get("created_time") or ""
    if newest.get("destroyed"):
        return CurrentVersion(number, "it is destroyed", changed)
    deleted = newest.get("deletion_time")
    if deleted and datetime.fromisoformat(deleted) <= datetime.now(UTC):
        return CurrentVersion(number, "it is deleted", changed)
    return CurrentVersion(number, "", changed)


def _kept_token() -> str:
    try:
        return (Path.home() / ".vault-token").read_text().strip()
    except OSError:
        return ""
