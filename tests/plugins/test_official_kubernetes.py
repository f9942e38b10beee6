"""How states of two providers are compared."""

from __future__ import annotations

from typing import Any

from tests.plugins.official_kubernetes_support import ALLOWED, differences


def _resource(**outputs: Any) -> dict[str, Any]:
    return {"urn::a": {"id": "n/a", "inputs": {"kind": "Service"}, "outputs": outputs}}


def test_a_difference_is_named_by_its_place_and_not_by_its_value() -> None:
    one = _resource(spec={"ports": [{"port": 1}, {"port": 2}]}, data={"ciphertext": "a"})
    other = _resource(spec={"ports": [{"port": 1}, {"port": 3}]}, data={"ciphertext": "b"})
    assert differences(one, one) == []
    assert differences(one, other) == ["a: outputs.spec.ports[1].port"]
    assert differences(one, {}) == ["a: only in one"]


def test_what_the_server_writes_may_differ_and_what_is_beside_it_may_not() -> None:
    assert all(reason for reason in ALLOWED.values())
    one = _resource(metadata={"resourceVersion": "1", "name": "a"}, status={"replicas": 1})
    other = _resource(metadata={"resourceVersion": "2", "name": "b"}, status={})
    assert differences(one, other) == ["a: outputs.metadata.name"]
