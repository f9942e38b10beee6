"""Objects of Kubernetes inside the settings: their fields, types and values, as the API server will judge them.

Names and types are Kubernetes' own, from kubernetes_types.json (`python -m components.validation.kubernetes_types`).
What the API's validation adds to them stands in `components.validation.kubernetes_values`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ..settings.base import kebab
from ..settings.findings import Finding, Kind
from ..settings.pods import KubernetesType
from ..settings.references import UnreadValue
from . import kubernetes_values
from .schema import (
    ENCRYPTED,
    LONG_NAME,
    Canonical,
    KeySpelling,
    LeftOut,
    Loc,
    encrypted_fix,
    printable_key,
)

_TYPES = Path(__file__).with_name("kubernetes_types.json")
#: A value that is wrong and has been reported, or is not there.
_ABSENT = object()
#: A field that may be encrypted in the stack file.
_SECRET = ("EnvVar", "value")


@cache
def types() -> dict[str, dict[str, str]]:
    """Name of a type to its fields, each with its type (see `components.validation.kubernetes_types`)."""
    return json.loads(_TYPES.read_text(encoding="utf-8"))["types"]


@cache
def _by_spelling(type_: str) -> dict[str, str]:
    """Field of a type in kebab-case to its name."""
    return {kebab(field): field for field in types()[type_]}


def canonicalize_objects(
    type_: KubernetesType, value: Any, spelling: KeySpelling, loc: Loc
) -> Iterator[Finding | LeftOut | Canonical]:
    """Yields what is wrong with a setting of Kubernetes' form, and last the value in camelCase.

    What is wrong is left out of the value. A value that is neither object nor list stays, for the model to refuse.

    Args:
        type_: of the object, or of those in the list.
        value: as it is written; an encrypted one is a `SecretStr`.
        spelling: takes how each key is written.
        loc: where it stands.
    """
    reader = _Reader(spelling)
    clean: Any = value
    if isinstance(value, list):
        clean = [
            {} if item is _ABSENT else item
            for item in (reader.read(type_.name, item, (*loc, i)) for i, item in enumerate(value))
        ]
    elif isinstance(value, Mapping):
        clean = reader.read(type_.name, value, loc)
    yield from reader.problems
    yield from reader.left_out
    yield Canonical(clean)


class _Reader:
    """Reads values by their types and keeps what is wrong with them."""

    def __init__(self, spelling: KeySpelling) -> None:
        self._spelling = spelling
        self.problems: list[Finding] = []
        self.left_out: list[LeftOut] = []

    def _refuse(self, loc: Loc, what: str, rule: str, fix: str, kind: Kind = "value") -> object:
        self.problems.append(Finding(loc, what, rule, fix, kind=kind))
        return _ABSENT

    def read(self, type_: str, value: Any, loc: Loc, *, may_be_secret: bool = False) -> Any:
        """The value in camelCase; `_ABSENT` where it is wrong, which is kept as a problem."""
        if isinstance(value, SecretStr):
            if may_be_secret:
                return value
            if isinstance(value, UnreadValue):
                self.left_out.append(LeftOut(loc))
                return _ABSENT
            is_block = type_[0] in "[{" or type_ in types()
            fix = encrypted_fix(self._spelling.place(loc), is_block=is_block)
            return self._refuse(loc, *ENCRYPTED, fix)
        if type_.startswith("["):
            return self._list(type_[1:-1], value, loc)
        if type_.startswith("{"):
            return self._map(type_[1:-1], value, loc)
        if type_ in types():
            return self._object(type_, value, loc)
        return self._scalar(type_, value, loc)

    def _list(self, type_: str, value: Any, loc: Loc) -> Any:
        if not isinstance(value, list):
            rule, fix = "this key takes a list", "write a YAML list"
            return self._refuse(loc, "is not a list", rule, fix, "not-a-list")
        items = [self.read(type_, item, (*loc, i)) for i, item in enumerate(value)]
        if type_ in types():
            # What follows keeps its position, which the report names.
            return [{} if item is _ABSENT else item for item in items]
        return [item for item in items if item is not _ABSENT]

    def _map(self, type_: str, value: Any, loc: Loc) -> Any:
        if not isinstance(value, Mapping):
            return self._refuse(loc, *kubernetes_values.NO_BLOCK)
        clean: dict[str, Any] = {}
        for written, item in value.items():
            # Pulumi makes a text of every key.
            name = _key_text(written)
            if name is None:
                at = (*loc, printable_key(written))
                self._refuse(at, "is no text key", "keys are text", "write it in quotes")
                continue
            read = self.read(type_, item, (*loc, name))
            if read is not _ABSENT:
                clean[name] = read
        return clean

    def _object(self, type_: str, value: Any, loc: Loc) -> Any:
        if not isinstance(value, Mapping):
            return self._refuse(loc, *kubernetes_values.NO_BLOCK)
        fields, by_spelling = types()[type_], _by_spelling(type_)
        clean: dict[str, Any] = {}
        written_fields: dict[str, None] = {}
        meant: set[str] = set()
        for written, item in value.items():
            text = printable_key(written)
            field = by_spelling.get(kebab(text[:LONG_NAME]))
            if field is None:
                near = _nearest(type_, text)
                meant.add(near)
                self._refuse((*loc, text), *_unknown(type_, text, near))
                continue
            at = (*loc, field)
            if field in written_fields:
                other = self._spelling.path(at)
                what = f"is written twice, as {other} too"
                self._refuse((*loc, text), what, "one spelling a key", "keep one of them")
                continue
            self._spelling.note(at, text)
            if item is None:
                continue
            written_fields[field] = None
            read = self.read(
                fields[field].removesuffix("!"), item, at, may_be_secret=(type_, field) == _SECRET
            )
            if read is _ABSENT:
                continue
            if problem := kubernetes_values.field_problem(type_, field, read):
                self._refuse(at, *problem)
                continue
            clean[field] = read
        for field in kubernetes_values.required(type_, fields):
            if field not in written_fields and field not in meant:
                rule = f"a Kubernetes {type_} has {field}"
                self._refuse((*loc, field), "is missing", rule, "add it")
        for path, what, rule, fix in kubernetes_values.relations(
            type_, fields, written_fields, clean
        ):
            self._refuse((*loc, *path), what, rule, fix)
        return clean

    def _scalar(self, type_: str, value: Any, loc: Loc) -> Any:
        # Pulumi hands 1.0 on as 1.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        match type_:
            case "text" if isinstance(value, str):
                return value
            case "int" if is_whole:
                return value
            case "number" if is_whole or isinstance(value, float):
                return value
            case "flag" if isinstance(value, bool) or value in ("true", "false"):
                return value in (True, "true")
            case "int-or-text" if is_whole or isinstance(value, str):
                return value
            case "quantity" if is_whole or isinstance(value, (str, float)):
                if kubernetes_values.QUANTITY.fullmatch(str(value)):
                    return str(value)
                return self._refuse(loc, *kubernetes_values.NO_QUANTITY)
            case "any":
                return value
        what, fix = kubernetes_values.KINDS[type_]
        return self._refuse(loc, f"is not {what}", f"this key takes {what}", fix)


def _key_text(key: Any) -> str | None:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (str, int)):
        return printable_key(key)
    return None


def _nearest(type_: str, written: str) -> str:
    """The field that is spelled most like a text; empty where none is."""
    known = _by_spelling(type_)
    near = difflib.get_close_matches(kebab(written[:LONG_NAME]), known, n=1, cutoff=0.6)
    return known[near[0]] if near else ""


def _unknown(type_: str, written: str, near: str) -> tuple[str, str, str]:
    names = ", ".join(types()[type_])
    fix = f"remove it, or use one of {names}"
    if near:
        fix = f"did you mean {kebab(near) if '-' in written else near}"
    return (f"is no field of a Kubernetes {type_}", "the API server refuses an unknown field", fix)
