"""The arguments of a component as the settings that a stack file would hold.

A value that the program marks as a secret is a `SecretStr`, as an encrypted one of a stack file is. What is not known
before the update stands for itself where a secret may be, and is left out, with its place, anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import pulumi
from pydantic import SecretStr

from ..backends.settings_model import settings_model
from ..settings.base import OPAQUE, Model, PendingSecret
from ..settings.pods import kubernetes_type
from ..validation.catalogue_keys import may_be_secret
from ..validation.schema import Loc, models_in
from ..validation.secret_texts import with_secret_variables
from ..validation.sensitive import takes_secret
from .property_names import CATALOGUE, OTHERS, element_annotation, folded, properties
from .values import UNKNOWN, Special, Value

_ABSENT = object()


class Refused(NamedTuple):
    """What is wrong with an argument before it is one of the settings."""

    place: Loc
    """In the spelling of stack files."""
    message: str
    rule: str
    fix: str


def _output(place: Loc) -> Refused:
    return Refused(
        place,
        "is an output",
        "it decides what is registered, and the value of an output is known only after that",
        "pass the value itself; the plugin, which other languages use, takes an output here too (docs/package.md)",
    )


def _no_value(place: Loc) -> Refused:
    return Refused(
        place,
        "is a resource, a file or another object",
        "an argument is a text, a number, true or false, a list, a map, or an output of these",
        "pass what it stands for, such as the name or the id of the resource",
    )


def _no_keys() -> Refused:
    return Refused(
        (CATALOGUE,),
        "is no map of keys",
        "it takes blocks of Kestra's own file, with their keys",
        "write keys under it, or remove it",
    )


def _twice(place: Loc) -> Refused:
    return Refused(
        place,
        f"stands under {CATALOGUE} too",
        "a key has one value",
        "keep one of them",
    )


@dataclass
class Arguments:
    """The arguments of one component."""

    document: dict[str, Any] = field(default_factory=dict)
    """First-level key to value, as `components.validation.load` takes it."""
    unknown: list[Loc] = field(default_factory=list)
    """Places of values that are not known before the update, in the spelling of stack files."""
    refused: list[Refused] = field(default_factory=list)
    """What is wrong already; the document leaves it out."""
    in_place: Mapping[str, Any] = field(default_factory=dict)
    """The document without the keys of Kestra's that stand in an argument of their own."""


def read_arguments(inputs: Mapping[str, Value]) -> Arguments:
    """The settings among the arguments of a component, which have the names of the schema."""
    reader = _Reader()
    rest = dict(inputs)
    written = next((name for name in rest if folded(name) == CATALOGUE.lower()), CATALOGUE)
    catalogue = rest.pop(written, None)
    in_place: dict[str, Any] = reader.block(rest, settings_model(), (), inherited=False)
    document = in_place
    if catalogue is not None:
        keys = reader.value(catalogue, None, (), inherited=False)
        if isinstance(keys, dict):
            document = reader.merge(document, keys)
        elif keys is not _ABSENT:
            reader.refused.append(_no_keys())
    unknown = [place or (CATALOGUE,) for place in reader.unknown]
    refused = [one if one.place else one._replace(place=(CATALOGUE,)) for one in reader.refused]
    return Arguments(document, unknown, refused, in_place)


class _Reader:
    def __init__(self) -> None:
        self.unknown: list[Loc] = []
        self.refused: list[Refused] = []

    def merge(
        self, document: dict[str, Any], keys: Mapping[str, Any], at: Loc = ()
    ) -> dict[str, Any]:
        """Settings with the keys of Kestra's that stand in an argument of their own."""
        merged = dict(document)
        for name, value in keys.items():
            present, place = merged.get(name, value), (*at, name)
            if isinstance(present, dict) and isinstance(value, Mapping):
                merged[name] = self.merge(present, value, place)
            elif present is value:
                merged[name] = value
            else:
                self.refused.append(_twice(place))
        return merged

    def block(
        self, values: Mapping[str, Value], model: type[Model], at: Loc, *, inherited: bool
    ) -> dict[str, Any]:
        """A block of settings; `inherited`: whether it is a secret as a whole."""
        # The plugin gets the schema's names; a program of Python's own may write any spelling of a key.
        known = {folded(name): (key, one.annotation) for name, key, one in properties(model)}
        block: dict[str, Any] = {}
        for name, value in values.items():
            if name == OTHERS and model.OTHERS is not None and isinstance(value.content, Mapping):
                block |= self._map(value.content, model.OTHERS, at, value.is_secret or inherited)
                continue
            key, annotation = known.get(folded(name), (name, None))
            # Two spellings of a key: the report says so of what stays as it was written.
            key = name if key in block else key
            self._put(block, key, value, annotation, (*at, key), inherited)
        return block

    def _map(
        self, values: Mapping[str, Value], annotation: Any, at: Loc, inherited: bool
    ) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for name, value in values.items():
            self._put(items, name, value, annotation, (*at, name), inherited)
        return items

    def _put(
        self,
        block: dict[str, Any],
        key: str,
        value: Value,
        annotation: Any,
        at: Loc,
        inherited: bool,
    ) -> None:
        if not key.startswith("__"):
            item = self.value(value, annotation, at, inherited=inherited)
            if item is not _ABSENT:
                block[key] = item

    def value(self, value: Value, annotation: Any, at: Loc, *, inherited: bool) -> Any:
        """The value of a key of this type; `inherited`: whether what it is a part of is a secret."""
        annotation = None if annotation is Any else annotation
        takes = takes_secret(annotation) if annotation is not None else _may_be_secret(at)
        content, is_secret = value.content, value.is_secret
        if content is None:
            return _ABSENT
        if content is UNKNOWN:
            if takes:
                return SecretStr(OPAQUE)
            self.unknown.append(at)
            return _ABSENT
        if isinstance(content, pulumi.Output):
            if takes:
                return PendingSecret(content)
            self.refused.append(_output(at))
            return _ABSENT
        if isinstance(content, Special):
            self.refused.append(_no_value(at))
            return _ABSENT
        if is_secret and not isinstance(content, str) and not _may_hold_secret(annotation):
            # Of lists and maps too: what they have would stand readable.
            return SecretStr(OPAQUE)
        if isinstance(content, Mapping):
            whole = inherited or is_secret
            if kubernetes_type(annotation) is not None:
                return self._object(content, at, whole)
            one, many = models_in(annotation)
            if one is not None:
                return self.block(content, one, at, inherited=whole)
            inner = many or element_annotation(annotation)
            return self._map(content, inner, at, whole)
        if isinstance(content, Sequence) and not isinstance(content, str):
            inner = annotation if annotation is None else element_annotation(annotation)
            items = [
                # A list keeps what is nothing, so that reports count as the program does.
                None
                if item.content is None
                else self.value(item, inner, (*at, place), inherited=inherited or is_secret)
                for place, item in enumerate(content)
            ]
            if any(item is _ABSENT for item in items):
                self.unknown.append(at)
                return _ABSENT
            return items
        if isinstance(content, bool):
            return SecretStr(str(content).lower()) if is_secret else content
        if isinstance(content, (int, float)):
            is_whole = isinstance(content, float) and content.is_integer()
            number = int(content) if is_whole else content
            return SecretStr(str(number)) if is_secret else number
        return SecretStr(content) if is_secret or (inherited and takes) else content

    def _object(self, content: Mapping[str, Value], at: Loc, inherited: bool) -> Any:
        """An object of Kubernetes; of a secret one the values of variables are secrets."""
        plain = self._map(content, None, at, inherited=False)
        return with_secret_variables(plain) if inherited else plain


def _may_be_secret(at: Loc) -> bool:
    return bool(at) and may_be_secret(at)


@cache
def _may_hold_secret(annotation: Any) -> bool:
    """Whether a value of this type can be a secret, or have one in it."""
    if annotation is None or annotation is Any or kubernetes_type(annotation) is not None:
        return True
    one, many = models_in(annotation)
    if model := one or many:
        fields = (field.annotation for _, _, field in properties(model))
        return model.OTHERS is not None or any(map(_may_hold_secret, fields))
    inner = element_annotation(annotation)
    return takes_secret(annotation) or (inner is not None and _may_hold_secret(inner))
