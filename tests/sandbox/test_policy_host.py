"""A policy pack gets of the stack's configuration what it reads, and no secret."""

from __future__ import annotations

import json

import pytest

from policy.core.levels import environment_of
from sandbox.engine.policy_host import needed


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


def test_of_the_deployment_only_tag_and_digest_of_the_image_are_left() -> None:
    image = {"tag": "v1.3.31", "digest": "sha256:0a"}
    deployment = {
        "environment": {"TOKEN": "Pl4nted-Deployment"},
        "image": image | {"repository": "registry.example.com/kestra"},
    }
    left = json.loads(needed(json.dumps({"kestra:deployment": json.dumps(deployment)})))
    assert json.loads(left["kestra:deployment"]) == {"image": image}


@pytest.mark.parametrize("deployment", ["", "{}", "[]", '{"image": "text"}', '{"image": 1}'])
def test_a_deployment_without_an_image_leaves_nothing_of_it(deployment: str) -> None:
    left = json.loads(needed(json.dumps({"kestra:deployment": deployment})))
    assert json.loads(left.get("kestra:deployment", "{}")) in ({}, {"image": {}})
