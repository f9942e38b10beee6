"""Levels by environment, and which environment a stack is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2 as proto

from policy import controls
from policy.core.levels import ENVIRONMENTS, environment_of
from policy.core.model import Environment
from tests.policy.analyzer_support import UNKNOWN, Call, R, pack, request, secret
from tests.policy.cloud_fixtures import AWS_KEY
from tests.policy.kubernetes_fixtures import WORKLOAD

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
    info = pack(environment).GetAnalyzerInfo(None, Call())
    assert info.displayName == f"Kestra, {environment}"
    for policy in info.policies[1:]:
        expected = (
            "advisory" if policy.name in ADVICE else mending if policy.name in MENDING else level
        )
        named = proto.EnforcementLevel.Name(policy.enforcementLevel)
        assert named == expected.upper(), policy.name


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
    response = pack("production", options).Remediate(request(resource), Call())
    mended = [r for r in response.remediations if r.policyName == control]
    return json_format.MessageToDict(mended[0].properties) if mended else None


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
    assert mended["description"] == secret("Planted")


def test_every_control_tells_people_what_they_need() -> None:
    assert len(controls.ALL) > 60
    assert set(ENVIRONMENTS) == {"development", "staging", "production"}
    for control in controls.ALL:
        assert control.id.startswith(f"ks-{control.area}-")
        assert control.risk.endswith("."), control.id
        assert control.risk.count(". ") == 0, f"{control.id}: one sentence"
        assert all((control.title, control.setting, *control.steps)), control.id
        assert all(f.version and f.id for f in control.frameworks), control.id
