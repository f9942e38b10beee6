"""`python -m sandbox.plugins.schema_from_sdk PACKAGE OUT CLASS…`: a schema extract from an installed SDK's classes.

For providers whose schema is not at hand; the classes are generated from it and say the same.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from pulumi import _types


def extract(package: str, names: list[str]) -> dict[str, Any]:
    """Token to inputs, required inputs and outputs, as `extract_schema` gives them."""
    sdk = importlib.import_module(f"pulumi_{package}")
    return {
        f"{package}:index/{name[0].lower()}{name[1:]}:{name}": _resource(
            getattr(sdk, name), getattr(sdk, f"{name}Args")
        )
        for name in names
    }


def _resource(resource: type, arguments: type) -> dict[str, Any]:
    parameters = inspect.signature(arguments.__init__).parameters
    inputs: dict[str, Any] = {}
    required = []
    for attribute, name in _types.input_type_py_to_pulumi_names(arguments).items():
        inputs[name] = _type(str(parameters[attribute].annotation)) | {"willReplaceOnChanges": True}
        if parameters[attribute].default is inspect.Parameter.empty:
            required.append(name)
    outputs = {k: {"type": v["type"]} | _inner(v) for k, v in inputs.items()}
    for attribute, member in vars(resource).items():
        if isinstance(member, property) and member.fget is not None:
            name = getattr(member.fget, _types._PULUMI_NAME, attribute)
            outputs.setdefault(name, _type(str(member.fget.__annotations__["return"])))
    secret = re.search(r"additional_secret_outputs=\[([^\]]*)\]", inspect.getsource(resource))
    for name in re.findall(r'"(\w+)"', secret[1]) if secret else []:
        outputs[name]["secret"] = True
    return {"inputs": inputs, "required": sorted(required), "outputs": outputs}


def _inner(declared: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in declared.items() if k == "additionalProperties"}


def _type(annotation: str) -> dict[str, Any]:
    if "Mapping" in annotation:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    for word, kind in (("bool", "boolean"), ("int", "integer"), ("str", "string")):
        if re.search(rf"\b{word}\b", annotation):
            return {"type": kind}
    raise ValueError(f"a type that is not expected here: {annotation}")


if __name__ == "__main__":
    chosen, target, *wanted = sys.argv[1:]
    Path(target).write_text(json.dumps(extract(chosen, wanted), indent=1, sort_keys=True) + "\n")
