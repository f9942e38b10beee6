"""`python -m sandbox up` whose servers fail in the middle: what a person sees, and that the same command goes on."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from sandbox import cli
from sandbox.leak_scan.scan import search, search_text
from sandbox.services import ControlPlane, Vault
from sandbox.state import Last, State
from tests.faults.proxy_support import Proxy, Then

pytestmark = pytest.mark.engine

STACK = "local-vault"
NAMESPACE = "kestra-vault"


@dataclass
class Person:
    """Runs commands of the sandbox; its Vault is reached through a proxy."""

    state: State
    tools: dict[str, Path]
    vault: Vault
    plane: ControlPlane
    proxy: Proxy
    told: list[str] = field(default_factory=list)

    def up(self) -> tuple[int, str]:
        """The exit code, and what a person sees on both channels."""
        seen = io.StringIO()
        with contextlib.redirect_stdout(seen), contextlib.redirect_stderr(seen):
            code = cli.main(["up", STACK, "--state", str(self.state.directory)])
        self.told.append(seen.getvalue())
        print(seen.getvalue())
        return code, seen.getvalue()

    def recorded(self) -> dict[str, str]:
        """The types of the state's resources, by their ids."""
        resources = self.state.latest(STACK)["resources"]
        return {r["id"]: r["type"] for r in resources if r.get("id")}

    def objects(self) -> set[str]:
        """What stands in the namespace of the API server, as the ids of the state."""
        found = set()
        for path in ("api/v1/{}/secrets", "api/v1/{}/configmaps", "apis/apps/v1/{}/deployments"):
            url = f"{self.plane.url}/{path.format(f'namespaces/{NAMESPACE}')}"
            items = self.plane.session().get(url, timeout=30).json()["items"]
            found |= {one["metadata"]["name"] for one in items}
        return {f"{NAMESPACE}/{name}" for name in found - {"kube-root-ca.crt"}}


@pytest.fixture
def person(
    tools: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Person]:
    state = State(tmp_path / "state")
    proxies: list[Proxy] = []

    class Behind(Vault):
        """The sandbox's own Vault, with its address that of a proxy once it is active."""

        @property
        def address(self) -> str:
            return proxies[0].address if proxies else super().address

    monkeypatch.setattr(cli, "Vault", Behind)
    plane = ControlPlane(state.services / "kubernetes", tools)
    vault = Vault(state.services / "vault", tools)
    try:
        state.create()
        vault.start()
        proxies.append(Proxy(vault.address).start())
        yield Person(state, tools, vault, plane, proxies[0])
    finally:
        for proxy in proxies:
            proxy.heal()
            proxy.refuse()
        plane.stop()
        vault.stop()


def test_what_fails_in_the_middle_is_told_with_a_way_out_and_the_same_command_goes_on(
    person: Person,
) -> None:
    vault = person.vault

    def seal() -> None:
        headers = {"X-Vault-Token": vault.root_token}
        requests.put(f"{vault.address}/v1/sys/seal", headers=headers, timeout=30)

    person.proxy.spoil("POST /v1/sys/mounts/kestra ", Then(seal), 1)
    code, told = person.up()
    assert code == 1
    # The official plugin makes a list of it.
    assert re.search(r"Errors: (\* )?Vault is sealed", told)
    assert "vault:SecretV2" in told or "vault:Mount" in told
    assert "→ Vault is sealed and answers nothing. Unseal it with `vault operator unseal`" in told
    assert "run the same command again: it goes on from there" in told
    # The API server did not fail: what needs nothing of Vault is there.
    assert "kubernetes:Namespace" in told
    assert f"{NAMESPACE}" in person.recorded()
    assert person.objects() <= set(person.recorded())

    # The sandbox unseals its Vault; now the API server ends in the middle.
    api = next(server for server in person.plane.servers if server.name == "kube-apiserver")
    person.proxy.heal()
    person.proxy.spoil("POST /v1/kestra/data/", Then(api.stop), 1)
    code, told = person.up()
    assert code == 1
    assert "kubernetes:" in told.partition("Error: ")[2]
    assert "→ The API server is not reachable" in told
    last = Last.read(person.state.stack(STACK))
    assert last is not None
    assert last.result == "failed"

    person.proxy.heal()
    code, told = person.up()
    assert code == 0, told
    assert person.objects() <= set(person.recorded())
    code, told = person.up()
    assert code == 0
    assert f"Stack {STACK}: no change" in told
    for text in person.told:
        at = text.find("Traceback")
        assert at < 0, text[max(0, at - 500) : at + 3000]
        assert "the stand-in failed" not in text
    kept = "".join(person.told).encode()
    headers = {"X-Vault-Token": vault.root_token}
    secrets = {}
    for path in ("company/team/DATABASE_PASSWORD", "company/team/billing/API_TOKEN"):
        url = f"{vault.address}/v1/kestra/data/main/{path}"
        found = requests.get(url, headers=headers, timeout=30).json()["data"]
        assert found["metadata"]["version"] == 1
        secrets[path] = found["data"]["value"]
    assert search_text(kept, "console", secrets) == []
    assert search([person.state.stack(STACK), person.state.backend], secrets) == []
