"""Which version of a secret is in force in Google Secret Manager, and how the stack's value comes back."""

from __future__ import annotations

import os
import shlex

from components.backends.answers import (
    CurrentVersion,
    VersionQuery,
    WrittenSecret,
    command_output,
    get_json,
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
    token = os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN") or command_output(
        "gcloud", "auth", "print-access-token"
    )
    headers = {"Authorization": f"Bearer {token}"}
    address = os.environ.get("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT") or ADDRESS
    answer = get_json(f"{address}{secret.id}/versions/latest", headers, "Google")
    if answer is None:
        return CurrentVersion("", "there is none")
    number, state = answer["name"].rpartition("/")[2], answer.get("state", "ENABLED")
    return CurrentVersion(number, "" if state == "ENABLED" else f"it is {state.lower()}")


def remedy(secret: WrittenSecret, current: CurrentVersion) -> list[str]:
    """Commands after which the stack's value is in force again, as a new version."""
    urn = shlex.quote(secret.resource["urn"])
    protected = [f"pulumi state unprotect {urn}"] if secret.resource.get("protect") else []
    return [*protected, f"pulumi up --replace {urn}"]


QUERY = VersionQuery("gcp:secretmanager/secretVersion:SecretVersion", owns, current_version, remedy)
