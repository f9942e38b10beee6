"""Whether a value is of a declared type, and the words in which a provider says that it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.providers.runtime.values import Secret, Unknown

Declared = Mapping[str, Any]
Kind = Literal["missing", "unknown", "type", "value"]


def snake(name: str) -> str:
    """`tokenTtl` as `token_ttl`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True)
class SchemaViolation:
    """What is wrong at one place. No value is ever quoted: it may be secret."""

    kind: Kind
    path: tuple[str | int, ...]
    expected: str = ""
    got: str = ""
    blocks: tuple[int, ...] = ()
    """Positions in the path after which a single object stands, for Terraform a list of one."""

    @property
    def place(self) -> str:
        """The path in Pulumi's way: `replication.userManaged.replicas[0].location`."""
        return "".join(
            f"[{p}]" if isinstance(p, int) else f".{p}" if i else p for i, p in enumerate(self.path)
        )

    @property
    def attribute(self) -> str:
        """The path in Terraform's way: `replication.0.user_managed.0.replicas.0.location`."""
        parts = []
        for i, part in enumerate(self.path):
            parts.append(str(part) if isinstance(part, int) else snake(part))
            if i in self.blocks:
                parts.append("0")
        return ".".join(parts)


class Bridge:
    """The words of providers that are made from Terraform's (source: pulumi-terraform-bridge)."""

    converts = True
    """Numbers and booleans are taken for text, and text for them."""

    def explain(self, name: str, violation: SchemaViolation) -> str:
        """The reason; `name` is the resource's name in the program, which the words point to."""
        return f"{self._reason(violation)}. Examine values at '{name}.{violation.place}'."

    def _reason(self, violation: SchemaViolation) -> str:
        if violation.kind == "missing":
            return (
                f'Missing required argument. The argument "{violation.attribute}" is required, but no '
                "definition was found."
            )
        if violation.kind == "unknown":
            return "Invalid or unknown key"
        if violation.kind == "value":
            return f"expected {violation.attribute} to be one of [{violation.expected}]"
        inside = "in the list, " if isinstance(violation.path[-1], int) else ""
        return (
            f"Unexpected type: {inside}expected {violation.expected} type, got {violation.got} type"
        )


class AzureNative:
    """The words of azure-native (source: provider/pkg/provider/provider.go of pulumi-azure-native).

    It drops properties that it does not know without a word, and leaves the values of enumerations to
    Azure; both are refused here, so that a slip of the pen does not pass.
    """

    converts = False

    def explain(self, name: str, violation: SchemaViolation) -> str:
        """The reason."""
        if violation.kind == "missing":
            return f"missing required property '{violation.place}'"
        if violation.kind == "unknown":
            return f"unknown property '{violation.place}'"
        if violation.kind == "value":
            return f"'{violation.place}' should be one of {violation.expected}"
        article = "an" if violation.got[0] in "ao" else "a"
        return f"'{violation.place}' should be of type '{violation.expected}' but got {article} {violation.got}"


@dataclass(frozen=True)
class SchemaValidator:
    """Walks through values. `types` are the object types that declarations refer to."""

    types: Mapping[str, Declared]
    converts: bool

    def object(
        self,
        properties: Mapping[str, Declared],
        required: Sequence[str],
        value: Mapping[str, Any],
        path: tuple[str | int, ...] = (),
        blocks: tuple[int, ...] = (),
    ) -> Iterator[SchemaViolation]:
        """What is wrong with an object. Names that begin with `__` are the engine's own."""
        for name in required:
            if value.get(name) is None:
                yield SchemaViolation("missing", (*path, name), blocks=blocks)
        for name, inner in value.items():
            if name.startswith("__"):
                continue
            if name not in properties:
                yield SchemaViolation("unknown", (*path, name), blocks=blocks)
            else:
                yield from self.value(properties[name], inner, (*path, name), blocks)

    def value(
        self,
        declared: Declared,
        value: Any,
        path: tuple[str | int, ...],
        blocks: tuple[int, ...] = (),
    ) -> Iterator[SchemaViolation]:
        """What is wrong with a value."""
        if isinstance(value, Secret):
            value = value.value
        if isinstance(value, (Unknown, Secret)) or value is None:
            return
        if "oneOf" in declared:
            parts = [list(self.value(part, value, path, blocks)) for part in declared["oneOf"]]
            yield from min(parts, key=len)
        elif "ref" in declared:
            if not isinstance(value, dict):
                yield SchemaViolation("type", path, "object", _kind(value), blocks)
                return
            within = self.types[declared["ref"]]
            single = blocks if isinstance(path[-1], int) else (*blocks, len(path) - 1)
            yield from self.object(within["properties"], within["required"], value, path, single)
        elif not self._fits(declared.get("type"), value):
            yield SchemaViolation("type", path, declared["type"], _kind(value), blocks)
        elif "enum" in declared and value not in declared["enum"]:
            yield SchemaViolation(
                "value", path, ", ".join(map(str, declared["enum"])), blocks=blocks
            )
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.value(declared.get("items", {}), item, (*path, index), blocks)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self.value(
                    declared.get("additionalProperties", {}), item, (*path, key), blocks
                )

    def _fits(self, kind: str | None, value: Any) -> bool:
        if kind == "string":
            return isinstance(value, str) or (
                self.converts and isinstance(value, (int, float, bool))
            )
        if kind in ("integer", "number"):
            return _is_number(value) or (
                self.converts and isinstance(value, str) and _number(value)
            )
        if kind == "boolean":
            return isinstance(value, bool) or (self.converts and value in ("true", "false"))
        if kind == "array":
            return isinstance(value, list)
        return kind != "object" or isinstance(value, dict)


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
