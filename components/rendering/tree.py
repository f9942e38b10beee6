"""Settings models -> plain mappings with Kestra's key names, only what the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from .leaves import Node


def tree(model: BaseModel) -> dict[str, Node]:
    """The fields that were set, in the model's order, under their kebab-case names; then the other keys."""
    fields = {
        field.alias or name.replace("_", "-"): _node(getattr(model, name))
        for name, field in type(model).model_fields.items()
        if name in model.model_fields_set and getattr(model, name) is not None
    }
    return fields | {name: _node(value) for name, value in (model.model_extra or {}).items()}


def plain(keys: Mapping[str, Any]) -> dict[str, Node]:
    """Keys of Kestra's that no model has, as plain mappings and lists."""
    return {name: _node(value) for name, value in keys.items()}


def _node(value: Any) -> Node:
    if isinstance(value, BaseModel):
        return tree(value)
    if isinstance(value, Mapping):
        return {str(key): _node(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_node(item) for item in value]
    if isinstance(value, (str, bool, int, float, SecretStr)):
        return value
    raise TypeError(f"a setting of type {type(value).__name__} has no form in YAML")
