"""docs/settings.md, from the models."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from components.backends.settings_model import settings_model
from components.catalogue import CatalogueKey, catalogue, segments
from components.settings.durations import FORMS
from components.settings.pods import field_type
from components.validation.model_keys import leaves, model_fields
from components.validation.sensitive import takes_secret
from docsgen.templates import render


def page() -> str:
    """The reference as Markdown."""
    return render(
        "settings.md.jinja",
        durations=FORMS,
        settings=model_fields(settings_model()),
        rows=lambda name, field: (_row(*leaf) for leaf in leaves(name, field)),
        catalogue=_catalogue(),
    )


def _catalogue() -> Iterator[tuple[str, list[int]]]:
    """First-level settings with the numbers of their keys that no model has: all, 1.3, 2.0, Enterprise."""
    keys: dict[str, list[CatalogueKey]] = {}
    for key in catalogue():
        if not key.owner:
            parts = segments(key.key)
            keys.setdefault(parts[1] if parts[0] == "kestra" else parts[0], []).append(key)
    for name, below in sorted(keys.items()):
        counts = [sum(key.is_in(version) for key in below) for version in ("1.3", "2.0")]
        yield name, [len(below), *counts, sum(key.edition == "enterprise" for key in below)]


def _row(path: str, field: FieldInfo, versions: tuple[str, str]) -> str:
    extra: dict[str, Any] = field.json_schema_extra  # type: ignore[assignment]
    unit = f" ({extra['unit']})" if extra["unit"] else ""
    since, until = versions
    known = f"until {until}" if until else f"{since}+"
    text = f"{field.description} *{extra['source']}*".replace("|", "\\|")
    return f"| `{path}` | {type_text(field)}{unit} | {default_text(field)} | {known} | {text} |"


def type_text(field: FieldInfo) -> str:
    """What a setting may be, as its cell of the table has it."""
    if (object_type := field_type(field)) is None:
        return _type(field.annotation)
    many = "list of " if get_origin(field.annotation) is tuple else ""
    return f"{many}Kubernetes {object_type.name}"


def _type(annotation: Any) -> str:
    if annotation is SecretStr:
        return "**secret**"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if str in arguments and SecretStr in arguments:
        return "text or secret"
    if str in arguments and int in arguments:
        return "number or text"
    if origin in (Union, types.UnionType):
        return _type(next(a for a in arguments if a is not type(None)))
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin is dict:
        return "map of text or secret" if takes_secret(arguments[1]) else "map"
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is not None and arguments:
        return _type(arguments[0])
    return {str: "text", int: "number", bool: "true/false"}.get(annotation, "text")


def default_text(field: FieldInfo) -> str:
    """What a setting is when it is not written, as its cell of the table has it; empty for nothing."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)  # type: ignore[call-arg]
    if value is None or value == "" or value is PydanticUndefined:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, dict)):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"
