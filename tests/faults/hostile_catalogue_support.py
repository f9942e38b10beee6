"""Documents over the keys of the catalogue: right ones, and ones that are wrong in kind, place, spelling or value."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

from components.catalogue import CatalogueKey, catalogue, segments
from tests.faults.hostile_documents_support import Document
from tests.faults.hostile_keys_support import HOSTILE, PLANTED

Draw = random.Random

_FITTING: dict[str, Callable[[Draw], Any]] = {
    "text": lambda draw: draw.choice(["value", 7, True, "${NAME:x}", "a ${NAME} b", *HOSTILE]),
    "number": lambda draw: draw.choice([0, 7, -1, 2.5, 3.0, "12", "1e3", "${N}", 2**40]),
    "boolean": lambda draw: draw.choice([True, False, "true", "false", "${B:true}"]),
    "duration": lambda draw: draw.choice(["5s", "PT1M", "0s", "7d", "${D:5s}"]),
    "size": lambda draw: draw.choice([1024, "10MB", "1gb", "${S}"]),
    "list": lambda draw: draw.choice([[], ["a"], ["a", 1, True], "a,b", draw.sample(HOSTILE, 3)]),
    "map": lambda draw: _map(draw, 3),
}
_WRONG: tuple[Any, ...] = (
    None, "", {}, [], [None], [[]], {"": 1}, {"a": None}, {1: 2}, {None: 1}, {"x": {"y": [{"z": []}]}}, float("nan"),
    float("inf"), 10**400, -(2**63) - 1, b"x", "\0", "\ud800", "x" * 101_000, [{}], "${", "${a", "${A:${B}}", 1.1,
    {"type": []}, "🙂", "yes", "5 s", "P", {"a.b": {"c.d": 1}}, {"a" * 300: 1}, {"a." * 50: 1},
)  # fmt: skip
_FOREIGN = (
    "zzz",
    "passwrod",
    "typ e",
    "\u202e",
    "a\nb",
    "x" * 400,
    "a." * 20 + "b",
    "[0]",
    "*",
    "[]",
    "",
    "${A}",
    "0",
)


def _map(draw: Draw, depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for _ in range(draw.randint(0, 3)):
        name = draw.choice(["a.b", "camelCase", "kebab-name", "0", "é", "x", *HOSTILE[:20]])
        kind = draw.random()
        if depth and kind < 0.3:
            result[name] = _map(draw, depth - 1)
        elif depth and kind < 0.5:
            result[name] = [_map(draw, depth - 1), draw.choice(HOSTILE)]
        elif kind < 0.7:
            result[draw.choice(["password", "api-key", "clientSecret", "x.token"])] = PLANTED
        else:
            result[name] = draw.choice([1, 2.0, 2.5, True, "x", *HOSTILE])
    return result


@cache
def _keys() -> tuple[CatalogueKey, ...]:
    return tuple(catalogue())


def hostile(draw: Draw) -> Document:
    """A document with some keys of the catalogue."""
    edition = draw.choice(["oss", "enterprise"])
    document: Document = {"version": draw.choice(["1.3", "2.0"]), "edition": edition}
    if edition == "oss":
        document["server"] = {"basic-auth": {"username": "a@b.example"}}
    else:
        document["secret"] = {"type": "jdbc"}
    is_broken = draw.random() < 0.6
    for key in draw.sample(_keys(), draw.randint(1, 5)):
        if not is_broken and (not key.is_in(document["version"]) or edition < key.edition == "oss"):
            continue
        parts = [
            draw.choice(["postgres", "my.name", "x"]) if p == "*" else p for p in segments(key.key)
        ]
        if parts[0] == "datasources":
            parts[1] = "postgres"
        parts = parts[1:] if parts[0] == "kestra" else parts
        if draw.random() < 0.1:
            parts = ["additional-configuration", *segments(key.key)]
        value = PLANTED if key.sensitive and key.type == "text" else _FITTING[key.type](draw)
        if is_broken:
            value, parts = _broken(draw, value, parts)
        _put(draw, document, parts, value)
    if draw.random() < 0.15:
        document["additional-configuration"] = _map(draw, 4)
    return document


def _broken(draw: Draw, value: Any, parts: list[str]) -> tuple[Any, list[str]]:
    kind = draw.random()
    if kind < 0.4:
        return draw.choice(_WRONG), parts
    place = draw.randrange(len(parts))
    if kind < 0.55:
        return value, [*parts[:place], draw.choice(_FOREIGN), *parts[place + 1 :]]
    if kind < 0.7:
        return PLANTED, [*parts[:place], draw.choice(_FOREIGN)]
    if kind < 0.8:
        # A level too few, or dots in place of levels.
        return value, [".".join(parts[: place + 1]), *parts[place + 1 :]]
    if kind < 0.9:
        return value, parts[: place + 1]
    return value, [_camel(part) for part in parts]


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word.title() for word in rest)


def _put(draw: Draw, document: Document, parts: list[str], value: Any) -> None:
    node: Any = document
    for i, part in enumerate(parts):
        is_last = i + 1 == len(parts)
        new: Any = value if is_last else [] if parts[i + 1] == "[]" else {}
        if isinstance(node, list):
            if is_last or not node or draw.random() < 0.5:
                node.append(new)
            node = node[-1]
        elif is_last:
            node[part] = new
        else:
            if not isinstance(node.get(part), (dict, list)):
                node[part] = new
            node = node[part]
        if not isinstance(node, (dict, list)):
            return
