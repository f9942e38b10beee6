"""Values of external secrets in Azure Key Vault."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ... import tags
from ...settings.declared import Generate
from ...settings.model import Settings
from ...settings.store import AzureStore
from ..answers import (
    CurrentVersion,
    UnansweredError,
    command_output,
    request_json,
)
from ..external_values import ENCRYPTION_KEY, NO_VALUE
from ..secret_naming import recovery_name, secret_tags
from .drift import access_token, manage, version_of
from .names import recovery_vault_name, secret_name
from .tag_limits import AZURE_TAGS

DATA_HOST = "vault.azure.net"
_DATA_API = "7.4"
TEXT = "text/plain"
"""Kind of content, where the settings name none."""


class AzureValues:
    """The external secrets of a stack in Azure Key Vault; see `ExternalValues`.

    There is no secret without a value: the first write makes it, with its tags, kind of content and expiry. Versions
    and writes go through Resource Manager, which needs no way into the vault; only `read` needs one.
    """

    def __init__(self, settings: Settings, vault: str, store: AzureStore) -> None:
        self._settings, self._vault, self._store = settings, vault, store

    @cached_property
    def _subscription(self) -> str:
        return os.environ.get("ARM_SUBSCRIPTION_ID") or command_output(
            "az", "account", "show", "--query", "id", "--output", "tsv"
        )

    def _id(self, name: str) -> str:
        group = f"/subscriptions/{self._subscription}/resourceGroups/{self._store.resource_group}"
        vault, secret = self._place(name)
        return f"{group}/providers/Microsoft.KeyVault/vaults/{vault}/secrets/{secret}"

    def _place(self, name: str) -> tuple[str, str]:
        """Key vault and name of the secret."""
        if name == ENCRYPTION_KEY:
            return recovery_vault_name(self._settings), recovery_name(self._settings)
        return self._vault, secret_name(self._settings, name, self._settings.declared_secrets[name])

    def version(self, name: str) -> CurrentVersion:
        answer = manage("GET", self._id(name))
        return CurrentVersion("", NO_VALUE) if answer is None else version_of(answer)

    def write(self, name: str, value: str) -> CurrentVersion:
        declared = self._settings.declared_secrets.get(name)
        labels = tags.convention(self._settings.tags)
        attributes: dict[str, Any] = {"enabled": True}
        if declared is not None:
            labels = secret_tags(self._settings, name, declared)
            attributes |= {"exp": unix_seconds(declared.expires)} if declared.expires else {}
        properties = {
            "value": value,
            "contentType": (declared and declared.content_type) or TEXT,
            "attributes": attributes,
        }
        body = {"properties": properties, "tags": tags.translate(labels, AZURE_TAGS)}
        answer = manage("PUT", self._id(name), body, (value,))
        if answer is None:
            raise UnansweredError(
                f"Azure has no key vault {self._place(name)[0]} in {self._store.resource_group}: `pulumi up` makes it first."
            )
        return version_of(answer)

    def read(self, name: str) -> str:
        token = access_token("--resource", f"https://{DATA_HOST}")
        headers = {"Authorization": f"Bearer {token}"}
        vault, secret = self._place(name)
        url = f"https://{vault}.{DATA_HOST}/secrets/{secret}?api-version={_DATA_API}"
        answer = request_json("GET", url, headers, "Azure Key Vault")
        if answer is None or not isinstance(answer.get("value"), str):
            raise UnansweredError(f"{name} has no value in Azure Key Vault.")
        return answer["value"]

    def random(self, generate: Generate) -> str | None:
        return None


def unix_seconds(moment: str) -> int:
    """`2027-01-31T00:00:00Z` as seconds since 1970."""
    return int(datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
