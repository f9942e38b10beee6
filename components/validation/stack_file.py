"""The settings of a stack file as they are written: its YAML, bounded, with what is encrypted marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from ..settings.base import OPAQUE
from ..settings.report import Problem, SettingsError
from .environments import names_of
from .schema import printable_key
from .yaml_scalars import resolve_as_pulumi

NAMESPACE = "kestra:"


@dataclass(frozen=True)
class StackFile:
    """The block `config` of a stack file as YAML reads it, and where its keys stand."""

    source: str
    config: Mapping[Any, Any]
    document: yaml.Node | None
    environments: tuple[str, ...] = ()
    """Environments of Pulumi ESC that the file names."""
    outside: tuple[Problem, ...] = ()
    """A warning of settings that do not stand under `config`, where Pulumi passes over them."""

    @cached_property
    def _names(self) -> dict[int, dict[str, tuple[yaml.Node, yaml.Node]]]:
        return {}

    def option(self, key: str) -> str | None:
        """An option of a provider, with its namespace (`aws:region`); None where the file has none, or not in clear."""
        value = self.config.get(key)
        return value if isinstance(value, str) else None

    def line_of(self, path: str) -> int | None:
        """The line of a key, which begins with 1; None where the file does not have it.

        Args:
            path: as a report writes it: `kestra:server.basic-auth.open-urls[0]`.
        """
        for key, block in (
            self.document.value if isinstance(self.document, yaml.MappingNode) else ()
        ):
            if key.value == "config":
                return self._line_in(block, path, is_first=True)
        return None

    def with_lines(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The problems with the lines of their keys."""
        return tuple(replace(p, line_number=self.line_of(p.path)) for p in problems)

    def _line_in(self, node: yaml.Node, path: str, *, is_first: bool = False) -> int | None:
        if isinstance(node, yaml.SequenceNode) and (match := re.match(r"\[([0-9]{1,9})\]", path)):
            items = node.value[int(match[1]) :][:1]
            return self._line_at(items[0], items[0], path[match.end() :]) if items else None
        if not isinstance(node, yaml.MappingNode):
            return None
        if id(node) not in self._names:
            self._names[id(node)] = {str(pair[0].value): pair for pair in node.value}
        names = self._names[id(node)]
        for match in _NAME_END.finditer(path, 1):
            written, rest = path[: match.start()], path[match.start() :]
            if not is_first:
                written = written[2:-2] if written.startswith('["') else written[1:]
            pair = names.get(written)
            if pair is None and is_first:
                pair = names.get(written.removeprefix(NAMESPACE))
            if pair is not None and (line := self._line_at(*pair, rest)) is not None:
                return line
        return None

    def _line_at(self, key: yaml.Node, value: yaml.Node, rest: str) -> int | None:
        return self._line_in(value, rest) if rest else key.start_mark.line + 1


#: Where a name can end within a path; a name may hold these characters itself.
_NAME_END = re.compile(r"(?=[.\[])|$")


def read_file(path: Path | str) -> dict[str, object]:
    """The first-level settings of a stack file; an encrypted value is a `SecretStr` of `OPAQUE`.

    Raises:
        SettingsError: for a file that is missing, no YAML, or has no usable `config`.
    """
    return settings_of(read_stack_file(path))


def read_stack_file(path: Path | str) -> StackFile:
    """A stack file, with what is written under `config`.

    Raises:
        SettingsError: for a file that is missing, no YAML, or has no usable `config`.
    """
    source = str(path)
    try:
        if Path(path).stat().st_size > _MOST_BYTES:
            what = f"has more than {_MOST_BYTES:,} bytes"
            raise SettingsError([file_problem(source, what, "keep large values outside")])
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            [file_problem(source, "does not exist", "name an existing stack file")]
        ) from None
    except (OSError, ValueError):
        # Of a name with a NUL, and of bytes that are no text.
        raise SettingsError(
            [file_problem(source, "cannot be read as text", "name a readable file")]
        ) from None
    try:
        loader = BoundedLoader(text)
        node = loader.get_single_node()
        document = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        what = (
            f"has the key {error.key} twice"
            if isinstance(error, DuplicateKeyError)
            else "is no valid YAML"
        )
        raise SettingsError([file_problem(source, what + where, "correct the line")]) from None
    except RecursionError:
        raise SettingsError(
            [file_problem(source, "is nested too deeply, or merges without end", "flatten it")]
        ) from None
    except ValueError:
        raise SettingsError(
            [file_problem(source, "has a value that is no YAML", "correct it")]
        ) from None
    if document is None:
        document = {}
    config = document.get("config") if isinstance(document, dict) else None
    outside = _outside(document, source) if isinstance(document, dict) else ()
    if config is None and isinstance(document, dict):
        # The program would get no setting at all, and complain of that.
        if outside:
            raise SettingsError([replace(one, severity="error") for one in outside])
        config = {}
    if not isinstance(config, dict):
        raise SettingsError(
            [file_problem(source, "has no block `config`", "write the settings under config:")]
        )
    written = document.get("environment") if isinstance(document, dict) else None
    return StackFile(source, config, node, names_of(written, source), outside)


def _outside(document: Mapping[Any, Any], source: str) -> tuple[Problem, ...]:
    names = [name for name in document if isinstance(name, str) and name.startswith(NAMESPACE)]
    if not names:
        return ()
    shown = ", ".join(map(printable_key, names[:3])) + (" and others" if len(names) > 3 else "")
    what = f"does not have {shown} under config, and Pulumi passes over what stands beside it"
    problem = file_problem(source, what, "write config: above the settings, and indent them")
    return (replace(problem, severity="warning"),)


def settings_of(file: StackFile) -> dict[str, object]:
    """The first-level settings of a stack file (see `read_file`)."""
    source, config = file.source, file.config
    settings: dict[str, object] = {}
    for name, value in config.items():
        if not isinstance(name, str) or name.startswith(NAMESPACE) or ":" not in name:
            # Pulumi takes any other key for a text.
            short = name.removeprefix(NAMESPACE) if isinstance(name, str) else printable_key(name)
            if short in settings:
                what = f"has the key {short} with and without its namespace"
                raise SettingsError([file_problem(source, what, "keep one of them")])
            try:
                settings[short] = mark_encrypted(value)
            except RecursionError:
                what = f"has an alias inside itself, or aliases without end, under {short}"
                raise SettingsError([file_problem(source, what, "write the value out")]) from None
    return settings


def file_problem(source: str, message: str, fix: str) -> Problem:
    """What is wrong with a stack file as a whole."""
    return Problem("config", source, message, "a stack file is YAML with a block config", fix)


#: Bytes of a stack file; reading that much YAML takes many seconds. 3,000 encrypted secrets are 650,000.
_MOST_BYTES = 1024 * 1024
#: Brackets within brackets; the deepest setting is seven blocks down.
_DEEPEST = 100
#: Values of one first-level key, aliases written out; beyond it the file is a bomb, not settings.
_MOST_VALUES = 100_000


def mark_encrypted(value: Any, left: list[int] | None = None) -> Any:
    """A value of a stack file with each `secure:` in it as a `SecretStr`.

    Raises:
        RecursionError: when it has more values than settings can have.
    """
    left = [_MOST_VALUES] if left is None else left
    left[0] -= 1
    if left[0] < 0:
        raise RecursionError
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return SecretStr(OPAQUE)
        return {key: mark_encrypted(item, left) for key, item in value.items()}
    if isinstance(value, list):
        return [mark_encrypted(item, left) for item in value]
    return value


class DuplicateKeyError(yaml.YAMLError):
    def __init__(self, key: str, mark: Any) -> None:
        super().__init__()
        self.key, self.problem_mark = key, mark


class BoundedLoader(yaml.SafeLoader):
    """Refuses a key that is written twice, where YAML would keep the last one silently, and merges without end."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803
        # Reading brackets within brackets takes the square of their number.
        if self.flow_level >= _DEEPEST:
            raise RecursionError
        super().fetch_flow_collection_start(TokenClass)

    def flatten_mapping(self, node: Any) -> None:
        merged = [
            block
            for key_node, value in node.value
            if key_node.tag == "tag:yaml.org,2002:merge"
            for block in (value.value if isinstance(value, yaml.SequenceNode) else [value])
            if isinstance(block, yaml.MappingNode)
        ]
        for block in merged:
            self.flatten_mapping(block)
        # YAML writes out what is merged: ten blocks that each merge ten are a bomb.
        if sum(len(block.value) for block in merged) > _MOST_VALUES:
            raise RecursionError
        super().flatten_mapping(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                if key_node.value in seen:
                    raise DuplicateKeyError(key_node.value, key_node.start_mark)
                seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


resolve_as_pulumi(BoundedLoader)
