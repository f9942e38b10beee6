"""Which version of a secret is in force in Google Secret Manager, and how the stack's value comes back."""

from __future__ import annotations

import os
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

ADDRESS = "https://secretmanager.googleapis.com/v1/"
"""Of the API; the provider's own variable GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT names another."""


def owns(secret_id: str) -> bool:
    """Whether an id of the output `secretIds` is Google's: `projects/<project>/secrets/<name>`."""
    return secret_id.startswith("projects/")


def current_version(secret: WrittenSecret) -> CurrentVersion:
    """The version that `latest` names; takes `secretmanager.versions.get`.

    Raises:
        UnansweredError: there is no token, or Google refuses.
    """
    answer = request("GET", f"{secret.id}/versions/latest")
    return CurrentVersion("", "there is none") if answer is None else version_of(answer)


def request(
    method: str, path: str, body: Mapping[str, Any] | None = None, hidden: Collection[str] = ()
) -> dict[str, Any] | None:
    """The answer of Secret Manager; None where there is nothing (for arguments and errors see `request_json`)."""
    token = os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN") or command_output(
        "gcloud", "auth", "print-access-token"
    )
    headers = {"Authorization": f"Bearer {token}"}
    address = os.environ.get("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT") or ADDRESS
    return request_json(method, f"{address}{path}", headers, "Google", body=body, hidden=hidden)


def version_of(answer: Mapping[str, Any]) -> CurrentVersion:
    """A version as Secret Manager describes it."""
    number, state = answer["name"].rpartition("/")[2], answer.get("state", "ENABLED")
    fault = "" if state == "ENABLED" else f"it is {state.lower()}"
    return CurrentVersion(number, fault, answer.get("createTime") or "")


def remedy(secret: WrittenSecret, current: CurrentVersion) -> list[str]:
    """Commands after which the stack's value is in force again, as a new version."""
    urn = shlex.quote(secret.resource["urn"])
    protected = [f"pulumi state unprotect {urn}"] if secret.resource.get("protect") else []
    return [*protected, f"pulumi up --replace {urn}"]


QUERY = VersionQuery("gcp:secretmanager/secretVersion:SecretVersion", owns, current_version, remedy)
