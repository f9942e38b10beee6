"""The commands of docs/backends/vault.md, run with Vault's own program against a real Vault."""

from __future__ import annotations

import datetime
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.backends.answers import CurrentVersion, WrittenSecret
from components.backends.vault import drift
from components.validation import load
from sandbox.services import Vault
from sandbox.vault_check import Client
from tests.conftest import ROOT
from tests.settings.malformed_fixtures import enterprise

pytestmark = pytest.mark.engine

PAGE = (ROOT / "docs" / "backends" / "vault.md").read_text()
ENGINE, SECRET = "t-commands", "main/company/team/DATABASE_PASSWORD"
Run = Callable[[str], str]


@pytest.fixture
def run(vault_server: Vault, tools: dict[str, Path], tmp_path: Path) -> Run:
    """Runs a command line of Vault's program as the owner of the test Vault."""

    def one(line: str) -> str:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "vault"
        environment = {
            "VAULT_ADDR": vault_server.address,
            "VAULT_TOKEN": vault_server.root_token,
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            [tools["vault"], *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return one


def _line(beginning: str) -> str:
    """The page's command that begins so, for the engine of the test."""
    (line,) = {line for line in PAGE.splitlines() if line.startswith(beginning)}
    return line.replace("-mount=kestra", f"-mount={ENGINE}")


@pytest.fixture
def owner(vault_server: Vault) -> Client:
    """Who may do everything in the test Vault."""
    return Client(vault_server.address, vault_server.root_token)


@pytest.fixture
def written(
    owner: Client, vault_server: Vault, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WrittenSecret]:
    """A secret of which a stack wrote the first version."""
    assert owner.call("POST", f"sys/mounts/{ENGINE}", {"type": "kv-v2"}).ok
    data, metadata = (f"{ENGINE}/{kind}/{SECRET}" for kind in ("data", "metadata"))
    assert owner.call("POST", data, {"data": {"value": "of the stack"}}).ok
    assert owner.call("POST", metadata, {"custom_metadata": {"team": "x"}}).ok
    monkeypatch.setenv("VAULT_ADDR", vault_server.address)
    monkeypatch.setenv("VAULT_TOKEN", vault_server.root_token)
    yield WrittenSecret("DATABASE_PASSWORD", data, "1", {"type": drift.QUERY.resource_type})
    assert owner.call("DELETE", f"sys/mounts/{ENGINE}").ok


def _number_and_fault(version: CurrentVersion) -> tuple[str, str]:
    return version.number, version.fault


def test_what_others_did_to_a_secret_is_seen_and_the_command_of_the_page_marks_it(
    written: WrittenSecret, owner: Client, run: Run
) -> None:
    assert _number_and_fault(drift.current_version(written)) == ("1", "")
    assert owner.call("DELETE", written.id).ok
    deleted = drift.current_version(written)
    assert _number_and_fault(deleted) == ("1", "it is deleted")
    assert owner.call("POST", written.id, {"data": {"value": "of somebody else"}}).ok
    other = drift.current_version(written)
    assert _number_and_fault(other) == ("2", "")
    assert owner.call("POST", written.id.replace("data", "destroy", 1), {"versions": [2]}).ok
    assert _number_and_fault(drift.current_version(written)) == ("2", "it is destroyed")

    for current in (deleted, other):
        mark, update = drift.remedy(written, current)
        assert _line("vault kv metadata put") == mark
        assert update == "pulumi up --refresh"
    run(mark)
    metadata = owner.call("GET", written.id.replace("data", "metadata", 1)).json()["data"]
    assert metadata["custom_metadata"] == {"drift": "seen"}
    assert metadata["current_version"] == 2

    assert owner.call("DELETE", written.id.replace("data", "metadata", 1)).ok
    gone = drift.current_version(written)
    assert (gone.number, drift.remedy(written, gone)) == ("", ["pulumi up --refresh"])


@pytest.fixture
def mount(owner: Client) -> Iterator[str]:
    assert owner.call("POST", "sys/auth/t-lives", {"type": "approle"}).ok
    yield "t-lives"
    assert owner.call("DELETE", "sys/auth/t-lives").ok


def test_vault_shortens_the_life_of_a_secret_id_until_its_mount_is_tuned(
    owner: Client, mount: str, run: Run
) -> None:
    days = {"secret_id_ttl": "2160h", "token_ttl": "1h", "token_max_ttl": "2160h"}
    assert owner.call("POST", f"auth/{mount}/role/kestra", days).ok

    def lives() -> tuple[float, float]:
        """Hours that a new secret id lives, and that a token can be renewed for."""
        new = owner.call("POST", f"auth/{mount}/role/kestra/secret-id").json()["data"]
        secret_id = {"secret_id": new["secret_id"]}
        answer = owner.call("POST", f"auth/{mount}/role/kestra/secret-id/lookup", secret_id).json()
        life = _hours(answer["data"]["creation_time"], answer["data"]["expiration_time"])
        role_id = owner.call("GET", f"auth/{mount}/role/kestra/role-id").json()["data"]
        token = owner.call("POST", f"auth/{mount}/login", role_id | secret_id).json()["auth"]
        renewed = owner.call(
            "POST", "auth/token/renew", {"token": token["client_token"], "increment": "2160h"}
        )
        return life, renewed.json()["auth"]["lease_duration"] / 3600

    assert [round(hours) for hours in lives()] == [768, 768]
    run(_line("vault auth tune").replace("approle/", f"{mount}/"))
    assert [round(hours) for hours in lives()] == [2160, 2160]


def test_the_command_of_the_warning_raises_the_life_of_a_token(owner: Client, run: Run) -> None:
    document = enterprise(
        secret={"type": "vault", "read-only": True, "vault": {"address": "https://v:8200", "token": {}}},
        identity={"vault": {"token-max-ttl": "2160h"}},
    )  # fmt: skip
    (warning,) = load(document, source="test").warnings
    tune = re.search(r"`(vault auth tune .*?)`", warning.fix)
    assert tune is not None

    def life() -> float:
        body = {"ttl": "2160h", "no_parent": True, "policies": ["default"]}
        return owner.call("POST", "auth/token/create", body).json()["auth"]["lease_duration"] / 3600

    assert round(life()) == 768
    run(tune[1])
    try:
        assert round(life()) == 2160
    finally:
        run("vault auth tune -max-lease-ttl=768h token/")


def _hours(begin: str, end: str) -> float:
    moments = [datetime.datetime.fromisoformat(m[:19]) for m in (begin, end)]
    return (moments[1] - moments[0]).total_seconds() / 3600
