"""Every key that the models of the settings have, for the documentation and the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from ..settings.base import Model
from ..settings.pods import PodSettings
from .schema import models_in


def model_fields(model: type[Model]) -> Iterator[tuple[str, FieldInfo]]:
    """Fields with their keys, those that all pods share last."""
    inherited = PodSettings.model_fields if model is not PodSettings else {}
    for name, field in sorted(model.model_fields.items(), key=lambda item: item[0] in inherited):
        yield field.alias or name, field


def leaves(
    path: str, field: FieldInfo, block: tuple[str, str] = ("", "")
) -> Iterator[tuple[str, FieldInfo, tuple[str, str]]]:
    """Every key at and below a field: path, field, first and last Kestra version (empty: no last one).

    A key exists in no version in which its block does not.
    """
    extra: dict[str, Any] = field.json_schema_extra  # type: ignore[assignment]
    versions = (
        max(block[0], extra["since"]),
        min(filter(None, (block[1], extra["until"])), default=""),
    )
    one, many = models_in(field.annotation)
    model, at = (one, path) if one else (many, f"{path}.<name>")
    if model is None:
        yield path, field, versions
        return
    for name, inner in model_fields(model):
        yield from leaves(f"{at}.{name}", inner, versions)
    if model.OTHERS is not None:
        for name, inner in model_fields(model.OTHERS):
            yield from leaves(f"{at}.<name>.{name}", inner, versions)
