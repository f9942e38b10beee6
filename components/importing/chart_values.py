"""Values of a Helm release: layers that Helm merges, and single values given beside them (`--set`)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .installation import Origin

Path = tuple[str | int, ...]

_ABSENT: Any = object()
#: One step of a path of `--set`: a name, in which `\.` is a dot, and any number of `[0]`.
_STEP = re.compile(r"((?:\\.|[^.\[\\])*)((?:\[\d+\])*)")
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
#: The longest list that one value of `--set` may ask for; Helm's own limit.
_LONGEST = 65536


@dataclass(frozen=True)
class Layer:
    """One source of values: a file, a block inside an object, or a list of single values."""

    file: str
    place: str = ""
    """Where the values lie in the file; empty: the file itself."""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    singles: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    """Values given by their path (`image.tag`), which change what is there already."""


class Values:
    """The merged values of one release.

    Args:
        layers: in the order of the release; what is later wins.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        self.tree: dict[str, Any] = {}
        for layer in self.layers:
            self.tree = merge(self.tree, layer.values)
            for path, value in layer.singles:
                set_single(self.tree, path, value)

    def get(self, *path: str | int, default: Any = None) -> Any:
        """The value at a path; `default` where it is absent or null."""
        value = lookup(self.tree, path)
        return default if value is _ABSENT or value is None else value

    def mapping(self, *path: str | int) -> dict[str, Any]:
        """The mapping at a path; empty where there is none."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def sequence(self, *path: str | int) -> list[Any]:
        """The list at a path; empty where there is none."""
        value = self.get(*path)
        return value if isinstance(value, list) else []

    def origin(self, *path: str | int) -> Origin:
        """Where the value at a path was decided."""
        for layer in reversed(self.layers):
            if any(_covers(parse_path(single), path) for single, _ in layer.singles):
                return Origin(layer.file, layer.place)
            if lookup(layer.values, path) is not _ABSENT:
                return Origin(layer.file, ".".join((layer.place, dotted(path))).strip("."))
        file = self.layers[-1].file if self.layers else "-"
        return Origin(file, dotted(path))

    def overridden(self, *path: str) -> list[Any]:
        """Values at a path that a later layer replaced by another."""
        values = []
        for layer in self.layers:
            value = lookup(layer.values, path)
            if value is not _ABSENT and value is not None:
                values.append(value)
            values += [v for single, v in layer.singles if parse_path(single) == path]
        return [value for value in values[:-1] if value != values[-1]]


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merged as Helm does: key by key, lists and all else replaced as a whole. Nothing is shared."""
    result = dict(base)
    for name, value in over.items():
        key = str(name)
        before = result.get(key)
        if isinstance(value, Mapping):
            result[key] = merge(before if isinstance(before, Mapping) else {}, value)
        else:
            result[key] = list(value) if isinstance(value, list) else value
    return result


def set_single(tree: dict[str, Any], path: str, value: Any) -> None:
    """Puts one value of `--set` where its path says; a path that fits nothing is left out."""
    steps = parse_path(path)
    if not steps:
        return
    node: Any = tree
    for step, following in itertools.pairwise(steps):
        child = _child(node, step)
        kind = list if isinstance(following, int) else dict
        if not isinstance(child, kind):
            child = kind()
            if not _put(node, step, child):
                return
        else:
            # Lists and mappings of a layer may be shared with its document.
            child = kind(child)
            _put(node, step, child)
        node = child
    _put(node, steps[-1], value)


def parse_path(path: str) -> Path:
    """`a.b\\.c[0].d` as steps: `("a", "b.c", 0, "d")`; empty where it is no path."""
    steps: list[str | int] = []
    at = 0
    while at <= len(path):
        match = _STEP.match(path, at)
        if match is None or (not match.group(1) and not match.group(2)):
            return ()
        if match.group(1):
            steps.append(re.sub(r"\\(.)", r"\1", match.group(1)))
        steps += [int(index) for index in re.findall(r"\d+", match.group(2))]
        at = match.end()
        if at < len(path) and path[at] != ".":
            return ()
        at += 1
    return tuple(steps)


def typed(text: str) -> Any:
    """What `--set` makes of a value's text: a flag, a whole number, null, a list in braces, else the text."""
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    if text.startswith("{") and text.endswith("}"):
        return [typed(item) for item in text[1:-1].split(",")] if text[1:-1] else []
    return re.sub(r"\\(.)", r"\1", text)


def lookup(tree: Any, path: Path) -> Any:
    """The value at a path of mappings and lists; a mark of its own where there is none."""
    for step in path:
        tree = _child(tree, step)
        if tree is _ABSENT:
            break
    return tree


def dotted(path: Path) -> str:
    """A path as it is written: `a.b[0].c`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _covers(single: Path, path: Path) -> bool:
    return bool(single) and single == path[: len(single)]


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.get(step, _ABSENT)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return _ABSENT


def _put(node: Any, step: str | int, value: Any) -> bool:
    if isinstance(node, dict) and isinstance(step, str):
        node[step] = value
        return True
    if isinstance(node, list) and isinstance(step, int) and step < _LONGEST:
        node += [None] * (step + 1 - len(node))
        node[step] = value
        return True
    return False
