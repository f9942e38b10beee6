"""Values of a stack file as Pulumi's YAML library reads them, where PyYAML follows an older YAML.

`yes` and `on` are texts and no flags, `1:30` is a text and no number, `1e3` is a number. A date is a date, for which the
settings ask to write it in quotes: Pulumi hands on another text than what was written.

Source: gopkg.in/yaml.v3, resolve.go, which Pulumi 3.259 uses.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import yaml

_PREFIX = "tag:yaml.org,2002:"
_DIGITS = "0123456789"
_RESOLVERS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", "~nN"),
    "int": (r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9A-Fa-f_]+|[1-9][0-9_]*|0)", f"-+{_DIGITS}"),
    "timestamp": (
        r"\d{4}-\d\d?-\d\d?([Tt]\d\d?:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)| \d\d?:\d\d:\d\d(\.\d+)?)?",
        _DIGITS,
    ),
    "float": (
        r"[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        f"-+.{_DIGITS}",
    ),
    "merge": (r"<<", "<"),
}


def resolve_as_pulumi(loader: type[yaml.SafeLoader]) -> None:
    """Makes a loader of PyYAML, which must be the caller's own, take unquoted values as Pulumi takes them."""
    loader.yaml_implicit_resolvers = {}
    for kind, (pattern, first) in _RESOLVERS.items():
        characters = [*first, ""] if kind == "null" else list(first)
        expression = re.compile(rf"(?:{pattern})$", re.ASCII)
        loader.add_implicit_resolver(f"{_PREFIX}{kind}", expression, characters)
    loader.add_constructor(f"{_PREFIX}int", _whole)
    loader.add_constructor(f"{_PREFIX}timestamp", _date)


#: How Pulumi hands on a date that stands unquoted in the stack file.
_DATE_OF_GO = re.compile(r"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d(\.\d+)? [-+]\d{4} ([A-Z]+|[-+]\d{4})")


def dates_of_pulumi(value: Any) -> Any:
    """The value with each text as a date that is one in the stack file."""
    if isinstance(value, dict):
        return {name: dates_of_pulumi(item) for name, item in value.items()}
    if isinstance(value, list):
        return [dates_of_pulumi(item) for item in value]
    match = _DATE_OF_GO.fullmatch(value) if isinstance(value, str) else None
    try:
        return datetime.date.fromisoformat(match[1]) if match else value
    except ValueError:
        # A text that only looks like a date.
        return value


def _date(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> datetime.date | str:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return str(loader.construct_scalar(node))


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | str:
    written = str(loader.construct_scalar(node))
    text = written.replace("_", "")
    # A zero before other digits is the octal number of old.
    base = 8 if re.fullmatch(r"[-+]?0[0-7]+", text) else 0
    try:
        return int(text, base)
    except ValueError:
        return written
