"""The token that kubelet mounts into Kestra's pod, at the sandbox's real Vault (docs/real-pods.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.vault_check import service_account_token
from tests.nodes.kestra_pods_support import (
    NAMESPACE,
    Pods,
    RunningStack,
    running_stack,
    settings_of,
)
from tests.nodes.vault_pods_support import TOKEN, VaultFromPod
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


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, Pods]]:
    """The stack `local-vault` in one pod."""
    with running_stack(tmp_path_factory.mktemp("pods"), "local-vault", CHANGES) as both:
        yield both


def test_the_pods_own_token_reads_the_declared_secrets_and_nothing_of_the_stacks_key(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    vault = VaultFromPod(stack, pods)
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
    vault = VaultFromPod(stack, pods)
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
