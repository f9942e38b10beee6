"""Values of the provider protocol as plain Python, with secrets and unknown values marked.

The protocol's own marks are those of `pulumi.runtime.rpc`. Its `deserialize_properties` is not used: it makes a whole
object secret where one part of it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

Properties = dict[str, Any]


class Unknown(Enum):
    """A value that is not known before the update."""

    UNKNOWN = "UNKNOWN"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in its state and never shows."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


def unmarshal(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A message's properties. Nulls are left out of objects, and whole numbers are `int`, as officially."""
    return _from_wire(json_format.MessageToDict(struct))


def _from_wire(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return Secret(_from_wire(rpc.unwrap_rpc_secret(value)))
    if isinstance(value, dict):
        return {k: _from_wire(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_from_wire(item) for item in value]
    if value == rpc.UNKNOWN:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def marshal(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as a message."""
    struct = struct_pb2.Struct()
    struct.update({k: _to_wire(v) for k, v in properties.items()})
    return struct


def _to_wire(value: Any) -> Any:
    if isinstance(value, Secret):
        return rpc.wrap_rpc_secret(_to_wire(value.value))
    if isinstance(value, Unknown):
        return rpc.UNKNOWN
    if isinstance(value, Mapping):
        return {k: _to_wire(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_wire(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """A copy of the value without marks of secrets; unknown values stay."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_secret(value: Any) -> bool:
    """Whether a secret occurs in the value."""
    if isinstance(value, Mapping):
        return any(map(has_secret, value.values()))
    if isinstance(value, list):
        return any(map(has_secret, value))
    return isinstance(value, Secret)


def has_unknown(value: Any) -> bool:
    """Whether an unknown value occurs in the value."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return isinstance(value, Unknown)
