"""The token that kubelet mounts into Kestra's pod, at the sandbox's real Vault (docs/real-pods.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from components.rendering.leaves import resolve
from sandbox.check import read_back
from sandbox.vault_check import service_account_token
from tests.nodes.kestra_pods_support import (
    NAMESPACE,
    Pods,
    RunningStack,
    running_stack,
    settings_of,
)
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

#: The stack in one pod, with the database in its process.
CHANGES: dict[str, Any] = {
    **settings_of(
        "local", "datasources", "queue", "repository", "storage", instead_of="local-vault"
    ),
    "kestra:deployment": {
        "namespace": NAMESPACE,
        "mode": "standalone",
        "environment-from": None,
        "components": None,
    },
}
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
#: Prints the answer to an HTTP request, which standard input holds.
ASK = 'exec 3<>"/dev/tcp/{host}/{port}"; head -c {length} >&3; cat <&3'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, Pods]]:
    """The stack `local-vault` in one pod."""
    with running_stack(tmp_path_factory.mktemp("pods"), "local-vault", CHANGES) as both:
        yield both


class _Vault:
    """Vault asked from within Kestra's pod, at the address that Kestra has."""

    def __init__(self, stack: RunningStack, pods: Pods) -> None:
        self._pods, self._pod = pods, pods.ready()
        ready = stack.sandbox.ready(stack.name, stack.sandbox.settings(stack.name))
        outputs = {name: output.value for name, output in ready.outputs().items()}
        text, environment = read_back(ready.plane, outputs)
        block = resolve(yaml.safe_load(text)["kestra"]["secret"]["vault"], environment)
        assert isinstance(block, dict)
        self._block: dict[str, Any] = block
        self.values: dict[str, str] = outputs["generated"]

    def log_in(self, token: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of Kestra's log-in with a service account's token."""
        method = self._block["kubernetes"]
        return self.ask(
            "POST", f"auth/{method['path']}/login", {"role": method["role"], "jwt": token}
        )

    def read(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of a request for a path."""
        return self.ask("GET", path, None, token)

    def ask(
        self, method: str, path: str, body: dict[str, str] | None, token: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer of a request."""
        address = urlsplit(self._block["address"])
        content = json.dumps(body) if body else ""
        lines = [
            f"{method} /v1/{path} HTTP/1.0",
            f"X-Vault-Token: {token}",
            f"Content-Length: {len(content)}",
        ]
        request = "\r\n".join([*lines, "", content])
        script = ASK.format(host=address.hostname, port=address.port, length=len(request))
        head, _, text = self._pods.run(self._pod, script, stdin=request).out.partition("\r\n\r\n")
        return int(head.split()[1]), json.loads(text or "{}")


def test_the_pods_own_token_reads_the_declared_secrets_and_nothing_of_the_stacks_key(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    vault = _Vault(stack, pods)
    mounted = pods.run(pods.ready(), f"cat {TOKEN}").out
    status, answer = vault.log_in(mounted)
    assert status == 200
    token = answer["auth"]["client_token"]
    status, answer = vault.read("kestra/data/main/company/team/DATABASE_PASSWORD", token)
    assert status == 200, answer
    assert answer["data"]["data"]["value"] == vault.values["declared-secrets.DATABASE_PASSWORD"]
    assert vault.read("kestra-stack/data/encryption", token)[0] == 403


def test_the_token_of_another_account_is_refused(running: tuple[RunningStack, Pods]) -> None:
    stack, pods = running
    vault = _Vault(stack, pods)
    other = service_account_token(pods.plane, NAMESPACE, "default", None)
    assert vault.log_in(other)[0] == 403
    elsewhere = service_account_token(pods.plane, "kube-system", "default", None)
    assert vault.log_in(elsewhere)[0] == 403


def test_the_mounted_token_is_readable_by_kestras_group_alone(
    running: tuple[RunningStack, Pods],
) -> None:
    _, pods = running
    answer = pods.run(pods.ready(), f"stat -L -c '%a %u:%g' {TOKEN}")
    assert answer.out.split()[0] in ("600", "640")
    assert answer.out.split()[1].endswith("1000") or answer.out.split()[1].startswith("1000")
