"""The schema of the package, from the models of the settings: `components/package/schema.json`.

Pulumi's own analyzer of component classes is not used. It cannot say that an argument is a secret, knows no choices and
no maps of settings, and reads types only where annotations are no text (pulumi 3.259).
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from .. import __version__
from ..backends.settings_model import settings_model
from ..settings.base import Model
from ..settings.pods import field_type
from ..validation.schema import models_in
from ..validation.sensitive import is_sensitive
from .component import PACKAGE, PackageComponent
from .components import COMPONENTS
from .interfaces import OBJECT_TYPES
from .property_names import CATALOGUE, OTHERS, element_annotation, properties
from .property_types import ObjectType, Property

FILE = Path(__file__).parent / "schema.json"

_ANY = {"$ref": "pulumi.json#/Any"}
_CATALOGUE_TEXT = (
    "Keys of Kestra's that are no arguments of their own, as docs/catalogue.md has them: root key to what stands below "
    "it, in the spelling of Kestra's file."
)


@cache
def _package_schema() -> dict[str, Any]:
    return _Generator().package()


def package_schema() -> dict[str, Any]:
    """The schema as Pulumi's metaschema has it."""
    return _package_schema()


@cache
def argument_names(component: type[PackageComponent]) -> frozenset[str]:
    """The arguments of a component that are settings, in the schema's names."""
    chosen = component.SETTINGS
    names = {
        name for name, key, _ in properties(settings_model()) if chosen is None or key in chosen
    }
    return frozenset(names | ({CATALOGUE} if chosen is None else set()))


class _Generator:
    """Collects the types of objects while the components are described."""

    def __init__(self) -> None:
        self._types: dict[str, Any] = {}

    def package(self) -> dict[str, Any]:
        resources = {one.token(): self._component(one) for one in COMPONENTS.values()}
        return {
            "name": PACKAGE,
            "displayName": "Kestra platform",
            "version": __version__,
            "description": "Kestra's secrets and security, its secret manager, and its deployment on Kubernetes.",
            "keywords": ["pulumi", "kestra", "kubernetes", "category/infrastructure", "kind/component"],
            "license": "Apache-2.0",
            "config": {},
            "provider": {"description": "Has no configuration: the providers of the resources are those of the program."},
            "types": dict(sorted(self._types.items())),
            "resources": resources,
            "language": {
                "csharp": {"respectSchemaVersion": True},
                "go": {"respectSchemaVersion": True, "generateResourceContainerTypes": False},
                "java": {},
                "nodejs": {"respectSchemaVersion": True},
                "python": {"respectSchemaVersion": True, "pyproject": {"enabled": True}},
            },
        }  # fmt: skip

    def _component(self, component: type[PackageComponent]) -> dict[str, Any]:
        known = argument_names(component)
        inputs = {
            name: self._setting(field)
            for name, _, field in properties(settings_model())
            if name in known
        }
        if CATALOGUE in known:
            inputs[CATALOGUE] = _map_of(_ANY) | {"description": _CATALOGUE_TEXT}
        inputs |= {name: self._property(one) for name, one in component.ARGUMENTS.items()}
        outputs = {name: self._property(one) for name, one in component.OUTPUTS.items()}
        return {
            "isComponent": True,
            "description": " ".join((component.__doc__ or "").split()),
            "inputProperties": inputs,
            "properties": outputs,
            "required": sorted(n for n, one in component.OUTPUTS.items() if one.is_required),
        }

    def _property(self, one: Property) -> dict[str, Any]:
        schema = self._named(one.type)
        return schema | {"description": one.text} | ({"secret": True} if one.is_secret else {})

    def _named(self, name: str) -> dict[str, Any]:
        if name == "map":
            return _map_of({"type": "string"})
        if name == "list":
            return {"type": "array", "items": {"type": "string"}}
        if name not in OBJECT_TYPES:
            return {"type": name}
        token = f"{PACKAGE}:index:{name}"
        if token not in self._types:
            self._types[token] = self._object(OBJECT_TYPES[name])
        return {"$ref": f"#/types/{token}"}

    def _object(self, one: ObjectType) -> dict[str, Any]:
        fields = {name: self._property(field) for name, field in one.properties.items()}
        return {"type": "object", "description": one.text, "properties": fields}

    def _setting(self, field: FieldInfo) -> dict[str, Any]:
        schema = self._type_of(field) | {"description": _description(field)}
        return schema | ({"secret": True} if is_sensitive(field.annotation) else {})

    def _type_of(self, field: FieldInfo) -> dict[str, Any]:
        if field_type(field) is not None:
            many = get_origin(field.annotation) is tuple
            return {"type": "array", "items": _map_of(_ANY)} if many else _map_of(_ANY)
        return self._type(field.annotation)

    def _type(self, annotation: Any) -> dict[str, Any]:
        one, many = models_in(annotation)
        if one is not None:
            return self._model(one)
        if many is not None:
            return _map_of(self._model(many))
        parts = [part for part in get_args(annotation) if part is not type(None)]
        origin = get_origin(annotation)
        if origin in (Union, types.UnionType):
            # A text that may be a secret, and an amount with or without a unit, are texts.
            return {"type": "string"} if len(parts) > 1 else self._type(parts[0])
        if origin is Literal:
            return {"type": "integer" if isinstance(parts[0], int) else "string"}
        if origin is dict:
            return _map_of(self._type(element_annotation(annotation)))
        if origin is tuple:
            return {"type": "array", "items": self._type(parts[0])}
        if origin is not None:
            return self._type(parts[0])
        if annotation is Any:
            return dict(_ANY)
        simple = {bool: "boolean", int: "integer", str: "string", SecretStr: "string"}
        return {"type": simple[annotation]}

    def _model(self, model: type[Model]) -> dict[str, Any]:
        token = f"{PACKAGE}:index:{model.__name__}"
        if token not in self._types:
            self._types[token] = {}  # Its own fields may lead back to it.
            fields = {name: self._setting(field) for name, _, field in properties(model)}
            if model.OTHERS is not None:
                text = "Name to the same for keys that are no arguments of their own."
                fields[OTHERS] = _map_of(self._model(model.OTHERS)) | {"description": text}
            required = sorted(n for n, _, field in properties(model) if field.is_required())
            self._types[token] = {
                "type": "object",
                "description": " ".join((model.__doc__ or "").split()),
                "properties": fields,
                **({"required": required} if required else {}),
            }
        return {"$ref": f"#/types/{token}"}


def _map_of(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": dict(items)}


def _description(field: FieldInfo) -> str:
    extra: Any = field.json_schema_extra
    choices = _choices(field.annotation)
    return " ".join(
        filter(
            None,
            (
                field.description or "",
                f"One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else "",
                f"Unit: {extra['unit']}." if extra["unit"] else "",
                _default(field),
                f"Kestra {extra['since']} and later." if extra["since"] != "1.3" else "",
                f"Until Kestra {extra['until']}." if extra["until"] else "",
                f"Source: {extra['source']}.",
            ),
        )
    )


def _choices(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    parts = [part for part in get_args(annotation) if part is not type(None)]
    is_option = get_origin(annotation) in (Union, types.UnionType) and len(parts) == 1
    return _choices(parts[0]) if is_option else ()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)  # type: ignore[call-arg]
    if value in (None, "", (), {}) or value is PydanticUndefined or isinstance(value, Model):
        return ""
    shown = str(value).lower() if isinstance(value, bool) else value
    if isinstance(value, (tuple, dict)):
        shown = ", ".join(map(str, value))
    return f"Default: {shown}."
