"""A failure that comes last has its server's words and its way out too, whatever failed before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pulumi_vault as vault
import pytest
import requests

from components.registrations import Registrations
from components.safeguards.error_hooks import register_error_hook
from sandbox.services import Vault
from tests.faults.proxy_support import Answer, Proxy, Slow
from tests.faults.taken_support import FaultStack
from tests.tiers import long

pytestmark = pytest.mark.engine

TAKEN = ("taken-first", "taken-last")
WORDS = "path is already in use at {}/"


@pytest.fixture
def proxy(vault_server: Vault) -> Iterator[Proxy]:
    """Vault with two engines that no stack made; it is slow to refuse the last one."""
    for path in TAKEN:
        answer = requests.post(
            f"{vault_server.address}/v1/sys/mounts/{path}",
            json={"type": "kv"},
            headers={"X-Vault-Token": vault_server.root_token},
            timeout=30,
        )
        assert answer.ok or "already in use" in answer.text
    proxy = Proxy(vault_server.address)
    proxy.start()
    proxy.spoil(r"POST /v1/sys/mounts/taken-last", Slow(1.5))
    yield proxy
    proxy.heal()
    proxy.refuse()


def program() -> None:
    """What is registered first fails last; what fails first has a dependent, which can never be registered."""
    registrations = Registrations()
    registrations.follow()
    register_error_hook()
    pulumi.run(registrations.answered)
    vault.Mount("last", path="taken-last", type="kv")
    first = vault.Mount("first", path="taken-first", type="kv")
    vault.Policy("dependent", name="dependent", policy=first.path.apply(lambda path: f"# {path}"))


@pytest.mark.parametrize("goes_on", [True, False], ids=["continue on error", "plain"])
@pytest.mark.parametrize("runs", [2, pytest.param(12, marks=long("faults"))])
def test_every_failure_is_reported_in_its_servers_words_with_its_fix(
    runs: int,
    goes_on: bool,
    proxy: Proxy,
    vault_server: Vault,
    tools: dict[str, Path],
    tmp_path: Path,
) -> None:
    environment = {"VAULT_ADDR": proxy.address, "VAULT_TOKEN": vault_server.root_token}
    stack = FaultStack(tmp_path, tools["pulumi"], ["vault"], environment)
    for _ in range(runs):
        errors = stack.act("up", program, continue_on_error=goes_on)
        for path in TAKEN:
            assert WORDS.format(path) in errors
        assert len(stack.ways_out) == len(TAKEN)
        for words in ("connection refused", "kestra-way-out", "invalid state"):
            assert words not in errors


def test_a_plain_update_says_once_what_to_do_about_a_server_that_fails(
    proxy: Proxy, vault_server: Vault, tools: dict[str, Path], tmp_path: Path
) -> None:
    def program() -> None:
        registrations = Registrations()
        registrations.follow()
        register_error_hook()
        pulumi.run(registrations.answered)
        for name in ("one", "two"):
            vault.Mount(name, path=f"sealed-{name}", type="kv")

    sealed = Answer(503, b'{"errors": ["Vault is sealed"]}')
    proxy.spoil(r"POST /v1/sys/mounts/sealed-", sealed)
    environment = {"VAULT_ADDR": proxy.address, "VAULT_TOKEN": vault_server.root_token}
    stack = FaultStack(tmp_path, tools["pulumi"], ["vault"], environment)
    errors = stack.act("up", program, continue_on_error=True)
    assert errors.count("Unseal it with `vault operator unseal`") == 1
    assert len(re.findall(r"Errors: (?:\* )?Vault is sealed", errors)) == 2
