"""Writes down what the project's program registers for a stack file, for the bare program to register.

`python -m benchmarks.record STACK-FILE FILE`
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import pulumi

from benchmarks.bare import REFERENCE, SECRET
from components.validation.loader import read_file
from tests.components.inventory_support import SECRET_MARK
from tests.components.recording_support import run

#: Options that the bare program sets; another one would make it another program.
_OPTIONS = ("ignoreChanges", "deleteBeforeReplace", "customTimeouts", "deletedWith", "import")


def record(stack_file: Path, file: Path) -> int:
    """Records the resources of a stack file; their number."""
    registered = run(read_file(stack_file)).registered
    custom = {
        urn: registration for urn, registration in registered.items() if registration[0].custom
    }
    kinds = _classes({request.type for request, _ in custom.values()})
    outputs = {urn: _unknowable(*registration) for urn, registration in custom.items()}
    resources: list[dict[str, Any]] = []
    for urn, (request, inputs) in custom.items():
        for option in _OPTIONS:
            if hasattr(request, option) and _is_set(request, option):
                raise ValueError(f"{request.name} has the option {option}")
        after = [other for other in dict.fromkeys(request.dependencies) if other in custom]
        known = {value: (other, path) for other in after for value, path in outputs[other]}
        kind = kinds[request.type]
        names = _parameters(kind)
        resources.append(
            {
                "urn": urn,
                "module": kind.__module__,
                "class": kind.__name__,
                "name": request.name,
                "inputs": {names[_plain(k)]: _shown(v, known) for k, v in inputs.items()},
                "after": after,
                "protect": request.protect,
                "retain": request.retainOnDelete,
            }
        )
    file.write_text(json.dumps(_ordered(resources)))
    return len(resources)


def _is_set(request: Any, option: str) -> bool:
    value = getattr(request, option)
    return bool(value.ListFields()) if hasattr(value, "ListFields") else bool(value)


def _ordered(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What depends on others comes after them."""
    done: set[str] = set()
    ordered: list[dict[str, Any]] = []
    while resources:
        ready = [one for one in resources if set(one["after"]) <= done]
        ordered += ready
        done |= {one["urn"] for one in ready}
        resources = [one for one in resources if one["urn"] not in done]
    return ordered


def _classes(types: set[str]) -> dict[str, type[pulumi.CustomResource]]:
    """The SDK's class of each type."""
    classes: dict[str, type[pulumi.CustomResource]] = {}
    waiting = [pulumi.CustomResource]
    for base in waiting:
        for kind in base.__subclasses__():
            waiting.append(kind)
            token = getattr(kind, "pulumi_type", None)
            if token in types:
                classes.setdefault(token, kind)
    return classes


def _parameters(kind: type) -> dict[str, str]:
    """Plain name to the constructor's own."""
    names = inspect.signature(kind._internal_init).parameters  # type: ignore[attr-defined]
    return {_plain(name): name for name in names}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _unknowable(request: Any, inputs: dict[str, Any]) -> list[tuple[str, str]]:
    """Values that only the provider knows, as the recorder makes them up, and where they are."""
    if request.type == "random:index/randomPassword:RandomPassword":
        return [(f"Password-1-of-{request.name}", "result")]
    if request.type.startswith("kubernetes:") and "name" not in inputs.get("metadata", {}):
        return [(request.name, "metadata.name")]
    return []


def _shown(value: Any, known: dict[str, tuple[str, str]]) -> Any:
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return {SECRET: _shown(value["value"], known)}
        return {name: _shown(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner, known) for inner in value]
    if isinstance(value, str) and value in known:
        return {REFERENCE: list(known[value])}
    return value


if __name__ == "__main__":
    print(record(Path(sys.argv[1]), Path(sys.argv[2])), "resources")
