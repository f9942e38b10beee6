"""Inputs against the official schema: what the official provider refuses is refused here too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.plugins.server import ProviderError
from sandbox.plugins.values import Secret, Unknown, has_secret, plain


def snake(name: str) -> str:
    """`tokenTtl` as `token_ttl`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True)
class ResourceSchema:
    """A resource type of the official provider."""

    token: str
    inputs: dict[str, dict[str, Any]]
    required: list[str]
    outputs: dict[str, dict[str, Any]]

    def check(self, name: str, news: Mapping[str, Any]) -> list[tuple[str, str]]:
        """A failure for each input that the official provider would refuse, in its words.

        Args:
            name: the resource's name in the program, which the words point to.
            news: the inputs. Names that begin with `__` are the engine's own.

        Returns:
            Pairs of property and reason. The property is empty, as the official bridge leaves it: the
            engine would print the value of a named one, which may be secret.
        """
        failures = [
            (
                property_,
                f'Missing required argument. The argument "{snake(property_)}" is required, but no '
                "definition was found.",
            )
            for property_ in self.required
            if news.get(property_) is None
        ]
        for property_, value in news.items():
            if property_.startswith("__"):
                continue
            if property_ not in self.inputs:
                failures.append((property_, "Invalid or unknown key"))
            elif reason := _mismatch(self.inputs[property_], value):
                failures.append((property_, f"Unexpected type: {reason}"))
        return [("", f"{reason}. Examine values at '{name}.{p}'.") for p, reason in failures]

    def replacing(self) -> set[str]:
        """Inputs whose change replaces the resource."""
        return {
            name for name, declared in self.inputs.items() if declared.get("willReplaceOnChanges")
        }

    def mark(self, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Outputs with their secrets marked: those of the schema, and those whose input was secret."""
        return {
            name: Secret(plain(value))
            if self.outputs.get(name, {}).get("secret") or has_secret(inputs.get(name))
            else value
            for name, value in outputs.items()
            if value is not None
        }


def _mismatch(declared: Mapping[str, Any], value: Any) -> str | None:
    if isinstance(value, Secret):
        return _mismatch(declared, value.value)
    if isinstance(value, Unknown) or value is None:
        return None
    kind = declared.get("type")
    if kind == "string":
        # The bridge turns numbers and booleans into text.
        fits = isinstance(value, (str, int, float, bool))
    elif kind in ("integer", "number"):
        fits = _number(value) if isinstance(value, str) else _is_number(value)
    elif kind == "boolean":
        fits = isinstance(value, bool) or value in ("true", "false")
    elif kind == "array":
        fits = isinstance(value, list)
        for item in value if fits else []:
            if reason := _mismatch(declared.get("items", {}), item):
                return f"in the list, {reason}"
    elif kind == "object":
        fits = isinstance(value, dict)
        for item in value.values() if fits else []:
            if reason := _mismatch(declared.get("additionalProperties", {}), item):
                return f"in the object, {reason}"
    else:
        fits = isinstance(value, (dict, list, str, int, float, bool))
    return None if fits else f"expected {kind} type, got {_kind(value)} type"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _kind(value: Any) -> str:
    for type_, name in (
        (bool, "boolean"),
        ((int, float), "number"),
        (str, "string"),
        (list, "array"),
    ):
        if isinstance(value, type_):
            return name
    return "object"


class Schemas:
    """The resource types that a stand-in knows."""

    def __init__(self, file: Path) -> None:
        self._types = {
            token: ResourceSchema(token, **parts)
            for token, parts in json.loads(file.read_text()).items()
        }

    def __iter__(self) -> Iterator[ResourceSchema]:
        return iter(self._types.values())

    def of(self, token: str) -> ResourceSchema:
        """The schema of a type.

        Raises:
            ProviderError: for a type that the stand-in does not know.
        """
        if token not in self._types:
            raise ProviderError(
                f"{token} is not known to this stand-in; install the official plugin to use it"
            )
        return self._types[token]
