"""The random stand-in through the real engine."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcrypt
import pulumi
import pulumi_random as random
import pytest

from sandbox.leak_scan.scan import search, search_text
from tests.plugins.vault_stack_support import VaultStack, is_secret

pytestmark = pytest.mark.engine


@pytest.fixture
def stack(tmp_path: Path, tools: dict[str, Path]) -> VaultStack:
    return VaultStack(tmp_path, None, tools["pulumi"])


def _key(length: int = 32, **inputs: Any) -> Callable[[], None]:
    def program() -> None:
        key = random.RandomBytes("key", length=length, **inputs)
        pulumi.export("key", key.base64)
        pulumi.export("hex", key.hex)
        pulumi.export("id", key.id)

    return program


def _password(**inputs: Any) -> Callable[[], None]:
    def program() -> None:
        password = random.RandomPassword("password", **{"length": 24, **inputs})
        pulumi.export("password", password.result)
        pulumi.export("hash", password.bcrypt_hash)

    return program


def _leaks(stack: VaultStack, secrets: dict[str, str]) -> list[Any]:
    console = search_text(stack.console.encode(), "console", secrets)
    return console + search([stack.directory / "state", stack.directory / "work"], secrets)


def test_bytes_are_made_once_and_their_id_is_their_value(stack: VaultStack) -> None:
    changes, first = stack.up(_key())
    assert changes == {"create": 2}
    assert len(base64.b64decode(first["key"])) == 32
    assert base64.b64decode(first["key"]).hex() == first["hex"]
    assert stack.up(_key()) == ({}, first)
    assert stack.refresh(_key()) == {}
    assert stack.up(_key()) == ({}, first)
    # A trap of the official provider, kept so that no program falls into it unseen.
    assert first["id"] == first["key"]
    assert _leaks(stack, {"key": first["key"]}) != []
    state = stack.resource("key")["outputs"]
    assert is_secret(state["base64"])
    assert is_secret(state["hex"])


@pytest.mark.parametrize("change", [{"length": 33}, {"keepers": {"turn": "2"}}], ids=str)
def test_a_changed_input_makes_another_value(stack: VaultStack, change: dict[str, Any]) -> None:
    _, before = stack.up(_key())
    changes, after = stack.up(_key(**change))
    assert changes == {"replace": 1}
    assert after["key"] != before["key"]


def test_a_password_keeps_its_rules_and_its_hash(stack: VaultStack) -> None:
    _, outputs = stack.up(_password(special=False, min_lower=2, min_upper=2, min_numeric=2))
    password = outputs["password"]
    assert len(password) == 24
    assert password.isalnum()
    assert all(sum(map(kind, password)) >= 2 for kind in (str.islower, str.isupper, str.isdigit))
    assert bcrypt.checkpw(password.encode(), outputs["hash"].encode())
    assert _leaks(stack, {"password": password}) == []


def test_writing_a_default_down_changes_nothing(stack: VaultStack) -> None:
    stack.up(_password())
    state = stack.resource("password")["outputs"]
    assert state["minLower"] == 0
    assert state["special"] is True
    assert stack.up(_password(special=True, lower=True, min_lower=0))[0] == {}


def test_a_preview_of_what_is_not_made_yet_goes_through(stack: VaultStack) -> None:
    def program() -> None:
        key = random.RandomBytes("key", length=32)
        again = random.RandomId("again", byte_length=4, keepers={"key": key.base64})
        pulumi.export("again", again.hex)

    assert stack.preview(program) == {"create": 3}
    assert stack.up(program)[0] == {"create": 3}
    assert is_secret(stack.resource("again")["inputs"]["keepers"])
    assert stack.up(program)[0] == {}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"length": 0}, ["must be at least 1", "password.length"]),
        ({"length": 3, "min_lower": 4}, ["min_upper + min_lower", "got: 3", "password.length"]),
        ({"length": "long"}, ["expected integer type", "password.length"]),
    ],
    ids=["no length", "more than there is room for", "a word"],
)
def test_a_wrong_input_is_refused_with_its_name(
    stack: VaultStack, inputs: dict[str, Any], words: list[str]
) -> None:
    said = stack.refused(_password(**inputs), preview=True)
    assert all(word in said for word in words), said
    assert "Traceback" not in said


def test_an_existing_key_can_be_imported(stack: VaultStack) -> None:
    known = base64.b64encode(bytes(range(32))).decode()
    _, outputs = stack.up(_key(opts=pulumi.ResourceOptions(import_=known)))
    assert outputs["key"] == known
    assert stack.up(_key()) == ({}, outputs)
