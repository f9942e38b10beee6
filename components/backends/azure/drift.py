"""Which version of a secret is in force in Azure Key Vault, and how the stack's value comes back."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Collection, Mapping
from typing import Any

from ..answers import (
    CurrentVersion,
    VersionQuery,
    WrittenSecret,
    command_output,
    request_json,
)

ADDRESS = "https://management.azure.com"
_API = "2024-11-01"


def owns(secret_id: str) -> bool:
    """Whether an id of the output `secretIds` is Azure's: `https://<vault>.<suffix>/secrets/<name>`."""
    return secret_id.startswith("https://")


def current_version(secret: WrittenSecret) -> CurrentVersion:
    """The current version, as Resource Manager names it: that takes no way into the vault.

    Raises:
        UnansweredError: the Azure CLI is not logged in, or Azure refuses.
    """
    answer = manage("GET", secret.resource["id"])
    return CurrentVersion("", "it is deleted") if answer is None else version_of(answer)


def manage(
    method: str, id_: str, body: Mapping[str, Any] | None = None, hidden: Collection[str] = ()
) -> dict[str, Any] | None:
    """The answer of Resource Manager about a resource; None where there is none.

    Args:
        method: GET or PUT.
        id_: of the resource.
        body: what is sent. Secret.
        hidden: what no message may hold. Secret.

    Raises:
        UnansweredError: the Azure CLI is not logged in, or Azure refuses.
    """
    headers = {"Authorization": f"Bearer {access_token()}"}
    url = f"{ADDRESS}{id_}?api-version={_API}"
    return request_json(method, url, headers, "Azure", body=body, hidden=hidden)


def access_token(*more: str) -> str:
    """A token of the Azure CLI.

    Args:
        more: arguments that say for what; without them for Resource Manager.

    Raises:
        UnansweredError: nobody is logged in.
    """
    return command_output(
        "az", "account", "get-access-token", *more, "--query", "accessToken", "--output", "tsv"
    )


def version_of(secret: Mapping[str, Any]) -> CurrentVersion:
    """The current version of a secret as Resource Manager describes it."""
    properties = secret["properties"]
    number = (properties.get("secretUriWithVersion") or "").rpartition("/")[2]
    attributes = properties.get("attributes") or {}
    changed = attributes.get("updated") or attributes.get("created")
    moment = datetime.datetime.fromtimestamp(changed, datetime.UTC).isoformat() if changed else ""
    return CurrentVersion(
        number, "" if attributes.get("enabled", True) else "it is disabled", moment
    )


def remedy(secret: WrittenSecret, current: CurrentVersion) -> list[str]:
    """Commands after which the stack's value is in force again: every update of a secret writes its value."""
    if not current.number:
        return ["pulumi up --refresh"]
    if secret.is_declared:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        key = shlex.quote(f'kestra:declared-secrets["{secret.name}"].tags.written-again')
        return [f"pulumi config set --path {key} {today}", "pulumi up"]
    return [
        f"az keyvault secret set-attributes --id {shlex.quote(secret.id)} --tags drift=seen",
        "pulumi up --refresh",
    ]


QUERY = VersionQuery("azure-native:keyvault:Secret", owns, current_version, remedy)
