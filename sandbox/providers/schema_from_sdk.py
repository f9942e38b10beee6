"""`python -m sandbox.providers.schema_from_sdk PLUGIN`: a plugin's `schema.json` from the installed SDK's classes.

For providers whose schema is not at hand; the classes are generated from it and say the same, but for what
a change replaces. That is in the plugin's `replacing.yaml`: class, as in `secretmanager.Secret`, to the
inputs whose change replaces the resource (`all` for each of them); `rotation.rotationPeriod` is a property
inside one.
"""

from __future__ import annotations

import collections.abc
import enum
import importlib
import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pulumi import Output, _types

_PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string"}


def extract(package: str, replacing: Mapping[str, Any]) -> dict[str, Any]:
    """Token to inputs, required inputs and outputs, as `extract_schema` gives them, and `types`.

    Args:
        package: the SDK without its prefix: `gcp`, `azure_native`.
        replacing: class, with its module, to the inputs that replace, or `all`.

    Raises:
        ValueError: when an input of the table is not one of the class.
    """
    nested: dict[str, Any] = {}
    matches: dict[str, Any] = {}
    for path, replaces in replacing.items():
        module, _, name = f"pulumi_{package}.{path}".rpartition(".")
        sdk = importlib.import_module(module)
        resource = getattr(sdk, name)
        # A resource whose arguments would be called like a part of another one's has `InitArgs`.
        arguments = getattr(sdk, f"{name}InitArgs", None) or getattr(sdk, f"{name}Args")
        matches[resource.pulumi_type] = _resource(resource, arguments, replaces, nested)
    return ({"types": nested} if nested else {}) | matches


def _resource(
    resource: Any, arguments: Any, replaces: Any, nested: dict[str, Any]
) -> dict[str, Any]:
    declared = _object(arguments, nested)
    inputs = declared["properties"]
    names = list(inputs) if replaces == "all" else replaces or []
    for path in names:
        _mark(resource.pulumi_type, path, inputs, nested)
    # The values of outputs are the provider's own; only what the engine is to know of them is kept.
    outputs = {
        name: _outer(_type(annotation, {}))
        for name, annotation in _types.resource_types(resource).items()
        if name not in ("id", "urn")
    } | {name: _outer(value) for name, value in inputs.items() if name != "id"}
    secret = re.search(r"additional_secret_outputs=\[([^\]]*)\]", inspect.getsource(resource))
    for name in re.findall(r'"(\w+)"', secret[1]) if secret else []:
        outputs[name]["secret"] = True
    return {
        "inputs": inputs,
        "required": declared["required"],
        "outputs": outputs,
    }


def _mark(token: str, path: str, inputs: dict[str, Any], nested: dict[str, Any]) -> None:
    declared: Any = None
    within = inputs
    for part in path.split("."):
        if part not in within:
            raise ValueError(f"{token} has no input {path}")
        declared = within[part]
        inner = declared.get("items", declared)
        within = nested.get(inner.get("ref"), {}).get("properties", {})
    declared["willReplaceOnChanges"] = True


def _object(arguments: Any, nested: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(arguments.__init__).parameters
    names = _types.input_type_py_to_pulumi_names(arguments)
    annotations = _types.input_type_types(arguments)
    return {
        "properties": {name: _type(annotations[name], nested) for name in names.values()},
        "required": sorted(
            name
            for attribute, name in names.items()
            if parameters[attribute].default is inspect.Parameter.empty
        ),
    }


def _outer(declared: dict[str, Any]) -> dict[str, Any]:
    if "ref" in declared:
        return {"type": "object"}
    inner = declared.get("additionalProperties", {})
    values = {"additionalProperties": inner} if set(inner) == {"type"} else {}
    return ({"type": declared["type"]} if "type" in declared else {}) | values


def _type(annotation: Any, nested: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _union([_type(a, nested) for a in arguments if not _is_wrapping(a)])
    if origin is collections.abc.Mapping:
        return {"type": "object", "additionalProperties": _type(arguments[1], nested)}
    if origin is collections.abc.Sequence:
        return {"type": "array", "items": _type(arguments[0], nested)}
    if annotation in _PLAIN:
        return {"type": _PLAIN[annotation]}
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return {"type": "string", "enum": [member.value for member in annotation]}
    if inspect.isclass(annotation) and _types.is_input_type(annotation):
        name = f"{annotation.__module__.split('.', 1)[1].removesuffix('._inputs')}.{annotation.__name__}"
        if name not in nested:
            nested[name] = {}  # types may hold themselves
            nested[name].update(_object(annotation, nested))
        return {"ref": name}
    if inspect.isclass(annotation) and _types.is_output_type(annotation):
        return {"type": "object"}
    return {}


def _is_wrapping(annotation: Any) -> bool:
    """Whether it is a way to give a value, not a type of its own."""
    return (
        annotation is type(None)
        or typing.get_origin(annotation) in (collections.abc.Awaitable, Output)
        or annotation is Output
        or typing.is_typeddict(annotation)
    )


def _union(parts: list[dict[str, Any]]) -> dict[str, Any]:
    # A text beside an enumeration is any text: the enumeration is a suggestion.
    kept = [p for p in parts if "enum" not in p or {"type": "string"} not in parts]
    distinct = [p for i, p in enumerate(kept) if p not in kept[:i]]
    if len(distinct) == 1:
        return distinct[0]
    return {} if {} in distinct else {"oneOf": distinct}


if __name__ == "__main__":
    folder = Path(__file__).parent / sys.argv[1]
    table = yaml.safe_load((folder / "replacing.yaml").read_text())
    text = json.dumps(extract(sys.argv[1], table), indent=1, sort_keys=True)
    (folder / "schema.json").write_text(text + "\n")
