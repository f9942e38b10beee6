"""Writes down what the project's program registers for a stack file, for the bare program to register.

`python -m benchmarks.record STACK-FILE FILE`
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_overloads

import pulumi

from benchmarks.bare import REFERENCE, SECRET
from components.program import build
from components.validation import load_file
from sandbox.inspection.recorder import (
    SIGNATURE,
    RecordingMonitor,
    Registration,
    StandIns,
    run,
    stand_ins,
)

#: Options that the bare program sets; another one would make it another program.
_OPTIONS = ("ignoreChanges", "deleteBeforeReplace", "customTimeouts", "deletedWith", "import")


def record(stack_file: Path, file: Path) -> int:
    """Records the resources of a stack file; their number."""
    settings = load_file(stack_file).settings
    custom = registrations(lambda: build(settings))
    kinds = _classes({r.request.type for r in custom.values()})
    outputs = {urn: _unknowable(registration) for urn, registration in custom.items()}
    resources: list[dict[str, Any]] = []
    for urn, registration in custom.items():
        request = registration.request
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
                "inputs": {
                    names[_plain(k)]: _shown(v, known) for k, v in registration.inputs.items()
                },
                "after": after,
                "protect": request.protect,
                "retain": request.retainOnDelete,
            }
        )
    file.write_text(json.dumps(_ordered(resources)))
    return len(resources)


def registrations(program: Callable[[], Any]) -> dict[str, Registration]:
    """What a program registers of plugins' resources, by URN, as in an update."""
    monitor = RecordingMonitor(Provider(), "kestra", "test")
    run(program, monitor, "test")
    return {urn: r for urn, r in monitor.registrations.items() if r.request.custom}


class Provider(StandIns):
    """Makes up what an update makes of the stack's resources."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        id_, state = super().new_resource(args)
        if args.typ == "vault:kv/secretV2:SecretV2":
            state["path"] = f"{state['mount']}/data/{state['name']}"
            state["metadata"] = {"version": "1"}
        elif args.typ.startswith("kubernetes:"):
            state["metadata"] = {"name": args.name, **state.get("metadata", {})}
        return id_, state


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
    names = (
        name for form in get_overloads(kind.__init__) for name in inspect.signature(form).parameters
    )
    return {_plain(name): name for name in names}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _unknowable(registration: Registration) -> list[tuple[str, str]]:
    """Values that only the provider knows, as they are made up here, and where they are."""
    request = registration.request
    if request.type == "random:index/randomPassword:RandomPassword":
        return [(stand_ins(request.type, request.name)["result"], "result")]
    if request.type.startswith("kubernetes:") and "name" not in registration.inputs.get(
        "metadata", {}
    ):
        return [(request.name, "metadata.name")]
    return []


def _shown(value: Any, known: dict[str, tuple[str, str]]) -> Any:
    if isinstance(value, dict):
        if SIGNATURE in value:
            return {SECRET: _shown(value["value"], known)}
        return {name: _shown(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner, known) for inner in value]
    if isinstance(value, str) and value in known:
        return {REFERENCE: list(known[value])}
    return value


if __name__ == "__main__":
    print(record(Path(sys.argv[1]), Path(sys.argv[2])), "resources")
