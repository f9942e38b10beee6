"""A policy pack gets of the stack's configuration what it reads, and no secret."""

from __future__ import annotations

import json

import pytest

from policy.levels import environment_of
from sandbox.plugins.analyzer import needed


def test_only_what_names_the_environment_is_left() -> None:
    tags = json.dumps({"environment": "staging"})
    config = {
        "kestra:tags": tags,
        "kestra-policy:environment": "",
        "kestra:server": json.dumps({"basic-auth": {"password": "Plant"}}),
        "aws:secretKey": "Plant",
    }
    left = json.loads(needed(json.dumps(config)))
    assert left == {"kestra:tags": tags, "kestra-policy:environment": ""}
    assert environment_of(left, "any") == environment_of(config, "any") == "staging"


@pytest.mark.parametrize("config", ["", "no JSON", "[1]", "null", "{}"])
def test_what_is_no_configuration_leaves_nothing(config: str) -> None:
    assert needed(config) == "{}"
