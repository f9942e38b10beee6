"""The arguments of a component as the settings that a stack file would hold.

A value that the program marks as a secret is a `SecretStr`, as an encrypted one of a stack file is. What is not known
before the update stands for itself where a secret may be, and is left out, with its place, anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pydantic import SecretStr

from ..backends.settings_model import settings_model
from ..settings.base import OPAQUE, Model, PendingSecret
from ..settings.pods import kubernetes_type
from ..validation.catalogue_keys import may_be_secret
from ..validation.schema import Loc, models_in
from ..validation.secret_texts import with_secret_variables
from ..validation.sensitive import takes_secret
from .property_names import CATALOGUE, OTHERS, element_annotation, properties
from .values import UNKNOWN, Value

_ABSENT = object()
#: Stands for what no setting can be: a file, or a resource in place of its output.
_NO_VALUE = {"asset": True}


@dataclass
class Arguments:
    """The arguments of one component."""

    document: dict[str, Any] = field(default_factory=dict)
    """First-level key to value, as `components.validation.load` takes it."""
    unknown: list[Loc] = field(default_factory=list)
    """Places of values that are not known before the update, in the spelling of stack files."""
    outputs: list[Loc] = field(default_factory=list)
    """Places where an output stands and only a plain value can, since it decides what is registered."""


def read_arguments(inputs: Mapping[str, Value]) -> Arguments:
    """The settings among the arguments of a component, which have the names of the schema."""
    reader = _Reader()
    rest = dict(inputs)
    written = next((name for name in rest if _folded(name) == CATALOGUE.lower()), CATALOGUE)
    catalogue = rest.pop(written, None)
    document: dict[str, Any] = reader.block(rest, settings_model(), (), inherited=False)
    if catalogue is not None:
        keys = reader.value(catalogue, None, (), inherited=False)
        if not isinstance(keys, dict):
            keys = {CATALOGUE: keys}
        document = _merged(document, keys)
    return Arguments(document, reader.unknown, reader.outputs)


def _merged(document: dict[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(document)
    for name, value in keys.items():
        present = merged.get(name)
        if isinstance(present, dict) and isinstance(value, Mapping):
            merged[name] = _merged(present, value)
        else:
            merged[name] = value
    return merged


class _Reader:
    def __init__(self) -> None:
        self.unknown: list[Loc] = []
        self.outputs: list[Loc] = []

    def block(
        self, values: Mapping[str, Value], model: type[Model], at: Loc, *, inherited: bool
    ) -> dict[str, Any]:
        """A block of settings; `inherited`: whether it is a secret as a whole."""
        # The plugin gets the schema's names; a program of Python's own may write any spelling of a key.
        known = {_folded(name): (key, one.annotation) for name, key, one in properties(model)}
        block: dict[str, Any] = {}
        for name, value in values.items():
            if name == OTHERS and model.OTHERS is not None and isinstance(value.content, Mapping):
                block |= self._map(value.content, model.OTHERS, at, value.is_secret or inherited)
                continue
            key, annotation = known.get(_folded(name), (name, None))
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
            self.outputs.append(at)
            return _ABSENT
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
                self.value(item, inner, (*at, place), inherited=inherited or is_secret)
                for place, item in enumerate(content)
            ]
            return [item for item in items if item is not _ABSENT]
        if isinstance(content, bool):
            return SecretStr(str(content).lower()) if is_secret else content
        if isinstance(content, (int, float)):
            number = int(content) if float(content).is_integer() else content
            return SecretStr(str(number)) if is_secret else number
        if isinstance(content, str):
            return SecretStr(content) if is_secret or (inherited and takes) else content
        return dict(_NO_VALUE)

    def _object(self, content: Mapping[str, Value], at: Loc, inherited: bool) -> Any:
        """An object of Kubernetes; of a secret one the values of variables are secrets."""
        plain = self._map(content, None, at, inherited=False)
        return with_secret_variables(plain) if inherited else plain


def _may_be_secret(at: Loc) -> bool:
    return bool(at) and may_be_secret(at)


def _folded(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()
