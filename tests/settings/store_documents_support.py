"""Documents of open-source stacks with a secret manager, and what is said of them."""

from __future__ import annotations

from typing import Any

from components.settings import SettingsError
from components.settings.report import Problem
from components.validation import load
from tests.settings.malformed_fixtures import oss

ADDRESS = {"address": "https://vault.example.com:8200"}
IRSA = {
    "aws": {
        "irsa": {
            "oidc-provider-arn": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/id/A"
        }
    }
}
TOKEN = {"TOKEN": {"generate": {}}}


def problems_of(document: dict[str, Any]) -> list[Problem]:
    """Errors and warnings of a document."""
    try:
        return list(load(document, source="test").warnings)
    except SettingsError as error:
        return list(error.problems)


def errors_of(document: dict[str, Any]) -> dict[str, str]:
    """Path, without its namespace, to message."""
    return {
        p.path.removeprefix("kestra:"): p.message
        for p in problems_of(document)
        if p.severity == "error"
    }


def with_store(
    type_: str, identity: Any = None, secrets: Any = None, **block: Any
) -> dict[str, Any]:
    """A document of open source with a secret manager."""
    document = oss(store={"type": type_, **block}, declared_secrets=secrets or TOKEN)
    return document | ({"identity": identity} if identity else {})
