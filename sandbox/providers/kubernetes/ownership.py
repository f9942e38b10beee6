"""Who owns which fields of a live object: what server-side apply needs around it.

Objects are created with a plain create (so an existing one is refused) and updated with apply.
The server keeps the two apart even under one manager name, so before an update the fields of the
create, and of kubectl, are handed over to the apply.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

_TAKEN_OVER = {
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    ("pulumi-kubernetes", "Update"),
    ("pulumi-kubernetes.exe", "Update"),
    ("pulumi-resource-kubernetes", "Update"),
}
OWN_UPDATERS = frozenset(
    {"pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes"}
)


def managed_fields(live: Mapping[str, Any]) -> list[dict[str, Any]]:
    return (live.get("metadata") or {}).get("managedFields") or []


def _join(left: dict[str, Any], right: Mapping[str, Any]) -> None:
    for key, value in right.items():
        if isinstance(value, Mapping):
            _join(left.setdefault(key, {}), value)
        else:
            left[key] = value


def hand_over(live: Mapping[str, Any], manager: str) -> list[dict[str, Any]] | None:
    """The JSON patch that gives the create's and kubectl's fields to the manager's apply.

    None when there is nothing to hand over.
    """
    kept: list[dict[str, Any]] = []
    taken: list[dict[str, Any]] = []
    for entry in managed_fields(live):
        key = (entry.get("manager", ""), entry.get("operation", ""))
        own_update = key == (manager, "Update")
        if not entry.get("subresource") and (own_update or key in _TAKEN_OVER):
            taken.append(entry)
        else:
            kept.append(copy.deepcopy(entry))
    if not taken:
        return None
    mine = next(
        (e for e in kept if e.get("manager") == manager and e.get("operation") == "Apply"),
        None,
    )
    if mine is None:
        mine = {**copy.deepcopy(taken[0]), "manager": manager, "operation": "Apply"}
        kept.append(mine)
    for entry in taken:
        _join(mine.setdefault("fieldsV1", {}), entry.get("fieldsV1") or {})
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": kept},
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": live["metadata"]["resourceVersion"],
        },
    ]


def forced_in_preview(live: Mapping[str, Any], manager: str) -> bool:
    """Whether a dry run must force: a real update would hand the fields over first."""
    return any(
        entry.get("operation") == "Update" and entry.get("manager") in OWN_UPDATERS | {manager}
        for entry in managed_fields(live)
    )


def owns(live: Mapping[str, Any], path: list[str], manager: str) -> tuple[bool, bool]:
    """Whether the manager, and whether anyone else, owns the field at a path of names."""
    mine = theirs = False
    for entry in managed_fields(live):
        node: Any = entry.get("fieldsV1") or {}
        for part in path:
            node = node.get(f"f:{part}") if isinstance(node, Mapping) else None
        if node is not None:
            mine |= entry.get("manager") == manager
            theirs |= entry.get("manager") != manager
    return mine, theirs
