"""`python -m components.settings.reference`: writes docs/settings.md from the models."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from components.catalogue import CatalogueKey, catalogue, segments
from components.settings.base import Model
from components.settings.durations import FORMS
from components.settings.model import Settings
from components.settings.pods import PodSettings, field_type
from components.validation.schema import models_in
from components.validation.sensitive import takes_secret

TARGET = Path(__file__).parents[2] / "docs" / "settings.md"

INTRODUCTION = f"""# Settings

Written from the models by `python -m components.settings.reference`; do not edit.

A setting is written under `kestra:` in `stacks/Pulumi.<stack>.yaml`, with Kestra's own keys. camelCase is
accepted too. Keys marked **secret** are set with `pulumi config set --path --secret`, or hold exactly one
`${{NAME}}` that Kestra resolves from its environment. What is marked as text or secret takes either: encrypted, it is
kept in the stack's Secret and stands in clear nowhere. No other value of these tables may be encrypted. A duration is
{FORMS}. `python -m components check FILE` reports every problem of a file at once.

Every other key of Kestra's that [docs/catalogue.md](catalogue.md) speaks of is a setting too: see
[Keys of the catalogue](#keys-of-the-catalogue).
"""

CATALOGUE = """
## Keys of the catalogue

Keys that Kestra reads and for which this project needs no model of its own. They are checked against the types of
`components/catalogue/keys.tsv`, rendered as they are written, and refused where a version or an edition does not have
them. `kestra:<key>` is the key `kestra.<key>` of Kestra's file, or the root key of that name; of `tasks` and `grpc`,
which are both, the one below `kestra` counts where it exists. A value of any of them may be encrypted, also in a list or
a map: it is kept in the stack's Secret. So is a text in clear that holds a credential, with a warning that names the
command which encrypts it. Below a map everything is allowed, with its keys as they are written.

What neither these tables nor the catalogue have can stand under `kestra:additional-configuration`, root key by root key;
Kestra gets it unchecked.

| setting | keys | 1.3 | 2.0 | Enterprise |
|---|---|---|---|---|
"""


def reference() -> str:
    """The reference as Markdown."""
    sections = "".join(_section(name, field) for name, field in _fields(Settings))
    return INTRODUCTION + sections + CATALOGUE + "".join(_catalogue_rows())


def _catalogue_rows() -> Iterator[str]:
    """First-level settings with the number of their keys that no model has."""
    keys: dict[str, list[CatalogueKey]] = {}
    for key in catalogue():
        if not key.owner:
            parts = segments(key.key)
            keys.setdefault(parts[1] if parts[0] == "kestra" else parts[0], []).append(key)
    for name, below in sorted(keys.items()):
        counts = [sum(key.is_in(version) for key in below) for version in ("1.3", "2.0")]
        enterprise = sum(key.edition == "enterprise" for key in below)
        numbers = " | ".join(str(n) for n in (len(below), *counts, enterprise))
        yield f"| `kestra:{name}` | {numbers} |\n"


def _fields(model: type[Model]) -> Iterator[tuple[str, FieldInfo]]:
    """Fields with their keys, those that all pods share last."""
    inherited = PodSettings.model_fields if model is not PodSettings else {}
    for name, field in sorted(model.model_fields.items(), key=lambda item: item[0] in inherited):
        yield field.alias or name, field


def _section(name: str, field: FieldInfo) -> str:
    rows = [_row(path, leaf, versions) for path, leaf, versions in leaves(name, field)]
    head = "| key | type | default | Kestra | meaning |\n|---|---|---|---|---|\n"
    return f"\n## `kestra:{name}`\n\n{field.description}\n\n{head}{''.join(rows)}"


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
    for name, inner in _fields(model):
        yield from leaves(f"{at}.{name}", inner, versions)
    if model.OTHERS is not None:
        for name, inner in _fields(model.OTHERS):
            yield from leaves(f"{at}.<name>.{name}", inner, versions)


def _row(path: str, field: FieldInfo, versions: tuple[str, str]) -> str:
    extra: dict[str, Any] = field.json_schema_extra  # type: ignore[assignment]
    unit = f" ({extra['unit']})" if extra["unit"] else ""
    since, until = versions
    known = f"until {until}" if until else f"{since}+"
    text = f"{field.description} *{extra['source']}*".replace("|", "\\|")
    return f"| `{path}` | {_field_type(field)}{unit} | {_default(field)} | {known} | {text} |\n"


def _field_type(field: FieldInfo) -> str:
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


def _default(field: FieldInfo) -> str:
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


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
