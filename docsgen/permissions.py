"""What Kestra may do, in the pages of the backends.

A page says with a pair of marks where the table of one secret manager stands; the tables come from the data that
the policies, roles and grants come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from components import deployer_permissions
from components.backends.aws import permissions as aws_permissions
from components.backends.azure import permissions as azure_permissions
from components.backends.gcp import permissions as gcp_permissions
from components.backends.vault import permissions as vault_permissions

FOLDER = Path(__file__).parents[1] / "docs" / "backends"

Row = tuple[str, str, str, str]

TABLES: Mapping[str, Callable[[], Iterable[Row]]] = {
    aws_permissions.SECRETS: lambda: aws_permissions.rows(aws_permissions.SECRETS),
    aws_permissions.PARAMETERS: lambda: aws_permissions.rows(aws_permissions.PARAMETERS),
    "azure-key-vault": azure_permissions.rows,
    "google-secret-manager": gcp_permissions.rows,
    "vault": vault_permissions.rows,
}

#: Of whoever runs `pulumi up`.
DEPLOYERS = tuple(f"deployer-{cloud}" for cloud in ("aws", "azure", "gcp", "kubernetes", "vault"))

_HEAD = "| Mode | What is allowed | On what | Why |\n|---|---|---|---|\n"
_PLACE = re.compile(r"(<!-- permissions of ([a-z-]+): .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def table(manager: str) -> str:
    """One manager's table as Markdown.

    Raises:
        KeyError: for a manager that has none.
    """
    if manager in DEPLOYERS:
        return "| Resource type | What it takes |\n|---|---|\n" + "".join(
            f"| `{kind}` | {takes} |\n"
            for kind, takes in deployer_permissions.rows(manager.removeprefix("deployer-"))
        )
    return _HEAD + "".join(
        f"| {mode} | {', '.join(f'`{item}`' for item in what.split(', '))} | {where} | {why} |\n"
        for mode, what, where, why in TABLES[manager]()
    )


def filled(page: str) -> str:
    """A page with its tables as they are now."""
    return _PLACE.sub(lambda place: place[1] + table(place[2]) + place[3], page)


def places(page: str) -> list[str]:
    """The managers whose tables a page holds."""
    return [place[2] for place in _PLACE.finditer(page)]
