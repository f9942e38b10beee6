"""What the network cases of the field mean, beyond their verdict: the port is open in the registered policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.validation import read_file
from tests.components.recording_support import run

FIELD = Path(__file__).parent / "field"


def _egress(case: str) -> list[dict[str, Any]]:
    (file,) = FIELD.glob(f"{case}-*.yaml")
    policies = run(read_file(file)).of("NetworkPolicy")  # type: ignore[arg-type]
    return [rule for policy in policies.values() for rule in policy["spec"].get("egress", [])]


@pytest.mark.parametrize(
    ("case", "why", "port"),
    [
        ("06", "egress opens port 7070", 7070),
        ("07", "egress opens port 9000, which stands in the endpoint", 9000),
    ],
)
def test_the_port_of_a_storages_endpoint_is_open(case: str, why: str, port: int) -> None:
    (file,) = FIELD.glob(f"{case}-*.yaml")
    assert file.read_text().splitlines()[1] == f"# why: {why}"
    opened = [rule for rule in _egress(case) if any(p["port"] == port for p in rule["ports"])]
    assert [rule["to"] for rule in opened] == [[{"ipBlock": {"cidr": "0.0.0.0/0"}}]]


def test_dns_passes_to_the_cache_of_the_node() -> None:
    rules = [
        rule for rule in _egress("35") if {"ipBlock": {"cidr": "169.254.20.10/32"}} in rule["to"]
    ]
    assert rules
    for rule in rules:
        assert {(p["protocol"], p["port"]) for p in rule["ports"]} == {("UDP", 53), ("TCP", 53)}
