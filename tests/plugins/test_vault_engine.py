"""The stand-in for the vault plugin, through the real engine, on a real Vault."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pulumi_vault as vault
import pytest
from pulumi import automation as auto

from sandbox.leak_scan.scan import search
from sandbox.services import Vault
from tests.plugins.vault_stack_support import VaultStack

pytestmark = pytest.mark.engine

PLANTED = "Pl4nted-Vault-Zq81"


@pytest.fixture
def stack(tmp_path: Path, vault_server: Vault, tools: dict[str, Path]) -> VaultStack:
    return VaultStack(tmp_path, vault_server, tools["pulumi"])


def _everything(
    value: str = PLANTED, uses: int | None = 10, description: str = "d", keep: bool = True
) -> None:
    mount = vault.Mount(
        "m", path="t-kv", type="kv", options={"version": "2"}, description=description
    )
    policy = vault.Policy(
        "p", name="t-policy", policy='path "t-kv/data/*" { capabilities = ["read"] }\n'
    )
    auth = vault.AuthBackend("a", type="approle", path="t-approle")
    role = vault.approle.AuthBackendRole(
        "r",
        backend=auth.path,
        role_name="t",
        token_policies=[policy.name],
        secret_id_num_uses=10,
        token_ttl=60,
    )
    secret_id = vault.approle.AuthBackendRoleSecretId(
        "s", backend=auth.path, role_name=role.role_name, num_uses=uses
    )
    if keep:
        secret = vault.kv.SecretV2(
            "k",
            mount=mount.path,
            name="a/b",
            data_json=pulumi.Output.secret(json.dumps({"value": value})),
            custom_metadata={"data": {"team": "x"}},
            delete_all_versions=True,
        )
        pulumi.export(
            "version",
            pulumi.Output.unsecret(secret.metadata).apply(lambda m: (m or {}).get("version")),
        )
    vault.Token("t", policies=[policy.name], no_parent=True, ttl="1h")
    vault.generic.Endpoint(
        "e",
        path=pulumi.Output.concat("sys/policies/password/", "t-words"),
        data_json=json.dumps({"policy": 'length = 20\nrule "charset" { charset = "abc" }'}),
        disable_read=True,
    )
    pulumi.export("secretId", secret_id.secret_id)


def test_a_life_of_every_resource(stack: VaultStack) -> None:
    assert stack.preview(_everything) == {"create": 9}
    changes, outputs = stack.up(_everything)
    assert changes == {"create": 9}
    assert outputs["version"] == "1"
    assert stack.call("GET", "t-kv/data/a/b").json()["data"]["data"] == {"value": PLANTED}
    assert stack.call("GET", "sys/policies/acl/t-policy").ok

    assert stack.up(_everything)[0] == {}
    assert stack.refresh(_everything) == {}
    assert stack.up(_everything)[0] == {}
    assert search([stack.state], {"planted": PLANTED, "secret id": outputs["secretId"]}) == []

    changes, outputs = stack.up(lambda: _everything(value="Another-Zq81", description="e"))
    assert changes == {"update": 2}
    assert outputs["version"] == "2"
    assert stack.call("GET", "sys/mounts/t-kv").json()["data"]["description"] == "e"

    assert stack.up(lambda: _everything(value="Another-Zq81", description="e", keep=False))[0] == {
        "delete": 1
    }
    assert stack.call("GET", "t-kv/metadata/a/b").status_code == 404
    stack.destroy(_everything)
    assert stack.call("GET", "sys/mounts/t-kv").status_code == 400
    assert stack.call("GET", "auth/t-approle/role/t").status_code == 404


def test_drift_is_seen_and_mended_but_for_a_value(stack: VaultStack) -> None:
    stack.up(_everything)
    stack.call("POST", "t-kv/data/a/b", {"data": {"value": "changed behind the back"}})
    stack.call("DELETE", "sys/policies/acl/t-policy")
    # A policy that was removed is an empty one for the official provider; of a secret it reads no value back.
    assert stack.refresh(_everything) == {"update": 1}
    changes, outputs = stack.up(_everything)
    assert (changes, outputs["version"]) == ({"update": 1}, "2")
    value = stack.call("GET", "t-kv/data/a/b").json()["data"]["data"]
    assert value == {"value": "changed behind the back"}
    assert stack.call("GET", "sys/policies/acl/t-policy").ok
    stack.destroy(_everything)


def test_a_secret_id_with_other_limits_than_its_role_is_replaced_at_every_update(
    stack: VaultStack,
) -> None:
    # A trap of the official provider, kept so that it cannot hide.
    def program() -> None:
        _everything(uses=None)

    stack.up(program)
    assert stack.up(program)[0] == {"replace": 1}
    stack.destroy(program)


def test_a_refusal_is_told_in_the_servers_words(stack: VaultStack) -> None:
    def program() -> None:
        vault.Policy("p", name="root", policy='path "x" { capabilities = ["read"] }')

    with pytest.raises(auto.CommandError, match='cannot update "root" policy'):
        stack.up(program)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"path": "x"}, 'The argument "type" is required, but no definition was found'),
        ({"path": "x", "type": "kv", "colour": "red"}, "unknown key. Examine values at 'm.colour'"),
        (
            {"path": "x", "type": "kv", "options": "version 2"},
            "expected object type, got string type",
        ),
        (
            {"path": "x", "type": "kv", "maxLeaseTtlSeconds": "soon"},
            "expected integer type, got string type",
        ),
    ],
)
def test_inputs_that_the_official_provider_refuses_are_refused(
    stack: VaultStack, properties: dict[str, object], words: str
) -> None:
    def program() -> None:
        pulumi.CustomResource("vault:index/mount:Mount", "m", properties)

    with pytest.raises(auto.CommandError, match=words):
        stack.up(program)
