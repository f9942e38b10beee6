"""What providers that are bridged from Terraform have in common: defaults, names, previews, imports."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sandbox.providers.documents import ZERO
from sandbox.providers.inputs import ResourceSchema
from sandbox.providers.values import UNKNOWN, Secret, plain

#: The bridge's own note of what the program did not say.
DEFAULTS = "__defaults"


def asked(news: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs that have a value, without the engine's and the bridge's own."""
    return {k: v for k, v in news.items() if not k.startswith("__") and v is not None}


def automatic(olds: Mapping[str, Any], property_: str, beginning: str, separator: str = "-") -> str:
    """The name of a resource that the program gives none: kept once made, seven random digits at its end."""
    before = plain(olds)
    kept = before.get(property_) if property_ in before.get(DEFAULTS, []) else None
    return kept or f"{beginning}{separator}{secrets.token_hex(4)[:7]}"


def checked(
    schema: ResourceSchema,
    check: Callable[[dict[str, Any]], Iterable[tuple[str, str]]],
    name: str,
    inputs: Mapping[str, Any],
) -> list[tuple[str, str]]:
    """What the schema refuses; where that is nothing, what the resource itself refuses."""
    return schema.check(name, inputs) or [
        ("", f"{reason}. Examine values at '{name}.{property_}'.")
        for property_, reason in check(plain(inputs))
    ]


def unknown_outputs(
    schema: ResourceSchema, known: Collection[str], computed: Collection[str]
) -> dict[str, Any]:
    """Outputs that a preview cannot know, secret where the schema says so."""
    return {
        k: Secret(UNKNOWN) if schema.outputs[k].get("secret") else UNKNOWN
        for k in schema.outputs
        if k not in known and (k not in schema.inputs or k in computed)
    }


def imported(
    schema: ResourceSchema, outputs: Mapping[str, Any], left_out: Collection[str]
) -> dict[str, Any]:
    """The inputs that a program would have written for what was found."""
    found = {
        k: v
        for k, v in outputs.items()
        if k in schema.inputs and k not in left_out and plain(v) not in ZERO
    }
    return found | {DEFAULTS: []}


def read_back(
    schema: ResourceSchema,
    id_: str,
    inputs: Mapping[str, Any],
    olds: Mapping[str, Any],
    outputs: Mapping[str, Any],
    computed: Collection[str],
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """What was found of a resource: its id, its inputs, its outputs. Without olds it is imported."""
    marked = schema.mark(outputs, olds)
    if olds:
        return id_, {k: marked.get(k, v) for k, v in inputs.items()}, marked
    return id_, imported(schema, marked, computed), marked


def is_named(schema: ResourceSchema, news: Mapping[str, Any], property_: str = "name") -> bool:
    """Whether the program gives the name, which is then taken until the old resource has gone."""
    return property_ in schema.inputs and property_ not in news.get(DEFAULTS, [])
