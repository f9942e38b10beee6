"""Which version of a secret is in force in Azure Key Vault, and how the stack's value comes back."""

from __future__ import annotations

import datetime
import shlex

from components.backends.answers import (
    CurrentVersion,
    VersionQuery,
    WrittenSecret,
    command_output,
    get_json,
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
    token = command_output(
        "az", "account", "get-access-token", "--query", "accessToken", "--output", "tsv"
    )
    url = f"{ADDRESS}{secret.resource['id']}?api-version={_API}"
    answer = get_json(url, {"Authorization": f"Bearer {token}"}, "Azure")
    if answer is None:
        return CurrentVersion("", "it is deleted")
    properties = answer["properties"]
    number = (properties.get("secretUriWithVersion") or "").rpartition("/")[2]
    enabled = (properties.get("attributes") or {}).get("enabled", True)
    return CurrentVersion(number, "" if enabled else "it is disabled")


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
