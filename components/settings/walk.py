"""One way through settings and plain data: every value with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.settings.base import Model

Place = tuple[str | int, ...]
"""Keys as the settings or the document spell them, and positions in lists."""


def walk_values(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value below a node, with its place; an empty block or list is a value, that of the node itself is none.

    Args:
        node: a model, a mapping, a list, a tuple, or anything else, which is a value.
        place: of the node.
    """
    items: Iterable[tuple[Any, Any]]
    if isinstance(node, Model):
        fields = type(node).model_fields.items()
        items = [(field.alias or name, getattr(node, name)) for name, field in fields]
        items += (node.model_extra or {}).items()
    elif isinstance(node, Mapping):
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    else:
        yield place, node
        return
    is_empty = True
    for name, item in items:
        is_empty = False
        yield from walk_values(item, (*place, name))
    if is_empty and place:
        yield place, node


def is_empty_block(value: Any) -> bool:
    """Whether a value of `walk_values` is nothing: no value, or a block or list without any."""
    return value is None or (isinstance(value, (Model, Mapping, list, tuple)) and not value)


def dotted(place: Place) -> str:
    """A place as a key of Kestra's configuration: `a.b[0].c`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")
