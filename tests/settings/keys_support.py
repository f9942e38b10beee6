"""Whether a path names a key of the settings."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel


def has_key(model: type[BaseModel], path: str) -> bool:
    """Whether `secret.vault.root-engine` and the like exist in a model."""
    head, _, rest = path.partition(".")
    for name, field in model.model_fields.items():
        if head in (field.alias, name):
            inner = [m for m in _models(field.annotation) if not rest or has_key(m, rest)]
            return not rest or bool(inner)
    return False


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in get_args(annotation) for model in _models(part)]
