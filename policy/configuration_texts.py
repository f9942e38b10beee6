"""Files of Kestra's configuration as Micronaut reads them: keys in kebab case, one for each value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PROPERTY = re.compile(r"\s*([^#!\s=:][^\s=:]*)\s*[=:]?\s*(.*)")


@dataclass(frozen=True)
class Leaf:
    """A value of a file."""

    written: str
    """Its key as the file spells it."""
    value: Any
    """A scalar, a list or an empty map."""


Leaves = Mapping[str, Leaf]


class UnreadableText(ValueError):
    """A text that is no configuration file; the message never quotes it."""


def canonical(key: str) -> str:
    """A key as Micronaut looks it up: `secretKey` and `secret_key` are `secret-key`."""
    return _CAMEL.sub("-", key).replace("_", "-").lower()


@lru_cache(maxsize=512)
def parse(text: str, file: str = "application.yml") -> tuple[Mapping[str, Any], ...]:
    """The documents of a file; later ones win.

    Args:
        text: its content.
        file: its name; `.properties` and `.json` are read as such, everything else as YAML.

    Raises:
        UnreadableText: when it is not valid.
    """
    if file.endswith(".properties"):
        lines = (_PROPERTY.fullmatch(line) for line in text.splitlines())
        return ({match[1]: match[2] for match in lines if match},)
    try:
        read = [json.loads(text)] if file.endswith(".json") else list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        # "from None": the parser's message shows the lines around the error, secrets included.
        raise UnreadableText(file) from None
    if not all(document is None or isinstance(document, Mapping) for document in read):
        raise UnreadableText(file)
    return tuple(document for document in read if document)


def flatten(*documents: Mapping[str, Any]) -> Leaves:
    """Canonical key to value. A key with dots is the same as nested keys."""
    return {
        ".".join(canonical(step) for step in written.split(".")): Leaf(written, value)
        for document in documents
        for written, value in _walk(document, "")
    }


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping) or (path and not value):
        yield path, value
        return
    for key, inner in value.items():
        yield from _walk(inner, f"{path}.{key}" if path else str(key))


def is_kestras(document: Any) -> bool:
    """Whether a document has settings of Kestra's at its first level."""
    return isinstance(document, Mapping) and any(
        str(key).startswith("kestra.") or (key == "kestra" and isinstance(inner, Mapping))
        for key, inner in document.items()
    )
