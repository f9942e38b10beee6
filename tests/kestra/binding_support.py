"""A configuration with every open-core key of the catalogue, and what a real Kestra must bind of it."""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from components.catalogue import CatalogueKey, catalogue, segments
from components.catalogue.artifacts import Artifacts
from components.rendering.configuration import ProvidedValue, render
from components.validation import load

_FIXTURES = Path(__file__).parent / "fixtures"
#: In the place of a value: the key cannot be set beside the others, for the reason of its row.
APART = "apart"
#: Names of the user's: a database has the name of its kind.
NAME, DATABASE = "one", "h2"
#: Roots whose names are databases'.
_DATABASES = ("datasources", "flyway", "jooq")
#: The storage of the stack with all other keys; each other one has a stack of its own.
_STORAGE = "s3"
#: Values of each type; a text is one of its own for each key.
_SAMPLES: dict[str, Any] = {
    "number": 7,
    "duration": "73s",
    "size": "3MB",
    "list": ["first", "second"],
    "map": {"abc": "value"},
}
#: What Micronaut has of texts where that is another one.
_BOUND = {"73s": "PT1M13S", "13s": "PT13S", "3MB": "3145728"}


@dataclass(frozen=True)
class Expected:
    """A key of the configuration: its path as Micronaut writes it, its type, and its value there and in a bean."""

    path: str
    row: CatalogueKey
    value: Any
    in_environment: Any
    in_bean: Any


@cache
def table(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables under `fixtures`."""
    with (_FIXTURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def expectations(version: str, choices: Mapping[str, list[str]]) -> Iterator[Expected]:
    """The open-core keys of a version, each with a value of its own.

    Args:
        version: Kestra's, `1.3` or `2.0`.
        choices: key to the constants of its enumeration.
    """
    special = {row["key"]: row for row in table("binding-values.tsv")}
    for number, row in enumerate(catalogue()):
        if row.edition == "enterprise" or not row.is_in(version):
            continue
        own = special.get(row.key, {"value": "", "bean": ""})
        if own["value"] == APART:
            continue
        value = json.loads(own["value"]) if own["value"] else _sample(row, number, choices)
        bean = json.loads(own["bean"]) if own["bean"] else bound(value)
        in_environment = value if value == _SAMPLES["size"] else bound(value)
        yield Expected(path_of(row.key), row, value, in_environment, bean)


def _sample(row: CatalogueKey, number: int, choices: Mapping[str, list[str]]) -> Any:
    if row.key in choices:
        return next(c for c in reversed(choices[row.key]) if c != row.default)
    if row.type == "boolean":
        return row.default != "true"
    return _SAMPLES.get(row.type, f"text-{number}")


def bound(value: Any) -> Any:
    """A value as the harness prints what Micronaut has."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _BOUND.get(value, value) if isinstance(value, str) else value


def path_of(key: str) -> str:
    """A key with a name and a position: `datasources.h2.url`, `kestra.ai.providers[0].type`."""
    return ".".join(_parts(key)).replace(".[]", "[0]")


def _parts(key: str) -> list[str]:
    root, *rest = segments(key)
    name = DATABASE if root in _DATABASES else NAME
    return [root, *(name if part == "*" else part for part in rest)]


def is_refused(key: str) -> bool:
    """Whether the program decides a key itself, so that no setting has it."""
    names = [row["key"] for row in table("binding-refused.tsv")]
    return any(key == name or (name.endswith(".") and key.startswith(name)) for name in names)


def rendered(version: str, expected: list[Expected]) -> tuple[dict[str, Any], dict[str, str]]:
    """The configuration as the program renders it for stacks with all keys, and the variables of its secrets.

    A stack has one storage, so each further one comes from a stack of its own. What no setting has is laid over it.
    """
    settable = [one for one in expected if not is_refused(one.row.key)]
    storages = sorted({kind for one in settable if (kind := _storage(one))} - {_STORAGE})
    result, variables = _stack(
        version, [one for one in settable if _storage(one) in ("", _STORAGE)]
    )
    for kind in storages:
        document, more = _stack(version, [one for one in settable if _storage(one) == kind], kind)
        result["kestra"]["storage"][kind] = document["kestra"]["storage"][kind]
        variables |= more
    for one in expected:
        if is_refused(one.row.key):
            _put(result, _parts(one.row.key), one.value)
    return result, variables


def _storage(one: Expected) -> str:
    """The type of storage whose block a key stands in; empty for what every storage has."""
    parts = segments(one.row.key)
    is_block = parts[:2] == ["kestra", "storage"] and len(parts) > 3
    return parts[2] if is_block and parts[2] not in ("isolation", "temp-file-deletion") else ""


def _stack(
    version: str, keys: list[Expected], storage: str = ""
) -> tuple[dict[str, Any], dict[str, str]]:
    stack: dict[str, Any] = {"version": version}
    if storage:
        stack |= {
            "datasources": {DATABASE: {"url": "jdbc:h2:mem:one"}},
            "queue": {"type": DATABASE},
            "repository": {"type": DATABASE},
            "server": {"basic-auth": {"username": "admin@example.com"}},
            "storage": {"type": storage},
        }
    for one in keys:
        put(stack, one)
    configuration = render(load(stack, source="stack").settings)
    variables = {
        name: source.value.get_secret_value()
        for name, source in configuration.environment.items()
        if isinstance(source, ProvidedValue)
    }
    return copy.deepcopy(dict(configuration.document)), variables


def put(stack: dict[str, Any], one: Expected) -> None:
    """Writes a key into a stack, as its setting."""
    parts = _parts(one.row.key)
    _put(stack, parts[1:] if parts[0] == "kestra" else parts, one.value)


def _put(node: Any, parts: list[str], value: Any) -> None:
    first, *rest = parts
    value = copy.deepcopy(value)
    if first == "[]":
        if not node:
            node.append([] if rest[:1] == ["[]"] else {})
        _put(node[0], rest, value)
    elif not rest:
        node[first] = value
    elif isinstance(node.get(first, {}), (dict, list)):
        _put(node.setdefault(first, [] if rest[0] == "[]" else {}), rest, value)
    else:
        # A text that has keys below it too: `otel.traces.sampler` and `otel.traces.sampler.arg`.
        node[".".join(parts)] = value


def members(artifacts: Artifacts, paths: set[str]) -> Iterator[dict[str, str]]:
    """Which class of configuration has a path as which member, by the artifacts' metadata."""
    for jar, row in artifacts.metadata():
        if jar not in artifacts.jars:
            continue
        path = path_of(row["name"].replace("[*]", "[]"))
        if path in paths and "sourceType" in row:
            member = re.sub(r"-(\w)", lambda m: m[1].upper(), row["name"].rsplit(".", 1)[-1])
            yield {"path": path, "owner": row["sourceType"], "member": member}
