"""`python -m components secret`: what it takes, prints and refuses."""

from __future__ import annotations

import getpass
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from components.secret_values.actions import random_value
from tests.secret_values.values_support import (
    PLANTED,
    VAULT_METADATA,
    VAULT_SECRET,
    Manager,
    Piped,
    document_of,
    stack_file,
)


def test_a_value_of_standard_input_goes_to_vault_and_nowhere_else(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    manager.answers[f"POST {VAULT_SECRET}"] = {"data": {"version": 3}}
    status, printed = secret("set", "API_TOKEN", "--stack", file, value=f"{PLANTED}\n".encode())
    assert status == 0
    assert "API_TOKEN: version 3 is in force in HashiCorp Vault" in printed
    assert manager.sent == [(f"POST {VAULT_SECRET}", {"data": {"value": PLANTED}})]
    assert [path.name for path in tmp_path.iterdir() if path.name != "az"] == ["Pulumi.tried.yaml"]


@pytest.mark.parametrize(
    ("typed", "options", "value"),
    [
        (b"a\n", (), "a"), (b"a\r\n", (), "a"), (b"a\n\n", (), "a\n"), (b" a ", (), " a "), (b"a\r", (), "a\r"),
        (b"a\n", ("--keep-newline",), "a\n"), ("ä\n{{ }}".encode(), (), "ä\n{{ }}"),
    ],
)  # fmt: skip
def test_standard_input_is_the_value_but_for_one_newline(
    manager: Manager, secret: Any, tmp_path: Path, typed: bytes, options: Any, value: str
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    manager.answers[f"POST {VAULT_SECRET}"] = {"data": {"version": 1}}
    assert secret("set", "API_TOKEN", "--stack", file, *options, value=typed)[0] == 0
    assert manager.sent[0][1] == {"data": {"value": value}}


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (("set", "API_TOKEN"), b"", "No value was given: standard input is empty"),
        (("set", "API_TOKEN"), b"\n", "The value of API_TOKEN is empty"),
        (("set", "API_TOKEN"), b"\xff\xfe", "no text in UTF-8"),
        (("set", "API_TOKEN"), b"a\0b", "zero byte"),
        (("set", "API_TOKEN"), b"a" * (1 << 20) + b"b", "longer than 1 MiB"),
        (("set", "API_TOKEN", PLANTED), b"", "does not belong on a command line"),
        (("set", f"API_TOKEN={PLANTED}"), b"", "does not belong on a command line"),
        (("set", "API_TOKEN", "--value", PLANTED), b"", "does not belong on a command line"),
        (("set", f"--value={PLANTED}"), b"", "does not belong on a command line"),
        (("set", PLANTED), b"", "declares no secret of this name. There are API_TOKEN, DATABASE_PASSWORD"),
        (("set", "api_tokn"), b"", "Did you mean API_TOKEN?"),
        (("set", "OWN"), b"x", "OWN is not external: the stack writes its value"),
        (("set",), b"x", "Name the secret"),
        (("list", PLANTED), b"", "more than this takes"),
        (("generate", "API_TOKEN"), b"", "not to be generated: set it with"),
        (("copy", "API_TOKEN"), b"", "no second secret manager"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_without_a_word_to_the_manager(
    manager: Manager, secret: Any, tmp_path: Path, arguments: Any, typed: bytes, words: str
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    status, printed = secret(*arguments, "--stack", file, value=typed)
    assert (status, manager.sent) == (1, [])
    assert words in printed


def test_a_terminal_is_asked_twice_and_never_shown_the_value(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: Any
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    monkeypatch.setattr(Piped, "isatty", lambda _: True)
    typed = iter([PLANTED, PLANTED, PLANTED, "another", ""])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))
    manager.answers[f"POST {VAULT_SECRET}"] = {"data": {"version": 1}}
    assert secret("set", "API_TOKEN", "--stack", file)[0] == 0
    status, printed = secret("set", "API_TOKEN", "--stack", file)
    assert (status, "differ" in printed) == (1, True)
    status, printed = secret("set", "API_TOKEN", "--stack", file)
    assert (status, "is empty" in printed) == (1, True)
    assert [body for _, body in manager.sent] == [{"data": {"value": PLANTED}}]

    def cannot_hide(prompt: str) -> str:
        warnings.warn("it would be shown", getpass.GetPassWarning, stacklevel=2)
        return PLANTED

    monkeypatch.setattr(getpass, "getpass", cannot_hide)
    status, printed = secret("set", "API_TOKEN", "--stack", file)
    assert (status, "cannot hide" in printed) == (1, True)

    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(getpass, "getpass", interrupted)
    assert secret("set", "API_TOKEN", "--stack", file)[0] == 130
    assert len(manager.sent) == 1


def test_a_stack_that_there_is_not_and_one_without_a_manager_are_refused(
    secret: Any, tmp_path: Path
) -> None:
    status, printed = secret("list", "--stack", "local-valt")
    assert (status, "Did you mean local-vault" in printed) == (1, True)
    status, printed = secret("list", "--stack", "local")
    assert (status, "no secret manager that takes values" in printed) == (1, True)
    broken = stack_file(tmp_path, document_of("vault", A={"namespace": "a", "external": "yes"}))
    status, printed = secret("list", "--stack", broken)
    assert (status, "declared-secrets.A.external" in printed) == (1, True)


@pytest.mark.parametrize(
    "name", ["", "..", "a\0b", "x" * 5000, "../../etc/passwd", "\udcff", "\x1b[31m"]
)
@pytest.mark.parametrize("ending", ["", ".yaml"])
def test_the_name_of_a_stack_may_be_anything(secret: Any, name: str, ending: str) -> None:
    status, printed = secret("list", "--stack", f"{name}{ending}" or ".")
    assert status == 1
    assert "\x1b" not in printed
    assert "no stack of this name" in printed or "stack file" in printed


@pytest.mark.parametrize(
    "name", ["", " ", "a\nb", "\x1b[31m", "\udcff", "x" * 100_000, "../API_TOKEN"]
)
def test_the_name_of_a_secret_may_be_anything_and_is_not_repeated(
    manager: Manager, secret: Any, tmp_path: Path, name: str
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    for action in ("set", "generate", "copy"):
        options = ("--to", file) if action == "copy" else ()
        status, printed = secret(action, name, *options, "--stack", file, value=b"x")
        assert (status, manager.sent) == (1, [])
        assert "declares no secret of this name" in printed
        assert name.strip() not in printed or not name.strip()


def test_the_list_says_versions_ages_and_who_is_without_a_value(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    manager.answers[f"GET {VAULT_METADATA}"] = {
        "data": {
            "current_version": 2,
            "versions": {"2": {"created_time": "2026-01-02T03:04:05.6Z"}},
        }
    }
    status, printed = secret("list", "--stack", file)
    assert status == 1
    first, second = printed.splitlines()
    assert first.startswith("API_TOKEN: version 2, ")
    assert first.endswith(" old (HashiCorp Vault)")
    assert (
        second == "DATABASE_PASSWORD: it has no place yet: `pulumi up` makes it (HashiCorp Vault)"
    )
    other = VAULT_METADATA.replace("API_TOKEN", "DATABASE_PASSWORD")
    manager.answers[f"GET {other}"] = {"data": {"current_version": 0, "versions": {}}}
    status, printed = secret("list", "--stack", file, "--json")
    rows = json.loads(printed)
    assert [(row["version"], row["fault"]) for row in rows] == [
        ("2", None),
        (None, "it has no value yet"),
    ]
    manager.answers[f"GET {other}"] = manager.answers[f"GET {VAULT_METADATA}"]
    assert secret("list", "--stack", file)[0] == 0


def test_a_generated_value_is_made_once_and_again_only_when_asked_for(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    path = VAULT_SECRET.replace("API_TOKEN", "DATABASE_PASSWORD")
    manager.answers[f"POST {path}"] = {"data": {"version": 1}}
    assert secret("generate", "--stack", file)[0] == 0
    (value,) = [body["data"]["value"] for asked, body in manager.sent if body]
    assert len(value) == 20
    manager.answers[f"GET {path.replace('/data/', '/metadata/')}"] = {
        "data": {"current_version": 1, "versions": {"1": {}}}
    }
    status, printed = secret("generate", "DATABASE_PASSWORD", "--stack", file)
    assert (status, "version 1 is there" in printed) == (0, True)
    # One that was deleted is none.
    metadata = f"GET {path.replace('/data/', '/metadata/')}"
    manager.answers[metadata]["data"]["versions"]["1"] = {"destroyed": True}
    assert "is in force" in secret("generate", "--stack", file)[1]
    manager.answers[metadata]["data"]["versions"]["1"] = {}
    assert secret("generate", "--again", "--stack", file)[0] == 0
    made = [body["data"]["value"] for _, body in manager.sent if body]
    assert len(made) == len(set(made)) == 3
    assert not any(value in printed for value in made)


@pytest.mark.parametrize("special", [True, False])
def test_a_random_value_has_every_kind_of_character(special: bool) -> None:
    values = {random_value(16, special=special) for _ in range(50)}
    assert len(values) == 50
    for value in values:
        assert len(value) == 16
        assert any(c.islower() for c in value)
        assert any(c.isupper() for c in value)
        assert any(c.isdigit() for c in value)
        assert any(not c.isalnum() for c in value) == special
