"""The log-in of an imported installation: one that Kestra accepts, whatever there was."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.importing.installation import Installation
from tests.importing.installation_support import imported, installation

GOOD = "Planted-Good-1"
ASKED = "pulumi config set --path 'kestra:server.basic-auth.username'"


def _with(block: str) -> Installation:
    source = installation()
    source.configuration["kestra"].pop("server")
    extra = installation(f"kestra: {{server: {{basic-auth: {block}}}}}")
    if block != "{}":
        source.configuration["kestra"]["server"] = extra.configuration["kestra"]["server"]
    return source


@pytest.mark.parametrize("username", [None, "ops@example.org"])
def test_without_a_log_in_one_is_made(username: str | None, tmp_path: Path) -> None:
    result = imported(tmp_path, _with("{}"), username=username)
    result.line("basic-auth", "no log-in")
    if username:
        assert result.config["server"] == {"basic-auth": {"username": username}}
        assert result.commands() == []
    else:
        assert result.commands() == [ASKED]
    assert result.unexpected_problems() == []


def test_enabled_is_left_out(tmp_path: Path) -> None:
    result = imported(tmp_path, _with("{enabled: false, username: ops@example.com}"))
    assert result.config["server"]["basic-auth"] == {"username": "ops@example.com"}
    result.line("basic-auth.enabled", "0.24")


def test_a_user_name_that_is_no_e_mail_address_is_asked_for(tmp_path: Path) -> None:
    result = imported(tmp_path, _with(f"{{username: admin, password: {GOOD}}}"))
    result.line("server.basic-auth.username", "admin")
    assert ASKED in result.commands()
    assert result.unexpected_problems() == []


def test_a_weak_password_is_generated_anew(tmp_path: Path, passphrase: str) -> None:
    result = imported(tmp_path, _with("{username: ops@example.com, password: planted-weak-word}"))
    assert result.config["server"]["basic-auth"] == {"username": "ops@example.com"}
    result.line("server.basic-auth.password", "upper-case")
    assert "planted-weak-word" not in result.shown()


def test_the_default_of_a_user_name_that_nothing_gives_was_in_force(tmp_path: Path) -> None:
    result = imported(tmp_path, _with("{username: '${OPS_MAIL:ops@example.com}'}"))
    assert result.config["server"]["basic-auth"]["username"] == "ops@example.com"
    result.line("OPS_MAIL", "default")
