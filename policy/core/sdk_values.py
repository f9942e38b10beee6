"""Values of the policy SDK as the controls see them, and the one place that reaches into the SDK.

Two things have no public way in pulumi-policy 1.21.0, whose version requirements.txt pins:

* Arguments of a validation come without the marks of secret values, which remediations get (`keep_marks`).
* Every policy of a pack converts the properties of every resource again (`convert_once`).

A later SDK that has another inside is left alone: the controls that need the marks then say that they cannot
decide, and the pack is slower. tests/policy/test_convert_once.py fails in that case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from google.protobuf import struct_pb2
from pulumi_policy import Secret, proxy
from pulumi_policy import policy as internals

from policy.core.values import UNKNOWN, Sealed

_UNKNOWN_VALUES = frozenset(
    getattr(proxy, f"UNKNOWN_{kind}_VALUE")
    for kind in ("BOOLEAN", "NUMBER", "STRING", "ARRAY", "ASSET", "ARCHIVE", "OBJECT")
)


def unwrap(value: Any) -> Any:
    """What the SDK's views of maps and lists look at; anything else as it is."""
    return value["__target"] if type(value).__module__.startswith("pulumi_policy.") else value


def plain(value: Any, *, secret: bool = False) -> Any:
    """A value of the SDK as the controls see it: unknown and secret values marked."""
    if isinstance(value, Secret):
        return plain(value.value, secret=True)
    value = unwrap(value)
    if isinstance(value, Mapping):
        return {key: plain(inner, secret=secret) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner, secret=secret) for inner in value]
    if isinstance(value, str) and value in _UNKNOWN_VALUES:
        return UNKNOWN
    if secret and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return Sealed(str(value))
    return value


class Once:
    """A function that is called once for each argument, as told by identity."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._known: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        if id(value) not in self._known:
            # The value is kept too: its identity is its own as long as it lives.
            self._known[id(value)] = (value, self._function(value))
        return self._known[id(value)][1]


plain_once = Once(plain)


def convert_once() -> bool:
    """Has the SDK convert a resource once, where it would do so again for each of the pack's policies.

    Comes after `keep_marks`. Whether it could be done: a later SDK may have another inside, and the pack is
    slower then.
    """
    names = ("json_format", "deserialize_properties", "unknown_checking_proxy")
    if not all(hasattr(internals, name) for name in names):
        return False
    real: Any = internals.json_format  # type: ignore[attr-defined]
    whole: Any = internals.deserialize_properties  # type: ignore[attr-defined]
    known: dict[bytes, dict[str, Any]] = {}
    for_validation = Once(whole)

    def to_dict(message: Any, *options: Any, **named: Any) -> Any:
        if options or named or not isinstance(message, struct_pb2.Struct):
            return real.MessageToDict(message, *options, **named)
        sent = message.SerializeToString(deterministic=True)
        if sent not in known:
            known[sent] = real.MessageToDict(message)
        return known[sent]

    def deserialize(properties: Any, for_remediation: bool = False) -> Any:
        # A remediation may change what it is given.
        return whole(properties, True) if for_remediation else for_validation(properties)

    proxied = Once(internals.unknown_checking_proxy)  # type: ignore[attr-defined]
    internals.json_format = SimpleNamespace(MessageToDict=to_dict)  # type: ignore[attr-defined]
    internals.deserialize_properties = deserialize  # type: ignore[attr-defined]
    internals.unknown_checking_proxy = proxied  # type: ignore[attr-defined]
    return True


def keep_marks() -> bool:
    """Keeps the marks of secret values, which the SDK takes off before a policy sees the values.

    The SDK has the marks for remediations only; the same reading is used for validations here. Whether it
    could be done: a later SDK may have another inside, and the controls that need the marks then say so.
    """
    original = getattr(internals, "deserialize_properties", None)
    if original is None:
        return False

    def deserialize(properties: dict[str, Any], _: bool = False) -> Any:
        return original(properties, True)

    internals.deserialize_properties = deserialize  # type: ignore[attr-defined]
    return True
