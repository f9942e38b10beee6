"""The settings of a stack file as arguments of a component, for who moves to the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backends.settings_model import settings_model
from ..settings.base import Model, kebab
from ..validation.schema import models_in
from .property_names import CATALOGUE, OTHERS, properties


def to_arguments(document: Mapping[str, Any]) -> dict[str, Any]:
    """First-level settings as arguments in the names of the schema.

    Args:
        document: first-level key (`declared-secrets`) to value, valid settings.
    """
    arguments: dict[str, Any] = {}
    rest = _block(document, settings_model(), arguments)
    return arguments | ({CATALOGUE: rest} if rest else {})


def _block(
    block: Mapping[str, Any], model: type[Model], arguments: dict[str, Any]
) -> dict[str, Any]:
    """Fills the arguments of a block; returns its keys that no argument has, below their own blocks."""
    known = {key: (name, field) for name, key, field in properties(model)}
    rest: dict[str, Any] = {}
    for written, value in block.items():
        key = written if written in known else kebab(written)
        if key not in known and model.OTHERS is not None:
            others = arguments.setdefault(OTHERS, {})
            others[written] = {}
            _block(value, model.OTHERS, others[written])
        elif key not in known:
            rest[written] = value
        else:
            name, field = known[key]
            arguments[name], left = _value(value, field.annotation)
            rest |= {key: left} if left else {}
    return rest


def _value(value: Any, annotation: Any) -> tuple[Any, dict[str, Any]]:
    one, many = models_in(annotation)
    if one is not None and isinstance(value, Mapping):
        arguments: dict[str, Any] = {}
        return arguments, _block(value, one, arguments)
    if many is not None and isinstance(value, Mapping):
        items: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, item in value.items():
            items[name], left = _value(item, many)
            rest |= {name: left} if left else {}
        return items, rest
    return value, {}
