"""Which key of Kestra's an environment variable of an installation set, and names that look like keys and are none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache

from ..catalogue import catalogue, lookup
from ..policy_tables import Binding, bind, canonical
from ..validation.key_hints import meant
from ..validation.rules.flow_variables import CONFIGURATION_ROOTS
from ..validation.rules.variable_rules import setting_keys
from .installation import Sourced, Tree
from .key_tree import KeyPath

JSON_VARIABLES = ("MICRONAUT_APPLICATION_JSON", "SPRING_APPLICATION_JSON")
"""Variables whose JSON is configuration."""
LAUNCHER_VARIABLES = {
    "KESTRA_CONFIGURATION_PATH": (
        "says only where the start script writes KESTRA_CONFIGURATION; Kestra reads no file by it",
        "give the configuration file itself to the import",
    ),
    "KESTRA_PLUGINS_PATH": (
        "a folder with plugins of that machine; in a cluster plugins are part of the image",
        "build an image with the plugins, and name it under kestra:deployment.image",
    ),
    "MICRONAUT_CONFIG_FILES": (
        "names the files that Kestra reads; the stack names its own",
        "give those files to the import too",
    ),
    "MICRONAUT_ENVIRONMENTS": (
        "makes Kestra read configuration files of other environments besides",
        "give those files to the import too; the stack has one configuration",
    ),
    "MICRONAUT_ENV_DEDUCTION": (
        "decides which environments are active; the stack has one configuration",
        "",
    ),
}
"""Variables of the launcher's and Micronaut's own that are not carried: why, and what to do."""
#: `POSTGRES_PASSWORD_FILE`, `X__FILE`, `FILE__X`: the value is in a file, as scripts of images understand it.
_FILE = re.compile(r"(.+?)__?FILE|FILE__(.+)")


def is_configuration(name: str) -> bool:
    """Whether Micronaut takes a variable of this name for configuration that Kestra could read."""
    return root_of(name) in CONFIGURATION_ROOTS


def root_of(name: str) -> str:
    """The first level of the key that a variable sets."""
    return bind(name).key.split(".")[0]


def key_of(name: str, tree: Tree) -> KeyPath | None:
    """The key that a variable sets: one that the files have, or one that Kestra is known to read; else None."""
    binding = bind(name)
    if binding.is_null_item or not is_configuration(name):
        return None
    for path, _ in _places(tree):
        if _canonical(path) == binding.path:
            return path
    return _known_key(binding.path)


def _known_key(path: str) -> KeyPath | None:
    """The key of the catalogue or the settings that a canonical path is."""
    exact = _exact_keys()
    if segments := exact.get(path):
        return segments
    if (item := re.fullmatch(r"(.*)\[(\d+)\]", path)) and (segments := exact.get(item[1])):
        return (*segments, int(item[2]))
    # Below a map everything to the right is one name: `bootstrap.servers`.
    parts = path.split(".")
    for size in range(len(parts) - 1, 1, -1):
        if segments := _maps().get(".".join(parts[:size])):
            return (*segments, ".".join(parts[size:]))
    for pattern, names in _patterns(parts[0]):
        if match := pattern.fullmatch(path):
            return _filled(names, match.groups())
    return None


def _places(node: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(node, Sourced):
        yield path, node
    elif isinstance(node, dict):
        for key, item in node.items():
            yield from _places(item, (*path, key))
    elif isinstance(node, list):
        yield path, node
        for index, item in enumerate(node):
            yield from _places(item, (*path, index))


def _canonical(path: KeyPath) -> str:
    text = "".join(f"[{s}]" if isinstance(s, int) else f".{canonical(s)}" for s in path)
    return text.removeprefix(".")


@cache
def _rows() -> dict[str, str]:
    """Every key that Kestra reads, to its type."""
    return dict.fromkeys(setting_keys(), "") | {row.key: row.type for row in catalogue()}


def _is_exact(key: str) -> bool:
    return "*" not in key and "[]" not in key


@cache
def _exact_keys() -> dict[str, tuple[str, ...]]:
    return {canonical(key): tuple(key.split(".")) for key in _rows() if _is_exact(key)}


@cache
def _maps() -> dict[str, tuple[str, ...]]:
    rows = _rows().items()
    return {canonical(k): tuple(k.split(".")) for k, kind in rows if kind == "map" and _is_exact(k)}


@cache
def _patterns(root: str) -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """Keys with names of the user's or items of a list, as expressions; what is named more exactly comes first."""
    patterns: list[tuple[re.Pattern[str], tuple[str, ...]]] = []
    rows = [(k, kind) for k, kind in _rows().items() if k.split(".")[0].partition("[")[0] == root]
    for key, kind in sorted(rows, key=lambda row: (row[0].count("*"), row[0])):
        if _is_exact(key):
            continue
        segments = tuple(key.replace("[]", ".[]").split("."))
        expression = ""
        for segment in segments:
            if segment == "[]":
                expression += r"\[(\d+)\]"
            else:
                expression += r"\." if expression else ""
                expression += r"([^.\[]+)" if segment == "*" else re.escape(canonical(segment))
        patterns.append((re.compile(expression), segments))
        if kind == "map":
            patterns.append((re.compile(rf"{expression}\.(.+)"), (*segments, "*")))
        else:
            patterns.append((re.compile(rf"{expression}\[(\d+)\]"), (*segments, "[]")))
    return tuple(patterns)


def _filled(segments: tuple[str, ...], groups: tuple[str, ...]) -> KeyPath:
    values = iter(groups)
    return tuple(
        next(values) if s == "*" else int(next(values)) if s == "[]" else s for s in segments
    )


def is_list(path: KeyPath) -> bool:
    """Whether a key of the catalogue is a list of texts."""
    match = lookup(path)
    return match.kind == "key" and match.key is not None and match.key.type == "list"


def is_word_of_map(name: str) -> bool:
    """Whether Kestra reads the variable's key from a map in which every `_` is a level, so that it sets another."""
    return len(bind(name).map_names("kestra.storage")) >= 3


def variable_of_file(name: str) -> str:
    """The variable whose value is in a file that this variable names; empty where it names none by its own name."""
    match = _FILE.fullmatch(name)
    return (match[1] or match[2]) if match else ""


def is_path(value: str | None) -> bool:
    """Whether a value may be the path of a file."""
    return value is None or re.match(r"[./~]|[A-Za-z]:\\|file:", value) is not None


def why_no_key(name: str) -> tuple[str, str]:
    """Why a variable that looks like a setting is none, and what to do."""
    binding = bind(name)
    if binding.is_null_item:
        return (
            "Micronaut takes the _ behind an index for a part of it, so the list got an empty item",
            "write the item where the list is set",
        )
    near = _nearest(binding)
    hint = f"; {near} was probably meant" if near else ""
    flows = f"kestra:deployment.environment.ENV_{name.removeprefix('KESTRA_')} if flows read it as a variable"
    return (
        f"looks like a setting of Kestra's and is none, so Kestra ignored it{hint}",
        f"set kestra:{_setting(near)} if it was meant" if near else f"set {flows}",
    )


def _setting(key: str) -> str:
    return setting_keys().get(key, key.removeprefix("kestra."))


def _nearest(binding: Binding) -> str | None:
    letters = re.sub(r"[.\-_]", "", binding.key)
    names = _squeezed()
    if letters in names:
        return names[letters]
    if setting := meant(re.split(r"[.\-_]", binding.key.removeprefix("kestra."))):
        words = re.sub(r"[.\-_]", "", setting)
        if near := names.get(words) or names.get(f"kestra{words}"):
            return near
    # `KESTRA_DATASOURCES_POSTGRES_URL`: a root key below kestra; `KESTRA_CONFIGURATION_QUEUE_TYPE`.
    inner = letters.removeprefix("kestra").removeprefix("configuration")
    for name in (inner, inner.removeprefix("kestra"), f"kestra{inner}"):
        if name in names:
            return names[name]
    close = difflib.get_close_matches(letters, names, n=1, cutoff=0.87)
    return names[close[0]] if close else None


@cache
def _squeezed() -> dict[str, str]:
    keys: dict[str, str] = {}
    for row in _rows():
        if "[]" in row:
            continue
        for database in ("h2", "postgres", "mysql") if "*" in row else ("",):
            key = ".".join(database if s == "*" else s for s in row.split("."))
            keys.setdefault(re.sub(r"[.\-_]", "", canonical(key)), key)
    return keys
