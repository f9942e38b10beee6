"""What a program passes to a component, as the engine's protocol has it: values, secrets, and what is not known yet.

`PropertyValue.unmarshal` of Pulumi's SDK does the same, but fails at outputs without dependencies and at unknown ones
(pulumi 3.259).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from google.protobuf import struct_pb2

from ..validation.schema import printable_key

#: Keys and values by which the protocol tells special objects. Source: pulumi, sdk/proto, "Property values".
SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, not a value
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
#: Texts that stand for values of a type that are not known before the update.
_UNKNOWN = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class Special:
    """The content of a value that is no data."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


UNKNOWN = Special("unknown")
"""Not known before the update."""
OTHER = Special("other")
"""A file, an archive, a resource, or another object of the program."""


@dataclass(frozen=True)
class Value:
    """A value of a program, or a part of one."""

    content: (
        Mapping[str, Value] | Sequence[Value] | str | float | bool | Special | pulumi.Output | None
    )
    """An output stands only in what a program of Python's own passes (`from_python`)."""
    is_secret: bool = False
    dependencies: frozenset[str] = frozenset()
    """URNs of the resources that it comes from, without those of its parts."""

    def all_dependencies(self) -> frozenset[str]:
        """URNs of the resources that it and its parts come from."""
        parts: Any = ()
        if isinstance(self.content, Mapping):
            parts = self.content.values()
        elif isinstance(self.content, Sequence) and not isinstance(self.content, str):
            parts = self.content
        return self.dependencies.union(*(part.all_dependencies() for part in parts))

    def within(self, *, is_secret: bool) -> Value:
        """The value as a part of one that is a secret, or is none."""
        return replace(self, is_secret=True) if is_secret and not self.is_secret else self

    def to_input(self) -> Any:
        """The value as Pulumi's SDK has it. What is a secret or is not known is an output, a whole number an `int`.

        Of a list or a map that is a secret every value is one: who reads it sees what it has.
        """
        content: Any = self.content
        if content is UNKNOWN:
            content = pulumi.Output.from_input(pulumi.output.UNKNOWN)
        elif isinstance(content, Mapping):
            parts = {name: part.within(is_secret=self.is_secret) for name, part in content.items()}
            return {name: part.to_input() for name, part in parts.items()}
        elif isinstance(content, Sequence) and not isinstance(content, str):
            return [part.within(is_secret=self.is_secret).to_input() for part in content]
        elif isinstance(content, float) and content.is_integer():
            content = int(content)
        return pulumi.Output.secret(content) if self.is_secret else content


def from_python(value: Any) -> Value:
    """A value of a Python program that makes the component itself.

    Raises:
        RecursionError: it is nested too deeply, or has itself in it.
    """
    if isinstance(value, Mapping):
        return Value({printable_key(name): from_python(item) for name, item in value.items()})
    if isinstance(value, (list, tuple)):
        return Value([from_python(item) for item in value])
    known = isinstance(value, (str, int, float, bool, pulumi.Output)) or value is None
    return Value(value if known else OTHER)


def read_value(value: struct_pb2.Value) -> Value:
    """A value of the protocol."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _read_object(value.struct_value)
    if kind == "list_value":
        return Value([read_value(item) for item in value.list_value.values])
    if kind in (None, "null_value"):
        return Value(None)
    content = getattr(value, kind)
    return Value(UNKNOWN if isinstance(content, str) and content in _UNKNOWN else content)


def read_values(values: struct_pb2.Struct) -> dict[str, Value]:
    """The values of an object of the protocol."""
    return {name: read_value(value) for name, value in values.fields.items()}


def _read_object(value: struct_pb2.Struct) -> Value:
    fields = value.fields
    if SIGNATURE not in fields:
        return Value(read_values(value))
    signature = fields[SIGNATURE].string_value
    if signature not in (_SECRET, _OUTPUT):
        return Value(OTHER)
    inner = read_value(fields["value"]) if "value" in fields else Value(UNKNOWN)
    is_secret = signature == _SECRET or fields["secret"].bool_value
    dependencies = {urn.string_value for urn in fields["dependencies"].list_value.values}
    return Value(
        inner.content, inner.is_secret or is_secret, inner.dependencies.union(dependencies)
    )
