"""Values of a stack file as Pulumi's YAML library reads them, where PyYAML follows an older YAML.

`yes` and `on` are texts and no flags, `1:30` is a text and no number, `1e3` is a number. Dates stay dates: Pulumi hands
on another text than what was written, so that the settings ask for quotes.

Source: gopkg.in/yaml.v3, resolve.go, which Pulumi 3.259 uses.
"""

from __future__ import annotations

import re

import yaml

_PREFIX = "tag:yaml.org,2002:"
_DIGITS = "0123456789"
_RESOLVERS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", "~nN"),
    "int": (r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9A-Fa-f_]+|[1-9][0-9_]*|0)", f"-+{_DIGITS}"),
    "timestamp": (
        r"\d{4}-\d\d?-\d\d?([Tt]|[ \t]+)\d\d?:\d\d:\d\d(\.\d*)?([ \t]*(Z|[-+]\d\d?(:\d\d)?))?|\d{4}-\d\d-\d\d",
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


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | str:
    written = str(loader.construct_scalar(node))
    text = written.replace("_", "")
    # A zero before other digits is the octal number of old.
    base = 8 if re.fullmatch(r"[-+]?0[0-7]+", text) else 0
    try:
        return int(text, base)
    except ValueError:
        return written
