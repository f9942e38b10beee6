"""The bytes of the document: YAML that PyYAML, SnakeYAML and people read alike."""

from __future__ import annotations

import re
from typing import Any

import yaml

# SnakeYAML, which Kestra uses, takes `1e5` and `.5e3` for numbers where PyYAML would write them unquoted.
_NUMBER_FOR_SNAKEYAML = re.compile(
    r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?"
)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # a value used twice is written twice
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent_text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None
    if "\n" in value and all(
        line.isprintable() and line == line.strip() for line in value.split("\n")
    ):
        style = "|" if value[0] != "\n" else '"'
    elif not value.isprintable():
        # Unquoted, a line break of Unicode (U+0085, U+2028) would be read back as another one.
        style = '"'
    elif _NUMBER_FOR_SNAKEYAML.fullmatch(value):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)


def dump(document: dict[str, Any]) -> str:
    """``document`` as YAML text: key order kept, no aliases, no folded lines, UTF-8 as is."""
    return yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=2**31 - 1,
    )
