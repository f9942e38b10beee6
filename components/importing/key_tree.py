"""Configuration files of Kestra's as one tree of canonical keys, merged as Micronaut merges them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ..catalogue import lookup
from ..settings.base import kebab
from .installation import Origin, Sourced, Tree

KeyPath = tuple[str | int, ...]
Leaf = tuple[KeyPath, Sourced]

#: Blocks whose keys the user chooses, besides those of the catalogue; `*` is any one segment.
_FREE = tuple(
    tuple(pattern.split("."))
    for pattern in (
        "logger.levels",
        "kestra.variables.globals",
        "kestra.plugins.*.*.values",
        "kestra.tasks.defaults.*.values",
        "kestra.policies.*.rules.*.values",
        "kestra.security.default-role.permissions",
        "kestra.traces.categories",
        "kestra.kafka.*.properties",
        "kestra.kafka.*.*.properties",
        "kestra.metrics.tags",
        "datasources.*.data-source-properties",
        "micronaut.metrics.tags",
    )
)
_INDEX = re.compile(r"(?P<name>[^\[\]]+)(?P<indexes>(?:\[\d{1,4}\])+)")


def canonical_tree(document: Mapping[Any, Any], origin: Origin) -> Tree:
    """The tree of a file: dotted keys nested, camelCase as kebab-case, free maps as written, nulls left out.

    Of two spellings of one key the later one counts.
    """
    tree: Tree = {}
    _add(tree, (), document, origin)
    return tree


def _add(tree: Tree, path: KeyPath, block: Mapping[Any, Any], origin: Origin) -> None:
    for key, value in block.items():
        steps = canonical_steps(path, str(key))
        node: Any = _node((*path, *steps), value, origin)
        if node is not None:
            put(tree, steps, node)


def _node(path: KeyPath, value: Any, origin: Origin) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping):
        inner: Tree = {}
        _add(inner, path, value, origin)
        return inner
    if isinstance(value, list):
        items = [_node((*path, i), item, origin) for i, item in enumerate(value)]
        return [item for item in items if item is not None]
    if value is False and path[:2] == ("logger", "levels"):
        # YAML 1.1 makes a flag of OFF; Micronaut reads false as the level OFF.
        value = "OFF"
    return Sourced(value, origin)


def canonical_steps(path: KeyPath, key: str) -> KeyPath:
    """A key of a block as canonical steps: `server.liveness` are two, an item of a list (`a[0]`) too."""
    if known := _of_catalogue(path, key):
        return known
    steps: list[str | int] = []
    rest = key
    while rest:
        if is_free((*path, *steps)):
            return (*steps, rest)
        name, _, rest = rest.partition(".")
        match = _INDEX.fullmatch(name)
        steps.append(kebab(match["name"] if match else name))
        if match:
            steps += [int(index) for index in re.findall(r"\d+", match["indexes"])]
    return tuple(steps) or (key,)


def _of_catalogue(path: KeyPath, key: str) -> KeyPath | None:
    if "[" in key:
        return None
    match = lookup((*path, key))
    return None if match.kind == "unknown" else match.path[len(path) :]


def is_free(path: KeyPath) -> bool:
    """Whether the keys below are the user's own and stay as they are written."""
    names = tuple(map(str, path))
    for pattern in _FREE:
        if len(names) >= len(pattern) and all(
            p in ("*", n) for p, n in zip(pattern, names, strict=False)
        ):
            return True
    if not path:
        return False
    match = lookup(path)
    return match.kind == "inside" or (match.key is not None and match.key.type == "map")


def put(tree: Tree, steps: KeyPath, node: Any) -> None:
    """Puts a node at a place; a mapping is merged into one that is there, anything else replaces it."""
    here: Any = tree
    step: Any
    for step, following in pairwise(steps):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(here, list) or step > len(here):
                return
            if step == len(here):
                here.append(empty)
            elif not isinstance(here[step], type(empty)):
                here[step] = empty
        elif not isinstance(here, dict):
            return
        elif not isinstance(here.get(step), type(empty)):
            here[step] = empty
        here = here[step]
    last = steps[-1]
    if isinstance(last, int):
        if isinstance(here, list) and last <= len(here):
            here[last : last + 1] = [node]
    elif not isinstance(here, dict):
        return
    elif isinstance(node, dict) and isinstance(here.get(last), dict):
        merge(here[last], node)
    else:
        here[last] = node


def merge(tree: Tree, over: Tree) -> None:
    """Merges a file into those before it: blocks key by key; lists and values are replaced as a whole."""
    for key, node in over.items():
        put(tree, (key,), node)


def get(tree: Any, path: KeyPath) -> Any:
    """What stands at a place; None where nothing does."""
    for step in path:
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def remove(tree: Tree, path: KeyPath) -> None:
    """Takes a leaf out, and the blocks that are empty without it."""
    *front, last = path
    block = get(tree, tuple(front))
    if isinstance(block, dict):
        block.pop(last, None)
    elif isinstance(block, list) and isinstance(last, int) and last < len(block):
        # A position must not move under the next leaf, so the item only becomes empty.
        block[last] = {}
    if front and block == {}:
        remove(tree, tuple(front))


def leaves(node: Any, path: KeyPath = ()) -> Iterator[Leaf]:
    """Every leaf with its place."""
    if isinstance(node, Sourced):
        yield path, node
    elif isinstance(node, dict):
        for key, item in node.items():
            yield from leaves(item, (*path, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from leaves(item, (*path, index))


def dotted(path: KeyPath) -> str:
    """A place in words: `kestra.plugins.defaults[1].values.url`, `logger.levels["io.kestra"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif "." in step:
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text
