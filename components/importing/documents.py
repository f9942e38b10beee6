"""Texts of files and the YAML in them, read without ever quoting them.

Micronaut, Helm and kubectl read YAML 1.1 (`on`, `no` and `OFF` are flags, `010` is eight, `60_000` a number), compose
YAML 1.2 with Go's extensions; `load_documents` knows both. A date stays the text that was written.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from ..validation.stack_file import BoundedLoader
from ..validation.yaml_scalars import resolve_as_pulumi

MOST_BYTES = 1024 * 1024
"""Bytes of one input; reading that much YAML takes many seconds."""
_MOST_VALUES = 100_000
_DEEPEST = 150
_PREFIX = "tag:yaml.org,2002:"
#: Tags of programs that write YAML, which say what to do; any other tag is not repeated in a message.
_KNOWN_TAGS = {
    "!vault": "an Ansible Vault value, which needs Ansible",
    "!unsafe": "a value of Ansible's",
    "!reset": "a reset of compose's",
    "!override": "an override of compose's",
    "!Ref": "a reference of CloudFormation's",
    "!Sub": "a reference of CloudFormation's",
    "!reference": "a reference of GitLab's",
    "!include": "an include, which another program reads",
    "!secret": "a secret of another program",
}

Rules = Literal["java", "go"]


class Unreadable(Exception):
    """Why a file cannot be read, in words that do not quote it."""


class Reset:
    """Compose's `!reset`: the key is removed from the files before."""


class Override:
    """Compose's `!override`: the value replaces that of the files before."""

    def __init__(self, value: Any) -> None:
        self.value = value


@dataclass(frozen=True)
class Documents:
    """The documents of a file."""

    documents: tuple[Any, ...] = field(repr=False)
    remarks: tuple[str, ...] = ()
    """What is odd about the YAML, without a text of it."""


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 and UTF-32 with a byte order mark; line feeds only.

    Raises:
        Unreadable: for what is too large or no text.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(f"has more than {MOST_BYTES:,} bytes")
    encoding = "utf-8-sig"
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        encoding = "utf-32"
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    try:
        text = data.decode(encoding)
    except UnicodeError:
        raise Unreadable("is no text (neither UTF-8 nor UTF-16)") from None
    if "\0" in text:
        raise Unreadable("is a binary file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def load_documents(text: str, rules: Rules = "java") -> Documents:
    """All documents of a YAML text (JSON is YAML too); mappings have texts as keys.

    Args:
        text: of a file.
        rules: whose reading of unquoted values counts: `java` (Micronaut, Helm, Kubernetes), `go` (compose).

    Raises:
        Unreadable: where it is no YAML, or more than a configuration can be.
    """
    loader = _GoLoader if rules == "go" else _JavaLoader
    if re.search(r"[^\n]{20000}", text) and text.count("[") + text.count("{") > 20_000:
        raise Unreadable("is nested or folded as no configuration is")
    try:
        reader = loader(text)
        try:
            documents: list[Any] = []
            left = [_MOST_VALUES]
            while reader.check_data():
                documents.append(_plain(reader.get_data(), left))
            remarks = tuple(dict.fromkeys(reader.remarks))
        finally:
            reader.dispose()
    except _OddTag as error:
        known = _KNOWN_TAGS.get(error.tag, "")
        what = f"the tag {error.tag}, {known}" if known else "a tag that is no YAML of its own"
        raise Unreadable(f"has {what}, at line {error.line}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise Unreadable(f"is no valid YAML{line}") from None
    except RecursionError:
        raise Unreadable("is nested too deeply, or merges without end") from None
    except (ValueError, TypeError, OverflowError, AttributeError, LookupError):
        raise Unreadable("has a value that is no YAML") from None
    return Documents(tuple(documents), remarks)


def _plain(value: Any, left: list[int], depth: int = 0) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        return {_key(key): _plain(item, left, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, left, depth + 1) for item in value]
    if isinstance(value, Override):
        return Override(_plain(value.value, left, depth + 1))
    if isinstance(value, (set, frozenset)):
        return [_plain(item, left, depth + 1) for item in sorted(value, key=str)]
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
        raise ValueError
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _key(key: Any) -> str:
    if key is None:
        return "null"
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (str, int, float)):
        return str(key)
    raise ValueError


class _OddTag(yaml.YAMLError):
    def __init__(self, tag: str, line: int) -> None:
        super().__init__()
        self.tag, self.line = tag, line


class _JavaLoader(BoundedLoader):
    """YAML 1.1 as SnakeYAML and Go's yaml.v2 read it. Of a key that is written twice the last counts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name
        character: [(tag, regexp) for tag, regexp in rules if tag != f"{_PREFIX}timestamp"]
        for character, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.remarks: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        merged = f"{_PREFIX}merge"
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != merged:
                if key_node.value in seen:
                    line = key_node.start_mark.line + 1
                    self.remarks.append(f"line {line} writes a key for the second time")
                seen.add(key_node.value)
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)
        return yaml.constructor.BaseConstructor.construct_mapping(self, node, deep=deep)


def _odd(loader: _JavaLoader, node: yaml.Node) -> Any:
    raise _OddTag(str(node.tag), node.start_mark.line + 1)


def _whole(loader: _JavaLoader, node: yaml.ScalarNode) -> int | str:
    written = str(loader.construct_scalar(node))
    try:
        return yaml.SafeLoader.construct_yaml_int(loader, node)
    except ValueError:
        return written


def _text(loader: _JavaLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_JavaLoader.add_constructor(f"{_PREFIX}timestamp", _text)
_JavaLoader.add_constructor(f"{_PREFIX}int", _whole)
_JavaLoader.add_constructor(None, _odd)  # pyright: ignore[reportArgumentType] - any other tag


class _GoLoader(_JavaLoader):
    """YAML as compose reads it (gopkg.in/yaml.v3), with its tags `!reset` and `!override`."""


def _reset(loader: _GoLoader, node: yaml.Node) -> Reset:
    return Reset()


def _override(loader: _GoLoader, node: yaml.Node) -> Override:
    if isinstance(node, yaml.MappingNode):
        return Override(loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Override(loader.construct_sequence(node, deep=True))
    return Override(_text(loader, node)) if isinstance(node, yaml.ScalarNode) else Override(None)


resolve_as_pulumi(_GoLoader)
_GoLoader.add_constructor(f"{_PREFIX}timestamp", _text)
_GoLoader.add_constructor("!reset", _reset)
_GoLoader.add_constructor("!override", _override)
