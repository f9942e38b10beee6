"""Inputs against the official schema: what the official provider refuses is refused here too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.plugins.server import ProviderError
from sandbox.plugins.values import Secret, Unknown, has_secret, plain


@dataclass(frozen=True)
class ResourceSchema:
    """A resource type of the official provider."""

    token: str
    inputs: dict[str, dict[str, Any]]
    required: list[str]
    outputs: dict[str, dict[str, Any]]

    def check(self, news: dict[str, Any]) -> list[tuple[str, str]]:
        """Property and reason for each input that the official provider would refuse."""
        failures = [
            (name, f"Missing required property '{name}'")
            for name in self.required
            if name not in news
        ]
        for name, value in news.items():
            if name not in self.inputs:
                if not name.startswith("__"):
                    failures.append((name, f"Invalid or unknown key. Unknown property '{name}'"))
            elif reason := _mismatch(self.inputs[name], value):
                failures.append((name, f"expected {reason}"))
        return failures

    def with_defaults(self, news: dict[str, Any]) -> dict[str, Any]:
        """The inputs with the provider's defaults."""
        defaults = {
            k: v["default"] for k, v in self.inputs.items() if "default" in v and k not in news
        }
        return news | defaults

    def replacing(self) -> set[str]:
        """Inputs whose change replaces the resource."""
        return {
            name for name, declared in self.inputs.items() if declared.get("willReplaceOnChanges")
        }

    def mark(self, outputs: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        """Outputs with their secrets marked: those of the schema, and those whose input was secret."""
        return {
            name: Secret(plain(value))
            if self.outputs.get(name, {}).get("secret") or has_secret(inputs.get(name))
            else value
            for name, value in outputs.items()
            if value is not None
        }


def _mismatch(declared: dict[str, Any], value: Any) -> str | None:
    if isinstance(value, Secret):
        return _mismatch(declared, value.value)
    if isinstance(value, Unknown) or value is None:
        return None
    kind = declared.get("type")
    if kind == "string":
        fits = isinstance(value, (str, int, float, bool))
    elif kind in ("integer", "number"):
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    elif kind == "boolean":
        fits = isinstance(value, bool) or value in ("true", "false")
    elif kind == "array":
        fits = isinstance(value, list)
        for item in value if fits else []:
            if reason := _mismatch(declared.get("items", {}), item):
                return f"a list of {reason}"
    elif kind == "object":
        fits = isinstance(value, dict)
        for item in value.values() if fits else []:
            if reason := _mismatch(declared.get("additionalProperties", {}), item):
                return f"an object of {reason}"
    else:
        fits = isinstance(value, (dict, list, str, int, float, bool))
    return None if fits else f"type {kind}"


class Schemas:
    """The resource types that a stand-in knows."""

    def __init__(self, file: Path) -> None:
        self._types = {
            token: ResourceSchema(token, **parts)
            for token, parts in json.loads(file.read_text()).items()
        }

    def __iter__(self) -> Any:
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
