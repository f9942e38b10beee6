"""Every secret of a whole stack on a real Vault is rotated as docs/rotation.md says; one test goes on from the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.services import Vault
from sandbox.vault_check import Client, log_in
from tests.conftest import running, stack_document
from tests.rotation.rotation_support import (
    Pods,
    Rotated,
    Rotating,
    documented,
    readable,
    section,
    vault_cli,
)

pytestmark = pytest.mark.engine

FIRST, SECOND, DATABASE = "Pl4nted-First-Zq81", "Pl4nted-Second-Zq82", "Pl4nted-Database-Zq83"
API_TOKEN, PASSWORD = "main/company/team/billing/API_TOKEN", "main/company/team/DATABASE_PASSWORD"
EVERY = {f"kestra-{c}" for c in ("webserver", "executor", "scheduler", "indexer", "worker")}
#: The others may not read secrets (`secret.isolation.denied-services`).
READING = {"kestra-webserver", "kestra-worker"}
ENGINE = "kestra"


@pytest.fixture(scope="module")
def vault(tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A Vault of its own: the commands of the page name its engines."""
    with running(Vault(tmp_path_factory.mktemp("rotation-vault"), tools)) as server:
        yield server


@pytest.fixture(scope="module")
def stack(rotating: Callable[..., Rotating], vault: Vault) -> Rotating:
    document: dict[str, Any] = stack_document("local-vault")
    document["secret"]["vault"] = {"address": vault.address, "root-engine": ENGINE, "app-role": {}}
    document["identity"] = {"vault": {"secret-id-num-uses": 100_000}}
    document["declared-secrets"]["API_TOKEN"] = {
        "namespace": "company.team.billing",
        "value": FIRST,
    }
    document["datasources"]["postgres"]["password"] = FIRST
    document["deployment"]["namespace"] = "rotation-vault"
    document["deployment"]["components"] = {}
    rotating_stack = rotating("rotation", document, vault)
    rotating_stack.up()
    return rotating_stack


def client_of(stack: Rotating) -> Client:
    """Kestra's log-in, as deployed."""
    client = log_in(stack.block())
    assert client is not None
    return client


def only(rotated: Rotated, *names: str) -> None:
    """No other value changed."""
    assert rotated.changed == set(names)
    key = "encryption.secret-key"
    assert rotated.before.generated[key] == rotated.after.generated[key]


def test_a_given_declared_secret_is_a_new_version_and_only_pods_that_may_read_it_roll(
    stack: Rotating, vault: Vault, tools: dict[str, Path]
) -> None:
    with Pods(stack, API_TOKEN) as pods:
        rotated = stack.rotate("Declared secret, given", SECOND)
    assert (rotated.new_versions, rotated.after.versions["API_TOKEN"]) == ({"API_TOKEN"}, "2")
    assert rotated.rehashed == rotated.rolled == READING
    # Nothing of it is in the Kubernetes Secret.
    assert rotated.before.secret == rotated.after.secret
    only(rotated)
    assert pods.refused == []
    assert pods.reads > 0

    kestra = client_of(stack)
    assert readable(kestra, ENGINE, API_TOKEN) == SECOND
    assert readable(kestra, ENGINE, API_TOKEN, version=1) == FIRST
    (line,) = documented("Declared secret, given", "vault kv destroy")
    vault_cli(tools, vault, line)
    assert readable(kestra, ENGINE, API_TOKEN, version=1) is None
    assert readable(kestra, ENGINE, API_TOKEN) == SECOND


def test_a_generated_declared_secret_is_made_anew_by_another_text(stack: Rotating) -> None:
    before = readable(client_of(stack), ENGINE, PASSWORD)
    with Pods(stack, PASSWORD) as pods:
        rotated = stack.rotate("Declared secret, generated")
    assert rotated.new_versions == {"DATABASE_PASSWORD"}
    assert rotated.rehashed == rotated.rolled == READING
    only(rotated, "declared-secrets.DATABASE_PASSWORD")
    after = readable(client_of(stack), ENGINE, PASSWORD)
    assert after == rotated.after.generated["declared-secrets.DATABASE_PASSWORD"] != before
    assert readable(client_of(stack), ENGINE, PASSWORD, version=1) == before
    assert pods.refused == []


def test_a_generated_password_is_made_anew_with_the_copy_that_probes_use(stack: Rotating) -> None:
    heading = "Passwords of the management endpoints and of the super admin"
    name = "endpoints.all.basic-auth.password"
    rotated = stack.rotate(heading, lines=slice(0, 1))
    only(rotated, name)
    # The probes' copy follows.
    assert rotated.data == {
        "STACK_ENDPOINTS_ALL_BASIC_AUTH_PASSWORD",
        "STACK_PROBE_PASSWORD",
    }
    assert rotated.rolled == EVERY
    # In the store nothing happened.
    assert rotated.new_versions == rotated.rehashed == set()


def test_a_generated_and_a_connection_password_reach_every_pod_at_once(stack: Rotating) -> None:
    before = stack.picture()
    stack.pulumi(documented("Passwords of the management endpoints and of the super admin")[1])
    (line,) = documented("Connection passwords")
    stack.pulumi(line, DATABASE)
    stack.up()
    rotated = Rotated(before, stack.picture(), stack.order)
    only(rotated, "security.super-admin.password")
    admin = "STACK_KESTRA_SECURITY_SUPER_ADMIN_PASSWORD"
    (database,) = rotated.data - {admin}
    assert (rotated.before.data[database], rotated.after.data[database]) == (FIRST, DATABASE)
    assert rotated.rolled == EVERY
    assert rotated.new_versions == set()


def made_before_and_removed_after(rotated: Rotated, credential: str) -> None:
    """The new credential is there before the first pod rolls, the old one goes after the last."""
    updates = [rotated.at("update", name) for name in EVERY]
    assert rotated.at("create-replacement", credential) < min(updates)
    assert max(updates) < rotated.at("delete-replaced", credential)


def test_an_approle_secret_id_is_rotated_without_a_gap(stack: Rotating) -> None:
    old = stack.block()
    token_of_before = client_of(stack)
    with Pods(stack, PASSWORD) as pods:
        rotated = stack.rotate("Vault: AppRole secret id")
    only(rotated, "secret.vault.app-role.secret-id")
    assert rotated.rolled == EVERY
    assert rotated.data == {"STACK_KESTRA_SECRET_VAULT_APP_ROLE_SECRET_ID"}
    made_before_and_removed_after(rotated, "identity-secret-id")
    # Pods with the old Secret and pods with the new one all logged in, all the time.
    assert pods.refused == []
    assert pods.secrets == {rotated.before.secret, rotated.after.secret}
    assert log_in(old) is None
    assert readable(client_of(stack), ENGINE, PASSWORD) is not None
    # A pod that is ending goes on with its token.
    assert readable(token_of_before, ENGINE, PASSWORD) is not None
    assert stack.up() == {}


def test_a_secret_id_that_has_ended_is_replaced_after_a_refresh(
    stack: Rotating, vault: Vault
) -> None:
    id_ = stack.block()["app-role"]["secret-id"]
    destroy = "auth/approle/role/kestra/secret-id/destroy"
    root = Client(vault.address, vault.root_token)
    assert root.call("POST", destroy, {"secret_id": id_}).ok
    assert log_in(stack.block()) is None
    assert "pulumi refresh" in section("Vault: AppRole secret id")
    stack.refresh()
    stack.up()
    assert readable(client_of(stack), ENGINE, PASSWORD) is not None


def _log_in_by(stack: Rotating, **method: Any) -> None:
    """Another way to log in; what was rotated before is no more."""

    def change(config: dict[str, Any]) -> None:
        config["kestra:secret"]["vault"] = {
            "address": stack.block()["address"],
            "root-engine": ENGINE,
            **method,
        }
        del config["kestra:rotation"]

    stack.edit(change)
    stack.up()


def test_a_userpass_password_is_rotated_without_a_gap_with_a_second_user(stack: Rotating) -> None:
    _log_in_by(stack, password={"user": "kestra-1"})
    old = stack.block()
    with Pods(stack, PASSWORD) as pods:
        rotated = stack.rotate("Vault: userpass")
    only(rotated, "secret.vault.password.password")
    assert rotated.rolled == EVERY
    made_before_and_removed_after(rotated, "identity-user")
    assert pods.refused == []
    assert pods.secrets == {rotated.before.secret, rotated.after.secret}
    assert log_in(old) is None
    assert readable(client_of(stack), ENGINE, PASSWORD) is not None


def test_a_token_is_rotated_without_a_gap_for_pods_that_run(stack: Rotating) -> None:
    _log_in_by(stack, token={})
    old = stack.block()
    with Pods(stack, PASSWORD) as pods:
        rotated = stack.rotate("Vault: token")
    only(rotated, "secret.vault.token.token")
    assert rotated.rolled == EVERY
    assert rotated.data == {"STACK_KESTRA_SECRET_VAULT_TOKEN_TOKEN"}
    made_before_and_removed_after(rotated, "identity-token")
    assert pods.refused == []
    assert pods.secrets == {rotated.before.secret, rotated.after.secret}
    assert readable(Client(old["address"], old["token"]["token"]), ENGINE, PASSWORD) is None
    assert readable(client_of(stack), ENGINE, PASSWORD) is not None
    assert stack.up() == {}
