"""A configuration with every open-core key of the catalogue, and what a real Kestra must bind of it."""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.catalogue import CatalogueKey, catalogue, segments
from components.catalogue.artifacts import Artifacts

_FIXTURES = Path(__file__).parent / "fixtures"
#: In the place of a value: the key cannot be set beside the others, for the reason of its row.
APART = "apart"
#: A name of the user's, and the position in a list.
NAME = "one"
#: Values of each type; a text is one of its own for each key.
_SAMPLES: dict[str, Any] = {
    "number": 7,
    "duration": "73s",
    "size": "3MB",
    "list": ["first", "second"],
    "map": {"abc": "value"},
}
#: What Micronaut has of them where that is another text.
_BOUND = {"73s": "PT1M13S", "3MB": "3145728"}


@dataclass(frozen=True)
class Expected:
    """A key of the configuration: its path as Micronaut writes it, its type, and its value there and in a bean."""

    path: str
    row: CatalogueKey
    value: Any
    in_environment: Any
    in_bean: Any


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
        given = special.get(row.key, {"value": "", "bean": ""})
        if given["value"] == APART:
            continue
        value = json.loads(given["value"]) if given["value"] else _sample(row, number, choices)
        bean = json.loads(given["bean"]) if given["bean"] else bound(value)
        in_environment = value if row.type == "size" else bound(value)
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
    """A key with a name and a position: `datasources.one.url`, `kestra.ai.providers[0].type`."""
    return re.sub(r"(?<=\.)\*(?=\.|$)", NAME, key).replace("[]", "[0]")


def document(expected: list[Expected]) -> dict[str, Any]:
    """The configuration as Kestra's file has it."""
    result: dict[str, Any] = {}
    for one in expected:
        parts = [NAME if part == "*" else part for part in segments(one.row.key)]
        _put(result, parts, copy.deepcopy(one.value))
    return result


def _put(node: Any, parts: list[str], value: Any) -> None:
    first, *rest = parts
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
