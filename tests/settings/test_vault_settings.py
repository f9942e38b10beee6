"""Vault: paths that a policy can name, an engine that others use too, and lives that Vault would shorten."""

from __future__ import annotations

from typing import Any

import pytest

from components.__main__ import main
from components.safeguards.irreversible_changes import find_losses, snapshot
from components.settings import Settings, SettingsError
from components.settings.report import Problem
from components.validation import load
from tests.conftest import ROOT
from tests.settings.malformed_fixtures import enterprise

FIELD = ROOT / "tests" / "cases" / "field"
DECLARED = {"NAME": {"namespace": "company.team", "generate": {}}}


def _document(
    block: dict[str, Any] | None = None,
    identity: dict[str, Any] | None = None,
    *,
    read_only: bool = True,
    **changed: Any,
) -> dict[str, Any]:
    vault = {"address": "https://v:8200", "kubernetes": {}} | (block or {})
    return enterprise(
        secret={"type": "vault", "read-only": read_only, "vault": vault},
        identity={"vault": identity or {}},
        **changed,
    )


def _problems(document: dict[str, Any]) -> dict[str, Problem]:
    """Path to problem, errors and warnings alike."""
    try:
        problems = load(document, source="f.yaml").warnings
    except SettingsError as error:
        problems = error.problems
    return {p.path: p for p in problems}


UNFIT = {
    "team/*": "wildcard",
    "+/kestra": "wildcard",
    "kestra*": "wildcard",
    "team/../kestra": "has . or ..",
    "..": "has . or ..",
    "./kestra": "has . or ..",
    "kestra/": "ends with a slash",
    "/kestra": "begins with a slash",
    "team//kestra": "two slashes",
    "/": "names no folder",
    'a"b': "a character",
    "a\\b": "a character",
    "{{identity.entity.id}}": "a character",
    "a\nb": "a character",
    "a /b": "a character",
}


@pytest.mark.parametrize("path", UNFIT)
@pytest.mark.parametrize("mounted", [True, False])
def test_a_prefix_that_would_say_more_or_less_in_a_policy_is_refused(
    path: str, mounted: bool
) -> None:
    document = _document({"secret-path-prefix": path}, {"mount-engine": mounted})
    problem = _problems(document)["kestra:secret.vault.secret-path-prefix"]
    assert problem.severity == "error"
    assert UNFIT[path] in problem.message
    assert "wildcards of Vault's policies" in problem.rule


@pytest.mark.parametrize("path", UNFIT)
def test_a_folder_of_the_policy_is_held_to_the_same_rule(path: str) -> None:
    problem = _problems(_document(identity={"paths": ["fine", path]}))
    assert UNFIT[path] in problem["kestra:identity.vault.paths[1]"].message


@pytest.mark.parametrize("engine", ["kv/", "a//b", "a/../b", "a/.."])
def test_an_engine_is_named_as_it_stands_in_a_policy(engine: str) -> None:
    assert "kestra:secret.vault.root-engine" in _problems(_document({"root-engine": engine}))


@pytest.mark.parametrize("tenant", ["*", "+", "main/", "..", "a/b"])
def test_a_tenant_of_a_declared_secret_is_one_name(tenant: str) -> None:
    declared = {"NAME": {"namespace": "company.team", "tenant": tenant, "generate": {}}}
    problems = _problems(_document(declared_secrets=declared))
    assert "kestra:declared-secrets.NAME.tenant" in problems


@pytest.mark.parametrize("tenant", ["*", "a+", "main/", "..", "a/b"])
def test_a_tenant_of_the_first_account_is_one_name_where_a_policy_has_it(tenant: str) -> None:
    security = {"super-admin": {"username": "a@b.example", "tenant-admin-access": ["main", tenant]}}
    at = "kestra:security.super-admin.tenant-admin-access[1]"
    shared = {"mount-engine": False}
    assert at in _problems(_document(identity=shared, read_only=False, security=security))
    assert at not in _problems(_document(read_only=False, security=security))


@pytest.mark.parametrize("path", ["kestra", "team/kestra", "Team A/kestra_2.x-y", "a:b/c@d=e"])
def test_other_paths_are_taken(path: str) -> None:
    document = _document(
        {"secret-path-prefix": path}, {"mount-engine": False}, declared_secrets=DECLARED
    )
    assert _problems(document) == {}


def test_a_prefix_that_only_kestra_resolves_is_refused_where_the_stack_needs_it() -> None:
    at, block = "kestra:secret.vault.secret-path-prefix", {"secret-path-prefix": "${PREFIX}"}
    pods: dict[str, Any] = {"deployment": {"environment-from": ["more"]}}
    shared = {"mount-engine": False}
    assert "names a variable" in _problems(_document(block, shared, **pods))[at].message
    declared = _document(block, declared_secrets=DECLARED, **pods)
    assert "names a variable" in _problems(declared)[at].message
    assert at not in _problems(_document(block, **pods))


def test_an_engine_of_others_in_which_nothing_is_known_to_be_kestras_is_a_warning() -> None:
    at, shared = "kestra:identity.vault.mount-engine", {"mount-engine": False}
    problem = _problems(_document(identity=shared))[at]
    assert problem.severity == "warning"
    assert "identity.vault.paths" in problem.fix
    for document in (
        _document(identity=shared | {"paths": ["app1"]}),
        _document({"secret-path-prefix": "app1"}, shared),
        _document(identity=shared, declared_secrets=DECLARED),
        _document(identity=shared, read_only=False),
        _document(),
    ):
        assert _problems(document) == {}


@pytest.mark.parametrize("read_only", [True, False])
def test_a_prefix_of_names_that_no_policy_can_follow_is_a_warning(read_only: bool) -> None:
    at, shared = "kestra:secret.vault.prefix", {"mount-engine": False, "paths": []}
    document = _document({"prefix": "k", "secret-path-prefix": "a"}, shared, read_only=read_only)
    assert _problems(document)[at].severity == "warning"
    shared["paths"] = ["a/k"]
    assert at not in _problems(document)


def test_the_second_manager_is_held_to_the_same_rules() -> None:
    vault = {"address": "https://v:8200", "kubernetes": {}, "secret-path-prefix": "a/*"}
    document = enterprise(
        secret={"type": "aws-secret-manager", "read-only": True, "aws-secret-manager": {"region": "eu-west-1"}},
        identity={"aws": {"irsa": {"oidc-provider-arn": "arn:aws:iam::123456789012:oidc-provider/i.example.com"}}},
        store={"aws": {}, "also": {"type": "vault", "read-only": True, "vault": vault}},
        declared_secrets=DECLARED,
    )  # fmt: skip
    assert "kestra:store.also.vault.secret-path-prefix" in _problems(document)


def _settings(prefix: str) -> Settings:
    document = _document({"secret-path-prefix": prefix}, tags={"environment": "staging"})
    return load(document, source="test").settings


def test_taking_the_slash_from_a_prefix_that_was_accepted_once_loses_nothing() -> None:
    before = snapshot(_settings("team/kestra"))
    before["stores"]["vault"]["secret.vault.secret-path-prefix"] = "team/kestra/"
    assert find_losses(before, snapshot(_settings("team/kestra"))) == []
    assert find_losses(before, snapshot(_settings("team/other"))) != []


LONG, SHORT = "2160h", "768h"
LIVES: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "secret-id-ttl": ({"app-role": {}}, {"secret-id-ttl": LONG}, "approle/"),
    "token-max-ttl of AppRole": ({"app-role": {"path": "t/a"}}, {"token-max-ttl": LONG}, "t/a/"),
    "token-max-ttl of Kubernetes": ({"kubernetes": {}}, {"token-max-ttl": "P90D"}, "kubernetes/"),
    "token-max-ttl of userpass": (
        {"password": {"user": "k"}}, {"token-max-ttl": LONG}, "userpass/",
    ),
    "token-max-ttl of a token": ({"token": {}}, {"token-max-ttl": "90d"}, "token/"),
    "token-ttl": ({"kubernetes": {}}, {"token-ttl": LONG, "token-max-ttl": LONG}, "kubernetes/"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVES)
def test_a_life_that_vault_would_shorten_is_a_warning_that_says_how_to_raise_the_limit(
    name: str,
) -> None:
    method, lives, mount = LIVES[name]
    problems = _problems(_login(method, lives))
    assert set(problems) == {f"kestra:identity.vault.{key}" for key in lives}
    for problem in problems.values():
        line = problem.line()
        assert problem.severity == "warning"
        assert "768h" in line
        assert "max_lease_ttl" in line
        assert f"`vault auth tune -max-lease-ttl=2160h {mount}`" in line
    assert _problems(_login(method, dict.fromkeys(lives, SHORT))) == {}


def _login(method: dict[str, Any], lives: dict[str, str]) -> dict[str, Any]:
    vault = {"address": "https://v:8200", **method}
    secret = {"type": "vault", "read-only": True, "vault": vault}
    return enterprise(secret=secret, identity={"vault": lives})


@pytest.mark.parametrize(
    ("method", "lives"),
    [
        ({"kubernetes": {}}, {"secret-id-ttl": LONG}),
        ({"app-role": {"role-id": "r", "secret-id": "s"}}, {"secret-id-ttl": LONG}),
        ({"password": {"user": "k", "password": "p"}}, {"token-max-ttl": LONG}),
        ({"token": {"token": "t"}}, {"token-max-ttl": LONG}),
    ],
)
def test_a_life_that_nothing_is_provisioned_with_is_no_warning(
    method: dict[str, Any], lives: dict[str, str]
) -> None:
    assert _problems(_login(method, lives)) == {}


def test_the_field_case_of_a_long_secret_id_is_accepted_with_the_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", str(FIELD / "32-secret-id-ttl.yaml")]) == 0
    shown = " ".join("".join(capsys.readouterr()).split())
    assert "1 warning" in shown
    for word in ("secret-id-ttl", "768h", "max_lease_ttl", "-max-lease-ttl=2160h approle/"):
        assert word in shown
