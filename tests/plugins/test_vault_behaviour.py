"""What the official vault provider does besides the plain course of things, through the real engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_vault as vault
import pytest

from sandbox.leak_scan.scan import search, search_text
from sandbox.services import Vault
from tests.plugins.vault_stack_support import VaultStack, is_secret

pytestmark = pytest.mark.engine

Program = Callable[[], None]
PLANTED = "Pl4nted-Behaviour-Zq82"


@pytest.fixture
def stack(tmp_path: Path, vault_server: Vault, tools: dict[str, Path]) -> Iterator[VaultStack]:
    made = VaultStack(tmp_path, vault_server, tools["pulumi"])
    yield made
    made.refresh(lambda: None)
    made.destroy(lambda: None)


def _mount(path: str, **inputs: Any) -> vault.Mount:
    return vault.Mount("m", **{"path": path, "type": "kv", "options": {"version": "2"}, **inputs})


def _secret(path: str, **inputs: Any) -> Program:
    def program() -> None:
        secret = vault.kv.SecretV2("k", mount=_mount(path).path, name="a/b", **inputs)
        pulumi.export("path", secret.path)
        pulumi.export("metadata", secret.metadata)
        pulumi.export("custom", secret.custom_metadata)

    return program


def test_a_secret_tells_its_path_version_and_metadata(stack: VaultStack) -> None:
    document = {"word": PLANTED, "list": [1, "<two>"]}
    data = json.dumps(document)
    metadata: Any = {"data": {"team": "x"}, "max_versions": 3, "delete_version_after": 3700}
    _, outputs = stack.up(_secret("b-kv1", data_json=data, custom_metadata=metadata))
    assert outputs["path"] == "b-kv1/data/a/b"
    assert outputs["metadata"]["version"] == "1"
    assert json.loads(outputs["metadata"]["custom_metadata"]) == {"team": "x"}
    assert outputs["custom"]["max_versions"] == 3
    assert outputs["custom"]["delete_version_after"] == 3700
    state = stack.resource("k")["outputs"]
    assert is_secret(state["dataJson"])
    assert is_secret(state["data"])
    assert not is_secret(state["metadata"])
    assert stack.refresh(_secret("b-kv1", data_json=data, custom_metadata=metadata)) == {}
    # Every update writes a version, whatever it changes.
    metadata["data"] = {"team": "y"}
    changes, outputs = stack.up(_secret("b-kv1", data_json=data, custom_metadata=metadata))
    assert changes == {"update": 1}
    assert outputs["metadata"]["version"] == "2"
    secrets = {"planted": PLANTED}
    assert search_text(stack.console.encode(), "console", secrets) == []
    assert search([stack.state, stack.directory / "work"], secrets) == []


def test_a_value_that_others_wrote_or_deleted_is_written_again_with_custom_metadata_only(
    stack: VaultStack,
) -> None:
    # The official provider reads custom metadata back, and no value.
    metadata: Any = {"data": {"team": "x"}}
    program = _secret("b-kv2", data_json='{"a": "1"}', custom_metadata=metadata)
    value = lambda: stack.call("GET", "b-kv2/data/a/b").json()["data"]["data"]  # noqa: E731
    stack.up(program)
    for change in (
        lambda: stack.call("POST", "b-kv2/data/a/b", {"data": {"a": "other"}}),
        lambda: stack.call("DELETE", "b-kv2/data/a/b"),
    ):
        assert change().ok
        stack.refresh(program)
        assert stack.up(program)[0] == {}
        assert value() != {"a": "1"}
        mark = {"custom_metadata": {"drift": "seen"}}
        assert stack.call("POST", "b-kv2/metadata/a/b", mark).ok
        assert stack.refresh(program) == {"update": 1}
        assert stack.up(program)[0] == {"update": 1}
        assert value() == {"a": "1"}
    assert stack.call("DELETE", "b-kv2/metadata/a/b").ok
    assert stack.refresh(program) == {"delete": 1}
    assert stack.up(program)[0] == {"create": 1}


def test_without_delete_all_versions_the_versions_stay(stack: VaultStack) -> None:
    stack.up(_secret("b-kv3", data_json='{"a": "1"}'))
    stack.up(lambda: _mount("b-kv3") and None)
    answer = stack.call("GET", "b-kv3/metadata/a/b").json()["data"]
    assert answer["versions"]["1"]["deletion_time"]


def test_write_only_data_is_written_once_a_version_and_never_read(stack: VaultStack) -> None:
    def program(value: str, version: int) -> Program:
        data = json.dumps({"word": value})
        return _secret("b-kv4", data_json_wo=data, data_json_wo_version=version)

    stack.up(program(PLANTED, 1))
    read = lambda: stack.call("GET", "b-kv4/data/a/b").json()["data"]["data"]  # noqa: E731
    assert read() == {"word": PLANTED}
    assert PLANTED not in json.dumps(stack.resource("k")["outputs"])
    assert stack.up(program("another", 1))[0] == {}
    assert read() == {"word": PLANTED}
    assert stack.up(program("another", 2))[0] == {"update": 1}
    assert read() == {"word": "another"}
    assert search([stack.state], {"planted": PLANTED}) == []


def test_check_and_set_is_refused_in_vaults_words(stack: VaultStack) -> None:
    stack.up(_secret("b-kv5", data_json='{"a": "1"}', options={"cas": "0"}))
    said = stack.refused(_secret("b-kv5", data_json='{"a": "2"}', options={"cas": "0"}))
    assert "check-and-set parameter did not match the current version" in said
    assert "Traceback" not in said


def test_an_engine_moves_and_keeps_what_it_holds(stack: VaultStack) -> None:
    stack.up(lambda: _mount("b-old", description="first") and None)
    stack.call("POST", "b-old/data/x", {"data": {"a": "1"}})
    assert stack.up(lambda: _mount("b-new", max_lease_ttl_seconds=7200) and None)[0] == {
        "update": 1
    }
    assert stack.call("GET", "b-new/data/x").json()["data"]["data"] == {"a": "1"}
    found = stack.call("GET", "sys/mounts/b-new").json()["data"]
    assert found["description"] == ""
    assert found["config"]["max_lease_ttl"] == 7200
    assert stack.up(lambda: _mount("b-new", max_lease_ttl_seconds=7200) and None)[0] == {}


def test_kv_v2_is_an_alias(stack: VaultStack) -> None:
    program: Program = lambda: _mount("b-alias", type="kv-v2", options=None) and None  # noqa: E731
    stack.up(program)
    assert stack.call("GET", "sys/mounts/b-alias").json()["data"]["options"] == {"version": "2"}
    assert stack.refresh(program) == {}
    assert stack.up(program)[0] == {}


def _app_role(**inputs: Any) -> Program:
    def program() -> None:
        auth = vault.AuthBackend("a", type="approle", path="b-approle")
        role = vault.approle.AuthBackendRole("r", backend=auth.path, role_name="r", **inputs)
        secret_id = vault.approle.AuthBackendRoleSecretId(
            "s", backend=auth.path, role_name=role.role_name, metadata='{"why": "test"}'
        )
        pulumi.export("role", role.role_id)
        pulumi.export("accessor", secret_id.accessor)

    return program


def test_what_a_role_no_longer_sets_is_set_back(stack: VaultStack) -> None:
    stack.up(_app_role(token_ttl=60, token_policies=["a"], token_bound_cidrs=["127.0.0.1/32"]))
    assert stack.refresh(_app_role()) == {}
    assert stack.up(_app_role())[0] == {"update": 1}
    role = stack.call("GET", "auth/b-approle/role/r").json()["data"]
    assert (role["token_ttl"], role["token_policies"], role["token_bound_cidrs"]) == (0, [], [])
    assert stack.up(_app_role())[0] == {}


def test_a_secret_id_that_ended_is_an_error_until_a_refresh_has_seen_it(stack: VaultStack) -> None:
    _, outputs = stack.up(_app_role())
    body = {"secret_id_accessor": outputs["accessor"]}
    assert stack.call("POST", "auth/b-approle/role/r/secret-id-accessor/destroy", body).ok
    without: Program = lambda: None  # noqa: E731
    assert "error deleting AppRole auth backend role SecretID" in stack.refused(without)
    assert stack.refresh(_app_role()) == {"delete": 1}
    changes, again = stack.up(_app_role())
    assert changes == {"create": 1}
    assert again["accessor"] != outputs["accessor"]


def test_a_role_that_somebody_removed_is_made_again(stack: VaultStack) -> None:
    _, outputs = stack.up(_app_role())
    stack.call("DELETE", "auth/b-approle/role/r")
    assert stack.refresh(_app_role()) == {"delete": 2}
    _, again = stack.up(_app_role())
    assert again["role"] != outputs["role"]


def _kubernetes(**inputs: Any) -> Program:
    def program() -> None:
        auth = vault.AuthBackend("a", type="kubernetes", path="b-kubernetes")
        vault.kubernetes.AuthBackendConfig(
            "c", **{"backend": auth.path, "kubernetes_host": "https://127.0.0.1:1", **inputs}
        )
        vault.kubernetes.AuthBackendRole(
            "r",
            backend=auth.path,
            role_name="r",
            bound_service_account_names=["a", "b"],
            bound_service_account_namespaces=["n"],
            audience="vault",
            token_policies=["p"],
        )

    return program


def test_kubernetes_auth_is_configured_as_the_official_provider_does(stack: VaultStack) -> None:
    program = _kubernetes(disable_local_ca_jwt=True)
    stack.up(program)
    config = stack.call("GET", "auth/b-kubernetes/config").json()["data"]
    assert config["disable_local_ca_jwt"] is True
    # Vault's own default is the opposite.
    assert config["disable_iss_validation"] is False
    role = stack.call("GET", "auth/b-kubernetes/role/r").json()["data"]
    assert role["audience"] == "vault"
    assert role["alias_name_source"] == "serviceaccount_uid"
    assert stack.refresh(program) == {}
    assert stack.up(program)[0] == {}
    other = _kubernetes(disable_local_ca_jwt=True, kubernetes_host="https://127.0.0.1:2")
    assert stack.up(other)[0] == {"update": 1}
    config = stack.call("GET", "auth/b-kubernetes/config").json()["data"]
    assert config["kubernetes_host"] == "https://127.0.0.1:2"


def _token(**inputs: Any) -> Program:
    def program() -> None:
        token = vault.Token("t", **{"no_parent": True, "ttl": "1h", **inputs})
        pulumi.export("token", token.client_token)
        pulumi.export("life", token.lease_duration)

    return program


def test_a_token_tells_its_life_and_one_that_ended_is_made_again(stack: VaultStack) -> None:
    _, outputs = stack.up(_token(policies=["default"], metadata={"who": "x"}))
    # Whole seconds between two times that Vault notes a moment apart.
    assert outputs["life"] in (3599, 3600)
    assert is_secret(stack.resource("t")["outputs"]["clientToken"])
    assert search([stack.state], {"token": outputs["token"]}) == []
    stack.call("POST", "auth/token/revoke", {"token": outputs["token"]})
    assert stack.refresh(_token(metadata={"who": "x"})) == {"delete": 1}
    changes, again = stack.up(_token(metadata={"who": "x"}))
    assert changes == {"create": 1}
    assert again["token"] != outputs["token"]


def test_a_token_near_its_end_is_renewed_by_a_refresh(stack: VaultStack) -> None:
    program = _token(renewable=True, renew_min_lease=7000, renew_increment=7200)
    stack.up(program)
    found = stack.call(
        "POST", "auth/token/lookup-accessor", {"accessor": stack.resource("t")["id"]}
    ).json()["data"]
    assert found["ttl"] > 3600


def test_the_provider_works_with_a_short_lived_child_of_the_token(stack: VaultStack) -> None:
    before = _accessors(stack)
    stack.up(lambda: vault.Policy("p", name="b-policy", policy="# nothing") and None)
    made = [
        stack.call("POST", "auth/token/lookup-accessor", {"accessor": a}).json()["data"]
        for a in _accessors(stack) - before
    ]
    child = next(t for t in made if t["display_name"] == "token-terraform")
    assert child["creation_ttl"] == child["explicit_max_ttl"] == 1200
    assert child["orphan"] is False


def _accessors(stack: VaultStack) -> set[str]:
    return set(stack.call("LIST", "auth/token/accessors").json()["data"]["keys"])


def test_existing_objects_can_be_imported(stack: VaultStack) -> None:
    stack.call("POST", "sys/mounts/b-import", {"type": "kv", "options": {"version": "2"}})
    stack.call("PUT", "sys/policies/acl/b-import", {"policy": "# mine"})

    def program(*, imported: bool) -> Program:
        def inner() -> None:
            options = [
                pulumi.ResourceOptions(import_="b-import" if imported else None) for _ in range(2)
            ]
            _mount("b-import", opts=options[0])
            vault.Policy("p", name="b-import", policy="# mine", opts=options[1])

        return inner

    assert stack.up(program(imported=True))[0] == {"create": 1, "import": 2}
    assert stack.up(program(imported=False))[0] == {}


def test_an_audit_device_writes_its_file(stack: VaultStack) -> None:
    log = stack.directory / "audit.log"
    program: Program = lambda: (  # noqa: E731
        vault.Audit("d", type="file", options={"file_path": str(log)}) and None
    )
    stack.up(program)
    assert log.read_text()
    assert stack.up(program)[0] == {}


def test_a_preview_needs_no_vault(tmp_path: Path, tools: dict[str, Path]) -> None:
    stack = VaultStack(tmp_path, None, tools["pulumi"])
    assert stack.preview(_app_role(token_ttl=60)) == {"create": 4}
    assert "VAULT_ADDR" in stack.refused(lambda: vault.Policy("p", policy="") and None)
