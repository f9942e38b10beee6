"""The inputs that a program gives, and those that the provider fills in: defaults, names, previews, imports."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from sandbox.providers.runtime.schemas import ResourceSchema
from sandbox.providers.runtime.terraform_values import ZERO
from sandbox.providers.runtime.values import UNKNOWN, Secret, plain

#: The bridge's own note of what the program did not say.
DEFAULTS = "__defaults"


def user_inputs(news: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs that have a value, without the engine's and the bridge's own."""
    return {k: v for k, v in news.items() if not k.startswith("__") and v is not None}


def auto_name(olds: Mapping[str, Any], property_: str, beginning: str, separator: str = "-") -> str:
    """The name of a resource that the program gives none: kept once made, seven random digits at its end."""
    before = plain(olds)
    kept = before.get(property_) if property_ in before.get(DEFAULTS, []) else None
    return kept or f"{beginning}{separator}{secrets.token_hex(4)[:7]}"


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
    inputs = {
        k: v
        for k, v in outputs.items()
        if k in schema.inputs and k not in left_out and plain(v) not in ZERO
    }
    return inputs | {DEFAULTS: []}


def is_named(schema: ResourceSchema, news: Mapping[str, Any], property_: str | None) -> bool:
    """Whether the program gives the name, which is then taken until the old resource has gone."""
    return property_ in schema.inputs and property_ not in news.get(DEFAULTS, [])
