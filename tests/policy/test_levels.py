"""Levels by environment, and which environment a stack is."""

from __future__ import annotations

import json
from typing import Any

import pulumi_policy as sdk
import pytest
from pulumi_policy.secret import Secret

from policy import controls
from policy.core.levels import ENVIRONMENTS, environment_of
from policy.core.model import Environment
from tests.policy.cloud_fixtures import AWS_KEY, KV_SECRET, TOKEN
from tests.policy.kubernetes_fixtures import WORKLOAD
from tests.policy.sdk_support import UNKNOWN, R, arguments, judge, pack, secret

MENDING = {"ks-keys-01", "ks-conventions-01"}
ADVICE = {"ks-conventions-03"}


@pytest.mark.parametrize(
    ("environment", "level", "mending"),
    [
        ("development", "advisory", "advisory"),
        ("staging", "mandatory", "mandatory"),
        ("production", "mandatory", "remediate"),
    ],
)
def test_the_environment_decides_the_level(
    environment: Environment, level: str, mending: str
) -> None:
    for policy in pack(environment).policies[1:]:
        expected = (
            "advisory" if policy.name in ADVICE else mending if policy.name in MENDING else level
        )
        assert policy.enforcement_level == sdk.EnforcementLevel(expected), policy.name


@pytest.mark.parametrize(
    ("config", "stack", "environment"),
    [
        ({"kestra-policy:environment": "staging"}, "prod", "staging"),
        ({"kestra:tags": json.dumps({"environment": "development"})}, "prod", "development"),
        ({"kestra:tags": "no json"}, "kestra-dev", "development"),
        ({}, "organization/kestra/eu-staging", "staging"),
        ({}, "local-vault", "development"),
        ({}, "prod.eu", "production"),
        ({}, "main", "production"),
        ({"kestra-policy:environment": "moon"}, "main", "production"),
    ],
    ids=str,
)
def test_a_stack_says_its_environment_or_is_production(
    config: dict[str, str], stack: str, environment: str
) -> None:
    assert environment_of(config, stack) == environment


def _mended(control: str, resource: R, options: dict[str, Any] | None = None) -> Any:
    policy: Any = next(p for p in pack("production", options).policies if p.name == control)
    return policy.remediate(arguments(resource))


def test_remediation_turns_rotation_on_and_leaves_the_rest() -> None:
    spoiled = AWS_KEY.but("enableKeyRotation", False).but("description", UNKNOWN)
    assert _mended("ks-keys-01", spoiled) == dict(spoiled.props) | {"enableKeyRotation": True}
    assert _mended("ks-keys-01", AWS_KEY) is None


def test_remediation_adds_known_tags_and_changes_none() -> None:
    options = {"defaultTags": {"data-class": "internal", "owner": "platform"}}
    bare = R("aws:kms/key:Key", {"tags": {"Owner": "team"}})
    tags = _mended("ks-conventions-01", bare, options)["tags"]
    assert tags == {"Owner": "team", "environment": "production", "data-class": "internal"}
    assert _mended("ks-conventions-01", WORKLOAD.but("metadata.labels", {})) is None


def test_remediation_keeps_secrets_secret() -> None:
    mended = _mended("ks-keys-01", R("aws:kms/key:Key", {"description": secret("Planted")}))
    assert isinstance(mended["description"], Secret)


def test_without_marks_nothing_is_said_of_secrets() -> None:
    for control in ("ks-secret-stores-14", "ks-secret-stores-15"):
        said = judge(pack("production", marked=False), control, [KV_SECRET.but("dataJson", TOKEN)])
        assert said.messages == []
        assert said.not_yet == ["not decidable before the update: whether values are secret"]


def test_every_control_tells_people_what_they_need() -> None:
    assert len(controls.ALL) > 60
    assert set(ENVIRONMENTS) == {"development", "staging", "production"}
    for control in controls.ALL:
        assert control.id.startswith(f"ks-{control.area}-")
        assert control.risk.endswith("."), control.id
        assert control.risk.count(". ") == 0, f"{control.id}: one sentence"
        assert all((control.title, control.setting, *control.steps)), control.id
        assert all(f.version and f.id for f in control.frameworks), control.id
