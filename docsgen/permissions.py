"""What Kestra may do, in the pages of the backends.

A page says with a pair of marks where the table of one secret manager stands; the tables come from the data that
the policies, roles and grants come from.
"""

from __future__ import annotations

import re
from pathlib import Path

from components import deployer_permissions
from components.backends.registry import all_backends, backend
from components.storage.interface import ObjectStorage
from components.storage.registry import all_storages

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "backends"


def files() -> list[Path]:
    """The pages that have tables."""
    return [*sorted(FOLDER.glob("*.md")), DOCS / "storage.md"]


def deployers() -> list[str]:
    """The tables of whoever runs `pulumi up`."""
    return [f"deployer-{owner}" for owner in deployer_permissions.owners()]


def managers() -> list[str]:
    """The secret managers that have a table."""
    return [one.type for one in all_backends() if any(one.permission_rows())]


def storages() -> dict[str, ObjectStorage]:
    """Name of each table of an object storage, to the storage."""
    return {f"storage-{one.cloud}": one for one in all_storages()}


_HEAD = "| Mode | What is allowed | On what | Why |\n|---|---|---|---|\n"
_PLACE = re.compile(r"(<!-- permissions of ([a-z-]+): .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def table(manager: str) -> str:
    """One manager's table as Markdown.

    Raises:
        KeyError: for a manager that has none.
    """
    if manager in deployers():
        return "| Resource type | What it takes |\n|---|---|\n" + "".join(
            f"| `{kind}` | {takes} |\n"
            for kind, takes in deployer_permissions.rows(manager.removeprefix("deployer-"))
        )
    if manager in storages():
        return "| What is allowed | On what | Why |\n|---|---|---|\n" + "".join(
            f"| {_quoted(row.actions)} | {row.scope} | {row.reason} |\n"
            for row in storages()[manager].permission_rows()
        )
    return _HEAD + "".join(
        f"| {row.mode} | {_quoted(row.actions)} | {row.scope} | {row.reason} |\n"
        for row in backend(manager).permission_rows()
    )


def _quoted(actions: str) -> str:
    return ", ".join(f"`{item}`" for item in actions.split(", "))


def filled(page: str) -> str:
    """A page with its tables as they are now."""
    return _PLACE.sub(lambda place: place[1] + table(place[2]) + place[3], page)


def places(page: str) -> list[str]:
    """The managers whose tables a page holds."""
    return [place[2] for place in _PLACE.finditer(page)]
