"""The SDK converts a resource once for all policies of the pack, and nothing is mixed up by that."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi_policy import policy as internals
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY

from policy.core import sdk_values
from policy.core.values import Sealed


@pytest.fixture(autouse=True)
def sdk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK as the pack changes it, and afterwards as it was."""
    for name in ("json_format", "deserialize_properties", "unknown_checking_proxy"):
        monkeypatch.setattr(internals, name, getattr(internals, name))
    assert sdk_values.keep_marks()
    assert sdk_values.convert_once()
    return internals


def _sent(value: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(value, struct_pb2.Struct())


def _props(sdk: Any, value: dict[str, Any]) -> Any:
    return sdk.unknown_checking_proxy(
        sdk.deserialize_properties(sdk.json_format.MessageToDict(_sent(value)))
    )


def test_the_same_properties_are_converted_once_and_others_apart(sdk: Any) -> None:
    first = _props(sdk, {"a": "1", "b": ["x"]})
    assert _props(sdk, {"b": ["x"], "a": "1"}) is first
    other = _props(sdk, {"a": "2", "b": ["x"]})
    assert (first["a"], other["a"]) == ("1", "2")


def test_secret_values_keep_their_marks(sdk: Any) -> None:
    mark = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": "hidden"}
    (value,) = sdk_values.plain(_props(sdk, {"a": mark})).values()
    assert isinstance(value, Sealed)


def test_a_remediation_gets_properties_of_its_own(sdk: Any) -> None:
    sent = sdk.json_format.MessageToDict(_sent({"a": {"b": "1"}}))
    one, two = (sdk.deserialize_properties(sent, True) for _ in range(2))
    assert one is not two


def test_messages_that_are_no_properties_are_converted_as_before(sdk: Any) -> None:
    value = struct_pb2.Value(string_value="x")
    assert sdk.json_format.MessageToDict(value) == "x"


def test_an_sdk_with_another_inside_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(internals, "unknown_checking_proxy")
    before = internals.json_format  # type: ignore[attr-defined]
    assert not sdk_values.convert_once()
    assert internals.json_format is before  # type: ignore[attr-defined]
