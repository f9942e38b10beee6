"""Leaves of values that are no values yet: another program has to put in, or decrypt, what they stand for.

Those of Kestra's configuration are left to `Assembly.finish`, which knows their keys; here are the others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from .assembly import Assembly
from .chart_values import Layer, Path, dotted, parse_path
from .installation import Origin

#: Blocks of the chart's values that are Kestra's configuration.
_CONFIGURATION: tuple[Path, ...] = (
    ("configurations", "application"),
    ("configuration",),
    ("secrets",),
)
_ENCRYPTED = re.compile(r"ENC\[[A-Z0-9_]+,data:|(secret)?ref\+[a-z0-9]+://|<path:[^>]*>")
_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][\w.-]*)\}")


def without_unrendered(layer: Layer, unprovided: Collection[str], assembly: Assembly) -> Layer:
    """The layer without the leaves that hold no value; each is noted.

    Args:
        layer: of a release's values.
        unprovided: variables of another program that no input gives.
        assembly: where the notes go.
    """
    values = _clean(layer.values, (), layer, unprovided, assembly)
    singles = tuple(
        (path, value)
        for path, value in layer.singles
        if _clean(value, parse_path(path), layer, unprovided, assembly) is not None
    )
    return Layer(layer.file, layer.place, values or {}, singles)


def _clean(
    node: Any, path: Path, layer: Layer, unprovided: Collection[str], assembly: Assembly
) -> Any:
    if path == ("sops",) or any(path[: len(p)] == p for p in _CONFIGURATION):
        return None if path == ("sops",) else node
    if isinstance(node, Mapping):
        items = {
            key: _clean(item, (*path, str(key)), layer, unprovided, assembly)
            for key, item in node.items()
        }
        return {k: v for k, v in items.items() if v is not None or node[k] is None}
    if isinstance(node, list):
        cleaned = [
            _clean(item, (*path, i), layer, unprovided, assembly) for i, item in enumerate(node)
        ]
        return [item for item in cleaned if item is not None]
    # The tag of an image is named where the image is read, and extra manifests are templates of Helm's.
    is_read = path[:1] in (("image",), ("extraManifests",)) or path[-1:] == ("command",)
    if not isinstance(node, str) or is_read or not (why := why_no_value(node, unprovided)):
        return node
    place = ".".join((layer.place, dotted(path))).strip(".")
    assembly.note("not carried", dotted(path), why, origin=Origin(layer.file, place))
    # A variable without its value would be an empty one; it is read as one whose value nobody knows.
    return node if path[-1] == "value" and "extraEnv" in path else None


def why_no_value(text: str, unprovided: Collection[str]) -> str:
    """Why a text is no value yet; empty where it is one."""
    names = [name for name in _PLACEHOLDER.findall(text) if name in unprovided]
    if names:
        return f"another program puts {', '.join(names)} in here, and no input gives the value"
    if _ENCRYPTED.search(text):
        return "its value is encrypted, or kept by another program (SOPS, Vault, vals)"
    if _TEMPLATE.search(text):
        return "it holds {{ … }} of a template, which must be rendered first"
    return ""
