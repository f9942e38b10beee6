"""What the vault stand-in takes for a difference, and what it replaces; without a Vault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Engine, Urn
from sandbox.providers.runtime.terraform_values import go_json
from sandbox.providers.runtime.values import UNKNOWN, Secret
from sandbox.providers.vault.provider import VaultProvider
from sandbox.providers.vault.resources import RESOURCES

PLUGIN = VaultProvider()
MOUNT = "vault:index/mount:Mount"
AUTH = "vault:index/authBackend:AuthBackend"
POLICY = "vault:index/policy:Policy"
SECRET = "vault:kv/secretV2:SecretV2"
APP_ROLE = "vault:appRole/authBackendRole:AuthBackendRole"
SECRET_ID = "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId"
ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"
CONFIG = "vault:kubernetes/authBackendConfig:AuthBackendConfig"
TOKEN = "vault:index/token:Token"


def _inputs(type_: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
    inputs, failures = PLUGIN.check(Urn.of(type_, "name"), olds or {}, news)
    assert failures == []
    return inputs


def _reasons(type_: str, news: dict[str, Any]) -> str:
    return "\n".join(reason for _, reason in PLUGIN.check(Urn.of(type_, "name"), {}, news)[1])


#: Type, what the state has, what the program says, what is a difference, what replaces.
DIFFERENCES: dict[str, tuple[str, dict[str, Any], dict[str, Any], set[str], set[str]]] = {
    "the server's own lease times are none": (
        MOUNT,
        {"path": "a", "type": "kv", "maxLeaseTtlSeconds": 2764800, "sealWrap": False},
        {"path": "a", "type": "kv"},
        set(),
        set(),
    ),
    "another type replaces": (
        MOUNT,
        {"path": "a", "type": "kv"},
        {"path": "a", "type": "transit"},
        {"type"},
        {"type"},
    ),
    "another path moves": (
        MOUNT,
        {"path": "a", "type": "kv"},
        {"path": "b", "type": "kv"},
        {"path"},
        set(),
    ),
    "a description that is gone": (
        MOUNT,
        {"path": "a", "type": "kv", "description": "d"},
        {"path": "a", "type": "kv"},
        {"description"},
        set(),
    ),
    "options that the server has and nobody asked for": (
        MOUNT,
        {"path": "a", "type": "kv", "options": {"version": "1"}},
        {"path": "a", "type": "kv"},
        {"options"},
        set(),
    ),
    "a number in options is the same as its text": (
        MOUNT,
        {"path": "a", "type": "kv", "options": {"version": "2"}},
        {"path": "a", "type": "kv", "options": {"version": 2}},
        set(),
        set(),
    ),
    "spaces and order in JSON are none": (
        SECRET,
        {"mount": "m", "name": "n", "dataJson": '{"a":1,"b":2}', "path": "m/data/n"},
        {"mount": "m", "name": "n", "dataJson": '{ "b": 2, "a": 1 }'},
        set(),
        set(),
    ),
    "another value": (
        SECRET,
        {"mount": "m", "name": "n", "dataJson": '{"a":1}'},
        {"mount": "m", "name": "n", "dataJson": Secret('{"a":2}')},
        {"dataJson"},
        set(),
    ),
    "metadata as the server fills it in": (
        SECRET,
        {
            "mount": "m",
            "name": "n",
            "dataJson": "{}",
            "customMetadata": {"data": {"a": "b"}, "maxVersions": 0, "casRequired": False},
        },
        {"mount": "m", "name": "n", "dataJson": "{}", "customMetadata": {"data": {"a": "b"}}},
        set(),
        set(),
    ),
    "metadata that somebody changed": (
        SECRET,
        {
            "mount": "m",
            "name": "n",
            "dataJson": "{}",
            "customMetadata": {"data": {"a": "b"}, "maxVersions": 5},
        },
        {"mount": "m", "name": "n", "dataJson": "{}", "customMetadata": {"data": {"a": "b"}}},
        {"customMetadata"},
        set(),
    ),
    "write-only data without another version": (
        SECRET,
        {"mount": "m", "name": "n", "dataJsonWoVersion": 1},
        {"mount": "m", "name": "n", "dataJsonWo": Secret('{"a":9}'), "dataJsonWoVersion": 1},
        set(),
        set(),
    ),
    "write-only data with another version": (
        SECRET,
        {"mount": "m", "name": "n", "dataJsonWoVersion": 1},
        {"mount": "m", "name": "n", "dataJsonWo": Secret('{"a":9}'), "dataJsonWoVersion": 2},
        {"dataJsonWoVersion"},
        set(),
    ),
    "limits of the secret id that only its role sets": (
        SECRET_ID,
        {"backend": "approle", "roleName": "r", "numUses": 10, "ttl": 60, "metadata": "{}"},
        {"roleName": "r"},
        {"numUses", "ttl"},
        {"numUses", "ttl"},
    ),
    "limits of the secret id that both set": (
        SECRET_ID,
        {"backend": "approle", "roleName": "r", "numUses": 10, "ttl": 60, "metadata": "{}"},
        {"roleName": "r", "numUses": 10, "ttl": 60},
        set(),
        set(),
    ),
    "the order of policies is none": (
        APP_ROLE,
        {"backend": "approle", "roleName": "r", "tokenPolicies": ["b", "a"], "roleId": "x",
         "bindSecretId": True, "tokenType": "default"},
        {"roleName": "r", "tokenPolicies": ["a", "b"]},
        set(),
        set(),
    ),
    "the mask of one host is none": (
        APP_ROLE,
        {"backend": "approle", "roleName": "r", "tokenBoundCidrs": ["10.0.0.1"],
         "bindSecretId": True, "tokenType": "default"},
        {"roleName": "r", "tokenBoundCidrs": ["10.0.0.1/32"]},
        set(),
        set(),
    ),
    "the name of a role replaces": (
        ROLE,
        {"backend": "kubernetes", "roleName": "r", "boundServiceAccountNames": ["a"],
         "boundServiceAccountNamespaces": ["n"], "tokenType": "default",
         "aliasNameSource": "serviceaccount_uid"},
        {"roleName": "s", "boundServiceAccountNames": ["a"], "boundServiceAccountNamespaces": ["n"]},
        {"roleName"},
        {"roleName"},
    ),
    "a certificate that is no longer given": (
        CONFIG,
        {"backend": "kubernetes", "kubernetesHost": "h", "kubernetesCaCert": "pem",
         "disableIssValidation": False},
        {"kubernetesHost": "h"},
        {"kubernetesCaCert"},
        set(),
    ),
    "another life replaces a token": (
        TOKEN,
        {"displayName": "token", "ttl": "1h", "noParent": True, "renewable": True, "numUses": 0},
        {"ttl": "2h"},
        {"ttl"},
        {"ttl"},
    ),
    "what is not known yet": (
        POLICY,
        {"name": "p", "policy": "x", "allowOverwrite": True},
        {"name": "p", "policy": UNKNOWN},
        {"policy"},
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_a_difference_is_what_the_official_provider_takes_for_one(case: Any) -> None:
    type_, state, program, changed, replaced = case
    diff = PLUGIN.diff(Urn.of(type_, "name"), {}, state, _inputs(type_, program))
    assert (diff.changed, diff.replacing) == (changed, replaced)


def test_a_named_resource_goes_before_its_successor_comes() -> None:
    named = {"mount": "m", "name": "n", "dataJson": "{}"}
    moved = _inputs(SECRET, named | {"mount": "o"})
    assert PLUGIN.diff(Urn.of(SECRET, "name"), {}, named, moved).delete_first
    # Not so a secret id: the new one is there before the old one ends.
    news = _inputs(SECRET_ID, {"roleName": "r", "ttl": 5})
    assert not PLUGIN.diff(
        Urn.of(SECRET_ID, "name"), {}, {"roleName": "r", "ttl": 6}, news
    ).delete_first


def test_a_name_that_nobody_gives_is_made_up_once() -> None:
    first = _inputs(POLICY, {"policy": "x"})
    assert first["name"].startswith("name-")
    assert len(first["name"]) == len("name-") + 7
    assert _inputs(POLICY, {"policy": "y"}, first)["name"] == first["name"]
    assert _inputs(POLICY, {"policy": "y"}, {"name": "given"})["name"] != "given"


def test_a_preview_knows_what_the_server_will_fill_in_to_be_unknown() -> None:
    inputs = _inputs(APP_ROLE, {"roleName": "r"})
    _, outputs = PLUGIN.create(Urn.of(APP_ROLE, "name"), inputs, True)
    assert outputs["roleId"] is UNKNOWN
    assert outputs["roleName"] == "r"
    inputs = _inputs(SECRET_ID, {"roleName": "r"})
    _, outputs = PLUGIN.create(Urn.of(SECRET_ID, "name"), inputs, True)
    assert outputs["secretId"] == Secret(UNKNOWN)
    assert "ttl" not in outputs


@pytest.mark.parametrize(
    ("type_", "news", "words"),
    [
        (SECRET, {"mount": "m", "name": "n"}, "`data_json,data_json_wo` must be specified"),
        (SECRET, {"mount": "m", "dataJson": "no"}, '"data_json" contains an invalid JSON'),
        (SECRET, {"mount": "m", "dataJsonWo": "{}"}, "data_json_wo,data_json_wo_version"),
        (AUTH, {"type": "approle", "path": "a/"}, "contains leading/trailing"),
        (ROLE, {"roleName": "r", "boundServiceAccountNames": ["a"]}, "at least one of"),
        (POLICY, {"name": "p"}, 'The argument "policy" is required'),
    ],
)
def test_what_the_provider_itself_refuses_is_refused(
    type_: str, news: dict[str, Any], words: str
) -> None:
    assert words in _reasons(type_, news)


@pytest.mark.parametrize(
    ("type_", "id_", "known"),
    [
        (MOUNT, "a/b", {"path": "a/b"}),
        (POLICY, "p", {"name": "p"}),
        (AUTH, "approle", {"path": "approle"}),
        (SECRET, "m/data/a/data/b", {"mount": "m", "name": "a/data/b"}),
        (APP_ROLE, "auth/x/y/role/r", {"backend": "x/y", "roleName": "r"}),
        (CONFIG, "auth/k/config", {"backend": "k"}),
    ],
)
def test_an_id_tells_what_is_imported(type_: str, id_: str, known: dict[str, Any]) -> None:
    assert RESOURCES[type_].parse(id_) == known


@pytest.mark.parametrize("type_", [SECRET_ID, SECRET, APP_ROLE, CONFIG])
def test_an_id_that_says_nothing_is_refused(type_: str) -> None:
    with pytest.raises(ProviderError):
        RESOURCES[type_].parse("nothing")


def test_json_is_written_as_go_writes_it() -> None:
    document = json.loads('{"b": "<a&b>", "a": [1, 2.5, null, true], "ü": "é"}')
    assert go_json(document) == '{"a":[1,2.5,null,true],"b":"\\u003ca\\u0026b\\u003e","ü":"é"}'


def test_the_stand_in_says_what_it_lacks_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    plugin = VaultProvider()
    with pytest.raises(ProviderError, match="VAULT_ADDR"):
        plugin.create(Urn.of(POLICY, "name"), {"name": "p", "policy": "x"})
    plugin.configure({"authLoginAws": "{}"}, Engine(""))
    with pytest.raises(ProviderError, match="not with authLoginAws"):
        plugin.create(Urn.of(POLICY, "name"), {"name": "p", "policy": "x"})
