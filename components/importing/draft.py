"""Settings while they are put together: a tree whose leaves know where they came from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..catalogue import lookup
from ..validation.schema import config_path
from .installation import Origin, Sourced

Place = tuple[str | int, ...]
"""Keys and positions, from the first-level setting on."""
Scalar = str | int | float | bool

#: Root keys of Kestra's file that are first-level settings of the same name.
ROOTS = frozenset(
    ("datasources", "endpoints", "micronaut", "logger", "otel", "flyway", "jackson", "netty")
)
UNKNOWN = "to-be-set"
"""Stands where a value is missing that nothing else shows to be missing; `check` refuses it."""
#: First-level settings that are no keys of Kestra's.
OURS = frozenset(
    (
        "version",
        "edition",
        "declared-secrets",
        "deployment",
        "identity",
        "storage-bucket",
        "store",
        "tags",
        "rotation",
    )
)


@cache
def kestra_path(place: Place) -> Place:
    """A setting's path in Kestra's file."""
    if place[0] in ROOTS:
        return place
    below = ("kestra", *place)
    is_root = lookup(below).kind == "unknown" and lookup(place).kind in ("key", "inside")
    return place if is_root else below


@dataclass(frozen=True)
class Sealed:
    """A value that is encrypted."""

    secure: str = field(repr=False)


@dataclass
class Value:
    """A leaf. Its value may be a secret, so `repr` does not show it."""

    value: Scalar | Sealed = field(repr=False)
    origin: Origin | None = None
    comment: str = ""
    """Instead of the origin, for a value that the import chose."""
    is_secret: bool = False


class Draft:
    """First-level setting to its block; leaves are `Value`."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.names: dict[Place, str] = {}
        """A setting to its name in the input, where that is another."""

    def at(self, *place: str | int) -> Any:
        """What stands at a place: a block, a list, a `Value`, or None."""
        node: Any = self.tree
        for part in place:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return None
        return node

    def keys(self, *place: str | int) -> list[str]:
        """The keys of the block at a place; none where there is no block."""
        node = self.at(*place)
        return list(node) if isinstance(node, dict) else []

    def text(self, *place: str | int) -> str | None:
        """The text of the leaf at a place; None where there is none."""
        node = self.at(*place)
        return node.value if isinstance(node, Value) and isinstance(node.value, str) else None

    def put(self, place: Place, node: Any) -> None:
        """Writes a leaf, a block or a list; blocks above it are made, and a leaf in their place gives way."""
        block: Any = self.tree
        for part, below in itertools.pairwise(place):
            inner = block[part] if isinstance(block, list) else block.get(part)  # pyright: ignore[reportArgumentType, reportCallIssue]
            if not isinstance(inner, list if isinstance(below, int) else dict):
                inner = block[part] = {}  # pyright: ignore[reportArgumentType, reportCallIssue]
            block = inner
        block[place[-1]] = node

    def remove(self, *place: str | int) -> Any:
        """Takes out what stands at a place, and blocks and lists that are empty without it; returns it."""
        node = self.at(*place)
        if node is None:
            return None
        del self.at(*place[:-1])[place[-1]]
        for end in range(len(place) - 1, 0, -1):
            if self.at(*place[:end]) not in ({}, []):
                break
            del self.at(*place[: end - 1])[place[end - 1]]
        return node

    def leaves(self, *place: str | int) -> Iterator[tuple[Place, Value]]:
        """Every leaf at and below a place; the tree may be changed meanwhile."""
        yield from _leaves(self.at(*place) if place else self.tree, place)

    def document(self, plain: Callable[[Value], object]) -> dict[str, Any]:
        """The tree with something in place of each leaf."""
        return _mapped(self.tree, plain)

    def name(self, place: Place) -> str:
        """How people who know Kestra's file call a setting: `kestra.server.basic-auth`, `deployment.mode`."""
        if place in self.names:
            return self.names[place]
        for end in range(len(place) - 1, 0, -1):
            if place[:end] in self.names:
                rest = config_path(("", *place[end:])).removeprefix("kestra:")
                return self.names[place[:end]] + rest
        text = config_path(place).removeprefix("kestra:")
        return text if place[0] in OURS or kestra_path(place) == place else f"kestra.{text}"

    def origin(self, place: Place) -> Origin | None:
        """Where the first leaf at or below a place came from."""
        return next((value.origin for _, value in self.leaves(*place) if value.origin), None)


def as_values(node: Any, origin: Origin | None = None, comment: str = "") -> Any:
    """A tree of `Sourced` and plain leaves with `Value` in their place; what is null is left out."""
    if isinstance(node, Value):
        return node
    if isinstance(node, Sourced):
        return as_values(node.value, node.origin)
    if isinstance(node, dict):
        items = ((str(key), as_values(item, origin, comment)) for key, item in node.items())
        return {key: item for key, item in items if item is not None}
    if isinstance(node, (list, tuple)):
        values = (as_values(item, origin, comment) for item in node)
        return [item for item in values if item is not None]
    if node is None:
        return None
    scalar = node if isinstance(node, (str, int, float, bool)) else str(node)
    return Value(scalar, origin, comment)


def _leaves(node: Any, place: Place) -> Iterator[tuple[Place, Value]]:
    if isinstance(node, dict):
        for key, item in list(node.items()):
            yield from _leaves(item, (*place, key))
    elif isinstance(node, list):
        for i, item in enumerate(list(node)):
            yield from _leaves(item, (*place, i))
    elif isinstance(node, Value):
        yield place, node


def _mapped(node: Any, plain: Callable[[Value], object]) -> Any:
    if isinstance(node, dict):
        return {key: _mapped(item, plain) for key, item in node.items()}
    if isinstance(node, list):
        return [_mapped(item, plain) for item in node]
    return plain(node) if isinstance(node, Value) else node
