"""Secrets of the open-source edition are rotated as docs/rotation.md says: all lie in one Secret, and one pod rolls."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import stack_document
from tests.rotation.rotation_support import Rotated, Rotating

pytestmark = pytest.mark.engine

FIRST, SECOND, LOG_IN = "Pl4nted-First-Zq81", "Pl4nted-Second-Zq82", "Pl4nted-Login-Zq83"
HEADING, NAME = "Basic-auth password (open source)", "server.basic-auth.password"
VARIABLE = "STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD"


@pytest.fixture(scope="module")
def stack(rotating: Callable[..., Rotating]) -> Rotating:
    document: dict[str, Any] = stack_document("local")
    document["declared-secrets"]["API_TOKEN"] = {"namespace": "company.team", "value": FIRST}
    document["deployment"]["namespace"] = "rotation-oss"
    rotating_stack = rotating("rotation", document)
    rotating_stack.up()
    return rotating_stack


def rolled_by(rotated: Rotated, *variables: str) -> None:
    """These variables changed, in a Secret of another name; the pod follows, no version does."""
    assert rotated.data == set(variables)
    assert rotated.before.secret != rotated.after.secret
    assert rotated.rolled == {"kestra-standalone"}
    assert rotated.rehashed == rotated.new_versions == set()
    # The Secret of before stays until the pod has rolled.
    rolled = rotated.at("update", "kestra-standalone")
    assert rotated.at("create-replacement", "kestra-secret") < rolled
    assert rolled < rotated.at("delete-replaced", "kestra-secret")


def test_a_given_declared_secret_reaches_the_pod(stack: Rotating) -> None:
    rotated = stack.rotate("Declared secret, given", SECOND)
    rolled_by(rotated, "SECRET_API_TOKEN")
    assert base64.b64decode(rotated.after.data["SECRET_API_TOKEN"]).decode() == SECOND
    assert rotated.changed == set()


def test_a_generated_basic_auth_password_is_made_anew(stack: Rotating) -> None:
    rotated = stack.rotate(HEADING, lines=slice(1, 2))
    rolled_by(rotated, VARIABLE)
    assert rotated.changed == {NAME}
    assert rotated.after.data[VARIABLE] == rotated.after.generated[NAME]


def test_a_basic_auth_password_may_be_given_in_its_place(stack: Rotating) -> None:
    # What the stack does not make any more cannot be made anew.
    stack.edit(lambda config: config.pop("kestra:rotation"))
    rotated = stack.rotate(HEADING, LOG_IN, lines=slice(0, 1))
    rolled_by(rotated, VARIABLE)
    assert rotated.after.data[VARIABLE] == LOG_IN
    assert rotated.changed == {NAME}
    assert NAME not in rotated.after.generated
