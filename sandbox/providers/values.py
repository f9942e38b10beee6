"""Values of the provider protocol as plain Python, with secrets and unknowns marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format, struct_pb2

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark, not a secret
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that is not known before the update."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in its state and never shows."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


def unmarshal(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A message's properties."""
    return {k: _in(v) for k, v in json_format.MessageToDict(struct).items()}


def _in(value: Any) -> Any:
    if isinstance(value, dict):
        mark = value.get(_SIGNATURE)
        if mark == _SECRET:
            return Secret(_in(value.get("value")))
        if mark == _OUTPUT:
            inner = _in(value["value"]) if "value" in value else UNKNOWN
            return Secret(inner) if value.get("secret") else inner
        return {k: _in(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_in(item) for item in value]
    if value == _UNKNOWN:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def marshal(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as a message."""
    struct = struct_pb2.Struct()
    struct.update({k: _out(v) for k, v in properties.items()})
    return struct


def _out(value: Any) -> Any:
    if isinstance(value, Secret):
        return {_SIGNATURE: _SECRET, "value": _out(value.value)}
    if isinstance(value, Unknown):
        return _UNKNOWN
    if isinstance(value, Mapping):
        return {k: _out(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_out(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """The value without marks of secrets."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_secret(value: Any) -> bool:
    """Whether a secret occurs in the value."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(has_secret(v) for v in value.values())
    return isinstance(value, list) and any(has_secret(v) for v in value)


def has_unknown(value: Any) -> bool:
    """Whether an unknown occurs in the value."""
    if isinstance(value, Unknown):
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(has_unknown(v) for v in value.values())
    return isinstance(value, list) and any(has_unknown(v) for v in value)
