"""Every configuration key that Kestra 1.3 and 2.0 read: the rows of `keys.tsv`, and how a path is looked up in them.

`python -m components.catalogue.generate` writes the file; docs/catalogue.md says from what.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from ..settings.base import kebab

KeyPath = tuple[str | int, ...]
Kind = Literal["key", "inside", "block", "unknown"]

KEYS = Path(__file__).with_name("keys.tsv")
#: The columns of the file, in their order.
COLUMNS = (
    "key", "type", "edition", "since", "until", "sensitive", "default", "source", "owner",
)  # fmt: skip
#: `list` is a list of texts; below a `map` everything is allowed, with its keys as they are written.
TYPES = ("text", "number", "boolean", "duration", "size", "list", "map")

#: Dots within one written key, at most; no key of the catalogue has so many.
_MOST_DOTS = 32
#: A segment of a key that stands for a name of the user's, and one that stands for the items of a list.
NAME, ITEMS = "*", "[]"


@dataclass(frozen=True, slots=True)
class CatalogueKey:
    """A key that Kestra reads, as its row says.

    `key` is the whole path in kebab-case, with `*` for a name of the user's and `[]` for the items of a list
    (`kestra.ai.providers[].type`). `since` and `until` are Kestra versions, empty without a bound. `default` is
    Kestra's own, as text, where it is known. `owner` is empty, or what has the key here:
    `deployment.url`, `deployment.mode`, `identity`, `store`, `model:<setting>`.
    """

    key: str
    type: str
    edition: str
    since: str
    until: str
    sensitive: bool
    default: str
    source: str
    owner: str

    def is_in(self, version: str) -> bool:
        """Whether Kestra of this version reads the key; `version` is `1.3` or `2.0`."""
        number = _number(version)
        after = not self.since or _number(self.since) <= number
        return after and (not self.until or number <= _number(self.until))


@dataclass(frozen=True, slots=True)
class Match:
    """What the catalogue says of a path.

    `kind` is `key` for a key itself, `inside` for a path below a free map or a list of texts, `block` for one
    with keys below it, else `unknown`. `path` is the path in the catalogue's spelling: kebab-case, except for names
    of the user's and what lies below a map; of an unknown path the known part and the rest as it was written.
    `known` counts the parts of `path` that the catalogue knows; `names` are the names below the last known
    block (`*` and `[]` among them).
    """

    kind: Kind
    path: KeyPath
    key: CatalogueKey | None = None
    known: int = 0
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class _Node:
    key: CatalogueKey | None = None
    below: dict[str, _Node] = field(default_factory=dict)


class Catalogue:
    """The keys, and the blocks that they make."""

    def __init__(self, rows: Sequence[CatalogueKey]) -> None:
        self.keys = {row.key: row for row in rows}
        self._root = _Node()
        for row in rows:
            node = self._root
            for part in segments(row.key):
                node = node.below.setdefault(part, _Node())
            node.key = row

    def __iter__(self) -> Iterator[CatalogueKey]:
        return iter(self.keys.values())

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def roots(self) -> tuple[str, ...]:
        """The first-level keys: `kestra`, `micronaut`, `datasources` …"""
        return tuple(self._root.below)

    def lookup(self, path: KeyPath) -> Match:
        """What a path of Kestra's file is.

        Args:
            path: keys and positions from the file's root, as they were written: camelCase and dotted keys
                (`server.liveness`) are read as Micronaut reads them.
        """
        return max(_matches(self._root, path, ()), key=lambda m: (m.kind != "unknown", m.known))


def _matches(node: _Node, rest: KeyPath, path: KeyPath) -> Iterator[Match]:
    """All readings of the rest of a path; what is exact comes before what stands for any name."""
    if not rest:
        kind: Kind = "block" if node.below else "unknown"
        kind = "key" if node.key is not None else kind
        yield Match(kind, path, node.key, len(path), tuple(node.below))
        return
    first, *others = rest
    if isinstance(first, int):
        if below := node.below.get(ITEMS):
            yield from _matches(below, tuple(others), (*path, first))
    else:
        parts = first.split(".") if first.count(".") <= _MOST_DOTS else [first]
        for size in range(1, len(parts) + 1):
            name, dotted = kebab(".".join(parts[:size])), ".".join(parts[size:])
            left = (dotted, *others) if dotted else tuple(others)
            if below := node.below.get(name):
                yield from _matches(below, left, (*path, name))
            if below := node.below.get(NAME):
                yield from _matches(below, left, (*path, ".".join(parts[:size])))
    if node.key is not None and (
        node.key.type == "map" or (node.key.type == "list" and isinstance(first, int))
    ):
        yield Match("inside", (*path, *rest), node.key, len(path))
    yield Match("unknown", (*path, *rest), None, len(path), tuple(node.below))


def segments(key: str) -> list[str]:
    """The parts of a key: `kestra.ai.providers[].type` gives `kestra`, `ai`, `providers`, `[]`, `type`."""
    return key.replace("[]", ".[]").split(".")


def read(path: Path = KEYS) -> list[CatalogueKey]:
    """The rows of a catalogue's file."""
    with path.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [
        CatalogueKey(key, kind, edition, since, until, sensitive == "yes", default, source, owner)
        for key, kind, edition, since, until, sensitive, default, source, owner in rows
    ]


@cache
def catalogue() -> Catalogue:
    """The catalogue, read once when it is first asked for."""
    return Catalogue(read())


def lookup(path: KeyPath) -> Match:
    """What a path of Kestra's file is; see `Catalogue.lookup`."""
    return catalogue().lookup(path)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
