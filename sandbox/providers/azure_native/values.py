"""How the official provider turns outputs into inputs again, and keeps what is secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.providers.runtime.values import Properties, Secret


def applied(inputs: Properties, before: Properties, after: Properties) -> Properties:
    """The inputs with what changed between two outputs; what did not change stays as it was asked for.

    Source: applyDiff of provider/pkg/provider/diff.go, which gets of both outputs what is also an input.
    """
    out = {k: v for k, v in inputs.items() if k in after or k not in before}
    for name, value in after.items():
        if name not in before or before[name] != value:
            out[name] = _applied(inputs.get(name), before.get(name), value)
    return out


def _applied(asked: Any, before: Any, after: Any) -> Any:
    if isinstance(asked, Secret):
        return Secret(_applied(asked.value, before, after))
    if isinstance(asked, dict) and isinstance(before, dict) and isinstance(after, dict):
        return applied(asked, before, after)
    if isinstance(asked, list) and isinstance(before, list) and isinstance(after, list):
        return [
            _applied(asked[i], before[i], item) if i < len(asked) and i < len(before) else item
            for i, item in enumerate(after)
        ]
    return after if before != after else asked


def restricted(
    outputs: Properties, declared: Mapping[str, Any], types: Mapping[str, Any]
) -> Properties:
    """What of some outputs is also an input."""
    return {
        name: _restricted(value, declared[name], types)
        for name, value in outputs.items()
        if name in declared
    }


def _restricted(value: Any, declared: Mapping[str, Any], types: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_restricted(item, declared.get("items", {}), types) for item in value]
    if isinstance(value, dict) and "ref" in declared:
        return restricted(value, types[declared["ref"]]["properties"], types)
    return value


def without(value: Properties, defaults: Properties) -> Properties:
    """The value without what is as by default; an object of which nothing is left goes too."""
    out = {}
    for name, inner in value.items():
        default = defaults.get(name)
        if isinstance(inner, dict) and isinstance(default, dict):
            inner = without(inner, default)
            if not inner:
                continue
        elif name in defaults and inner == default:
            continue
        out[name] = inner
    return out


def as_secret_as(outputs: Any, inputs: Any) -> Any:
    """The outputs with the secrets of the inputs marked, each at its own place."""
    if isinstance(inputs, Secret):
        return Secret(as_secret_as(outputs, inputs.value))
    if isinstance(outputs, dict) and isinstance(inputs, dict):
        return {k: as_secret_as(v, inputs.get(k)) for k, v in outputs.items()}
    if isinstance(outputs, list) and isinstance(inputs, list):
        return [as_secret_as(v, inputs[i]) if i < len(inputs) else v for i, v in enumerate(outputs)]
    return outputs
