"""The commands of docs/backends/vault.md, run with Vault's own program against a real Vault."""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pulumi_vault as vault
import pytest

from components.validation import load
from sandbox.services import Vault
from sandbox.vault_check import Client
from tests.conftest import ROOT
from tests.plugins.vault_stack_support import VaultStack
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
def stack(vault_server: Vault, tools: dict[str, Path], tmp_path: Path) -> Iterator[VaultStack]:
    stack = VaultStack(tmp_path / "stack", vault_server, tools["pulumi"])
    yield stack
    stack.destroy(lambda: None)


def _program() -> None:
    engine = vault.Mount("engine", path=ENGINE, type="kv", options={"version": "2"})
    data = pulumi.Output.secret(json.dumps({"value": "of the stack"}))
    secret = vault.kv.SecretV2(
        "secret", mount=engine.path, name=SECRET, data_json=data, delete_all_versions=True
    )
    number = pulumi.Output.unsecret(secret.metadata).apply(lambda known: (known or {})["version"])
    pulumi.export("versionIds", {"DATABASE_PASSWORD": number})


def _state(metadata: str) -> tuple[str, dict[str, str]]:
    """The current version, and each version's deletion time, as `vault kv metadata get` prints them."""
    current = re.search(r"current_version\s+(\d+)", metadata)
    assert current is not None
    versions = re.findall(r"Version (\d+) =+\n.*?deletion_time\s+(\S+)", metadata, re.DOTALL)
    return current[1], dict(versions)


def test_a_version_that_others_wrote_or_deleted_is_seen_and_brought_back(
    stack: VaultStack, run: Run
) -> None:
    _, outputs = stack.up(_program)
    written = outputs["versionIds"]["DATABASE_PASSWORD"]
    look = _line("vault kv metadata get")
    assert _state(run(look)) == (written, {"1": "n/a"})

    stack.call("POST", f"{ENGINE}/data/{SECRET}", {"data": {"value": "of somebody else"}})
    assert _state(run(look))[0] == "2"
    run(_line("vault kv rollback"))
    read = lambda: stack.call("GET", f"{ENGINE}/data/{SECRET}").json()["data"]["data"]  # noqa: E731
    assert read() == {"value": "of the stack"}
    assert _state(run(look))[0] == "3"
    result = stack._with(_program).up(refresh=True)
    assert result.outputs["versionIds"].value == {"DATABASE_PASSWORD": "3"}
    assert read() == {"value": "of the stack"}

    stack.call("DELETE", f"{ENGINE}/data/{SECRET}")
    current, versions = _state(run(look))
    assert (current, versions["3"] != "n/a") == ("3", True)
    assert read() is None
    run(_line("vault kv undelete").replace("-versions=1", "-versions=3"))
    assert _state(run(look)) == ("3", {"1": "n/a", "2": "n/a", "3": "n/a"})
    assert read() == {"value": "of the stack"}


@pytest.fixture
def owner(vault_server: Vault) -> Client:
    """Who may do everything in the test Vault."""
    return Client(vault_server.address, vault_server.root_token)


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
