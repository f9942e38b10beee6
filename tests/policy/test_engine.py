"""The pack in the real engine: what breaks a rule is refused before anything is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from policy import controls
from tests.policy.analyzer_support import R
from tests.policy.cloud_fixtures import ACCOUNT, AWS_KEY, TOKEN
from tests.policy.engine_support import JudgedStack
from tests.policy.kubernetes_fixtures import TAGS
from tests.policy.naive_support import stack as naive_stack

pytestmark = pytest.mark.engine

OWN_TAGS = {"owner": "platform", "environment": "production", "data-class": "internal"}
EXEMPT = {
    "control": "ks-keys-02",
    "resource": "key",
    "reason": "the key is a copy",
    "owner": "platform",
    "expires": "2999-12-31",
}


class Found(pulumi.CustomResource):
    """A resource of any type; `found` is known when it is made."""

    found: pulumi.Output[str]

    def __init__(self, resource: R, **more: Any) -> None:
        options = pulumi.ResourceOptions(protect=resource.protect or None)
        props = {**resource.props, **more, "found": None}
        super().__init__(resource.type, resource.name, props, options)


@pytest.fixture
def judged(tmp_path: Path, tools: dict[str, Path]) -> Callable[[str], JudgedStack]:
    return lambda name: JudgedStack(tmp_path / name, tools["pulumi"], name)


def naive() -> None:
    for resource in naive_stack():
        Found(resource)


def test_a_naive_production_stack_is_refused_before_anything_is_made(
    judged: Callable[[str], JudgedStack],
) -> None:
    stack = judged("kestra-prod")
    accepted, said = stack.run(naive, preview=True)
    assert not accepted
    for area in controls.AREAS:
        assert f"ks-{area}-" in said, area
    assert "[mandatory] [severity: critical]  ks-kestra-03" in said
    accepted, _ = stack.run(naive)
    assert not accepted
    assert stack.created == []


def test_in_development_the_same_stack_is_made_and_the_problems_are_told(
    judged: Callable[[str], JudgedStack],
) -> None:
    stack = judged("kestra-prod")
    stack.settings["kestra:tags"] = json.dumps({"environment": "development"})
    accepted, said = stack.run(naive)
    assert accepted
    assert len(stack.created) == len(naive_stack())
    assert "[advisory] [severity: critical]  ks-kestra-03" in said
    assert "[mandatory]" not in said


def _key(**more: Any) -> R:
    props = {**AWS_KEY.props, "tags": OWN_TAGS, **more}
    return R(AWS_KEY.type, props, "key", protect=True)


def test_what_is_unknown_at_preview_is_decided_at_the_update(
    judged: Callable[[str], JudgedStack],
) -> None:
    def program(key_id: str) -> Callable[[], None]:
        def made() -> None:
            key = Found(_key(), later=key_id)
            secret = R(
                "aws:secretsmanager/secret:Secret",
                {"tags": {**OWN_TAGS, "rotation": "external"}},
                "secret",
            )
            Found(secret, kmsKeyId=key.found)

        return made

    stack = judged("one-prod")
    bad = program("alias/aws/secretsmanager")
    assert stack.run(bad, preview=True)[0]
    accepted, said = stack.run(bad)
    assert not accepted
    assert "ks-secret-stores-01" in said
    other = judged("other-prod")
    accepted, said = other.run(program(f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"))
    assert accepted, said


def test_a_secret_in_clear_is_told_from_one_that_pulumi_keeps(
    judged: Callable[[str], JudgedStack],
) -> None:
    def program(value: Any, clear: str = "${NAME}") -> Callable[[], None]:
        def made() -> None:
            metadata = {"labels": TAGS, "namespace": "kestra"}
            Found(
                R("kubernetes:core/v1:Secret", {"metadata": metadata}, "secret"),
                stringData={"password": value() if callable(value) else value},
            )
            Found(
                R(
                    "kubernetes:core/v1:ConfigMap",
                    {"metadata": metadata, "data": {"a": clear}},
                    "map",
                )
            )

        return made

    stack = judged("kestra-prod")
    kept = lambda: pulumi.Output.secret(TOKEN)  # noqa: E731
    accepted, said = stack.run(program(kept), preview=True)
    assert accepted, said
    accepted, said = stack.run(program(TOKEN), preview=True)
    assert not accepted
    assert "ks-secret-stores-14" in said
    assert TOKEN not in said
    accepted, said = stack.run(program(kept, clear=f"password={TOKEN}"), preview=True)
    assert not accepted
    assert "ks-secret-stores-15" in said


def test_in_production_rotation_and_tags_are_mended(
    judged: Callable[[str], JudgedStack],
) -> None:
    tags = {k: v for k, v in OWN_TAGS.items() if k != "environment"}

    def program() -> None:
        key = Found(_key(enableKeyRotation=False, tags=tags))
        pulumi.export("key", key.id)

    accepted, said = judged("kestra-prod").run(program)
    assert accepted, said
    assert "ks-keys-01" in said
    assert "[remediate]" in said
    accepted, said = judged("kestra-staging").run(program)
    assert not accepted


def test_the_configuration_exempts_for_a_while_and_says_so(
    judged: Callable[[str], JudgedStack],
) -> None:
    def program() -> None:
        Found(_key(deletionWindowInDays=7))

    stack = judged("kestra-prod")
    assert not stack.run(program, preview=True)[0]
    config = {"ks-configuration": {"exemptions": [EXEMPT]}}
    accepted, said = stack.run(program, config, preview=True)
    assert accepted, said
    assert "ks-keys-02 does not apply to key until 2999-12-31" in said
    late = {"ks-configuration": {"exemptions": [EXEMPT | {"expires": "2020-01-01"}]}}
    accepted, said = stack.run(program, late, preview=True)
    assert not accepted
    assert "expired on 2020-01-01" in said
    assert stack.run(program, {"ks-keys-02": "advisory"}, preview=True)[0]
