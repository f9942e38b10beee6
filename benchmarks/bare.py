"""The bare program: a flat list of resources with ready inputs, by the SDK's own classes. No components, no settings.

Registers what `benchmarks.record` wrote down.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pulumi

SECRET, REFERENCE = "$secret", "$of"


def register(file: str) -> None:
    """Registers the recorded resources in their order."""
    resources: dict[str, pulumi.CustomResource] = {}
    for one in json.loads(Path(file).read_text()):
        kind = getattr(importlib.import_module(one["module"]), one["class"])
        resources[one["urn"]] = kind(
            one["name"],
            **{name: _value(value, resources) for name, value in one["inputs"].items()},
            opts=pulumi.ResourceOptions(
                depends_on=[resources[urn] for urn in one["after"]],
                protect=one["protect"] or None,
                retain_on_delete=one["retain"] or None,
            ),
        )


def _value(value: Any, resources: dict[str, pulumi.CustomResource]) -> Any:
    if isinstance(value, dict):
        if SECRET in value:
            return pulumi.Output.secret(_value(value[SECRET], resources))
        if REFERENCE in value:
            of, name = value[REFERENCE]
            if name == "metadata.name":
                return resources[of].metadata.name  # type: ignore[attr-defined]
            return getattr(resources[of], name)
        return {name: _value(inner, resources) for name, inner in value.items()}
    return [_value(inner, resources) for inner in value] if isinstance(value, list) else value
