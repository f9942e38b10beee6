"""Every stack file under the pack, through the real engine: no violation, no exemption, and the update goes through."""

from __future__ import annotations

import re

import pytest

from policy import controls
from policy.core.levels import environment_of
from sandbox.engine.automation import PolicyRefusal
from tests.conftest import stack_document
from tests.policy.stacks_support import FILES, JudgedStacks

pytestmark = pytest.mark.engine

#: What a stack of a developer's machine leaves: a tag for the image, and no audit device.
LEFT = {"local": {"ks-kubernetes-07"}, "local-vault": {"ks-kubernetes-07", "ks-vault-07"}}
CLOUDS = ("example-aws-secret-manager", "example-azure-key-vault", "example-google-secret-manager")


def _violated(text: str) -> set[str]:
    return set(re.findall(r"^  [✗!] (ks-\S+) ", text, re.MULTILINE))


@pytest.mark.parametrize("name", FILES)
def test_a_preview_of_every_stack_file_is_judged_and_finds_nothing(
    judged_stacks: JudgedStacks, name: str
) -> None:
    text = judged_stacks.preview(name)
    environment = "development" if name in LEFT else name.replace("example-", "")
    environment = environment if environment in ("development", "staging") else "production"
    assert f"Policy: {len(controls.ALL)} controls at the levels of {environment}" in text
    assert _violated(text) == LEFT.get(name, set())
    assert ("Policy: no violation" in text) is (name not in LEFT)
    assert "mandatory" not in text


def test_a_release_with_known_holes_is_refused_by_the_tag_beside_its_digest(
    judged_stacks: JudgedStacks,
) -> None:
    with (
        judged_stacks.tagged("staging", "v1.3.5"),
        pytest.raises(PolicyRefusal, match=r"violations? of ks-kestra-20\.") as caught,
    ):
        judged_stacks.preview("staging")
    assert "Nothing was created or changed" in str(caught.value)


@pytest.mark.parametrize("name", [name for name in FILES if name not in LEFT])
def test_an_update_goes_through_with_everything_known(
    judged_stacks: JudgedStacks, name: str
) -> None:
    assert "Policy: no violation" in judged_stacks.up(name)


@pytest.mark.parametrize("name", ["staging", "production", *CLOUDS])
def test_a_stack_that_is_up_has_nothing_left_to_change(
    judged_stacks: JudgedStacks, name: str
) -> None:
    judged_stacks.up(name)
    again = judged_stacks.preview(name)
    assert f"Stack {name}: would change nothing" in again, again


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("example-aws-secret-manager", {"writing is refused", "IAM itself is out of reach"}),
        ("example-google-secret-manager", set()),
    ],
)
def test_kestra_reads_what_the_stack_declares(
    judged_stacks: JudgedStacks, name: str, more: set[str]
) -> None:
    judged_stacks.up(name)
    checks = judged_stacks.checks(name)
    assert all(checks.values()), checks
    values = [what for what in checks if what.endswith("holds the declared value")]
    assert len(values) == len(stack_document(name)["declared-secrets"])  # type: ignore[arg-type]
    assert more == set(checks) - set(values)


def test_staging_and_production_are_told_apart_by_their_settings() -> None:
    tags_by_stack = {name: stack_document(name)["tags"] for name in ("staging", "production")}
    assert all(tags["environment"] == name for name, tags in tags_by_stack.items())  # type: ignore[index]
    assert environment_of({}, "example-kafka") == "production"
