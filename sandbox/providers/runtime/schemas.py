"""Inputs against the official schema: what the official provider refuses is refused here too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.providers.runtime.provider import Failures, unsupported
from sandbox.providers.runtime.schema_validation import AzureNative, Bridge, SchemaValidator
from sandbox.providers.runtime.values import Secret, has_secret, plain

BRIDGE = Bridge()


@dataclass(frozen=True)
class ResourceSchema:
    """A resource type of the official provider."""

    token: str
    inputs: dict[str, dict[str, Any]]
    required: list[str]
    outputs: dict[str, dict[str, Any]]
    types: dict[str, dict[str, Any]] = field(default_factory=dict)
    words: Bridge | AzureNative = BRIDGE

    def check(self, name: str, news: Mapping[str, Any]) -> Failures:
        """A failure for each input that the official provider would refuse, in its words.

        Args:
            name: the resource's name in the program, which the words point to.
            news: the inputs. Names that begin with `__` are the engine's own.

        Returns:
            Pairs of property and reason. The property is empty, as the official bridge leaves it: the
            engine would print the value of a named one, which may be secret.
        """
        validator = SchemaValidator(self.types, self.words.converts)
        violations = validator.object(self.inputs, self.required, news)
        return [("", self.words.explain(name, violation)) for violation in violations]

    def replaces(self, path: str) -> bool:
        """Whether a change at a path, as in `a.b[0].c`, replaces the resource."""
        first, *rest = re.sub(r"\[\d+\]", "", path).split(".")
        declared = self.inputs.get(first, {})
        for part in rest:
            inner = declared.get("items", declared)
            if "ref" not in inner:
                break  # a map, whose keys are the program's own
            declared = self.types[inner["ref"]]["properties"].get(part, {})
        return bool(declared.get("willReplaceOnChanges"))

    def mark(self, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Outputs with their secrets marked: those of the schema, and those whose input was secret."""
        return {
            name: Secret(plain(value))
            if self.outputs.get(name, {}).get("secret") or has_secret(inputs.get(name))
            else value
            for name, value in outputs.items()
            if value is not None
        }


class Schemas:
    """The resource types that a stand-in knows, from its `schema.json`."""

    def __init__(self, file: Path, words: Bridge | AzureNative = BRIDGE) -> None:
        declared = json.loads(file.read_text())
        types = declared.pop("types", {})
        self._types = {
            token: ResourceSchema(token, **parts, types=types, words=words)
            for token, parts in declared.items()
        }

    def __iter__(self) -> Iterator[ResourceSchema]:
        return iter(self._types.values())

    def of(self, token: str) -> ResourceSchema:
        """The schema of a type.

        Raises:
            ProviderError: for a type that the stand-in does not know.
        """
        if token not in self._types:
            raise unsupported(token)
        return self._types[token]
