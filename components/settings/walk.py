"""One way through settings and plain data: every value with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from .base import Model

Place = tuple[str | int, ...]
"""Keys as the settings or the document spell them, and positions in lists."""


def walk_values(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value below a node, with its place.

    An empty block or list is a value, but for the node itself; a field of a model that is not set is none.

    Args:
        node: a model, a mapping, a list, a tuple, or anything else, which is a value.
        place: of the node.
    """
    is_empty = True
    for name, item in _items(node):
        is_empty = False
        if isinstance(item, _SCALARS):
            yield (*place, name), item
        else:
            yield from walk_values(item, (*place, name))
    if is_empty and (place or not isinstance(node, _BLOCKS)):
        yield place, node


#: What most values are; the rest is asked of the classes of containers, which takes longer.
_SCALARS = (str, int, SecretStr)
_BLOCKS = (Model, Mapping, list, tuple)


def _items(node: Any) -> Iterable[tuple[Any, Any]]:
    """Names or positions with what stands there; of a model's fields those that are set."""
    if isinstance(node, Model):
        for name, field in type(node).model_fields.items():
            if (item := getattr(node, name)) is not None:
                yield field.alias or name, item
        yield from (node.model_extra or {}).items()
    elif isinstance(node, Mapping):
        yield from node.items()
    elif isinstance(node, (list, tuple)):
        yield from enumerate(node)


def is_empty_block(value: Any) -> bool:
    """Whether a value of `walk_values` is nothing: no value, or a block or list without any."""
    return value is None or (not isinstance(value, _SCALARS) and isinstance(value, _BLOCKS))


def dotted(place: Place) -> str:
    """A place as a key of Kestra's configuration: `a.b[0].c`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")
