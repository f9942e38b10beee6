"""Which keys of Kestra's a model of the settings has."""

from __future__ import annotations

from ..settings.model import Settings
from ..validation.model_keys import leaves

#: First-level settings that are no keys of Kestra's.
_OWN = frozenset(
    [
        "version",
        "edition",
        "declared-secrets",
        "rotation",
        "deployment",
        "identity",
        "store",
        "tags",
    ]
)
#: First-level settings that are roots of Kestra's file; the others stand below `kestra`.
_ROOTS = frozenset(["endpoints", "datasources"])


def model_owners() -> dict[str, str]:
    """Key of Kestra's to its owner (`model:server.liveness.timeout`), for every key that a model has."""
    result: dict[str, str] = {}
    for name, field in Settings.model_fields.items():
        root = field.alias or name
        if root in _OWN:
            continue
        for path, _, _ in leaves(root, field):
            key = path.replace("<name>", "*")
            result[key if root in _ROOTS else f"kestra.{key}"] = f"model:{key}"
    return result
