"""What of an engine in Vault is Kestra's: from the settings to the paths of its role's policy; without a Vault.

`tests/stores/test_vault_shared_engine.py` asks a real Vault what these policies allow.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.backends.vault.permissions import (
    READ,
    WHOLE_ENGINE,
    WRITE,
    Scope,
    policy_text,
    scope,
)
from components.settings import Settings
from components.settings.model import AccessMode
from components.validation import load
from sandbox.report.access import accesses
from tests.components.recording_support import run
from tests.conftest import stack_document

DECLARED = {
    "DATABASE_PASSWORD": {"namespace": "company.team", "generate": {}},
    "API_TOKEN": {"namespace": "company", "tenant": "second", "generate": {}},
}
SHARED = {"mount-engine": False}


def _document(
    *,
    read_only: bool,
    prefix: str | None = None,
    declared: bool = False,
    identity: dict[str, Any] | None = None,
    security: dict[str, Any] | None = None,
) -> dict[str, Any]:
    block: dict[str, Any] = {"address": "https://v:8200", "root-engine": "kv", "kubernetes": {}}
    if prefix is not None:
        block["secret-path-prefix"] = prefix
    document = stack_document("local-vault") | {
        "secret": {"type": "vault", "read-only": read_only, "vault": block},
        "identity": {"vault": identity or {}},
        "declared-secrets": DECLARED if declared else {},
    }
    return document | ({"security": security} if security else {})


def _settings(**which: Any) -> Settings:
    return load(_document(**which), source="test").settings


SCOPES: dict[str, tuple[dict[str, Any], Scope]] = {
    "an engine of the stack's own, managed": ({"read_only": False}, WHOLE_ENGINE),
    "an engine of the stack's own, read-only": (
        {"read_only": True, "declared": True, "prefix": "app1"},
        WHOLE_ENGINE,
    ),
    "a shared engine, managed": (
        {"read_only": False, "identity": SHARED},
        Scope(folders=("main",)),
    ),
    "a shared engine, managed, below a prefix": (
        {"read_only": False, "identity": SHARED, "prefix": "team/kestra"},
        Scope(folders=("team/kestra/main",)),
    ),
    "a shared engine, managed, with another tenant": (
        {
            "read_only": False,
            "identity": SHARED,
            "security": {
                "super-admin": {
                    "username": "a@b.example",
                    "tenant-admin-access": ["main", "second"],
                }
            },
        },
        Scope(folders=("main", "second")),
    ),
    "a shared engine, read-only, with declared secrets": (
        {"read_only": True, "identity": SHARED, "declared": True},
        Scope(
            secrets=("main/company/team/DATABASE_PASSWORD", "second/company/API_TOKEN"),
            lists=("main", "main/company", "main/company/team", "second", "second/company"),
        ),
    ),
    "a shared engine, read-only, with declared secrets below a prefix": (
        {"read_only": True, "identity": SHARED, "declared": True, "prefix": "team/kestra"},
        Scope(
            secrets=(
                "team/kestra/main/company/team/DATABASE_PASSWORD",
                "team/kestra/second/company/API_TOKEN",
            ),
            lists=(
                "team/kestra",
                "team/kestra/main",
                "team/kestra/main/company",
                "team/kestra/main/company/team",
                "team/kestra/second",
                "team/kestra/second/company",
            ),
        ),
    ),
    "a shared engine, read-only, of others' secrets below a prefix": (
        {"read_only": True, "identity": SHARED, "prefix": "app1"},
        Scope(folders=("app1",)),
    ),
    "a shared engine, read-only, where nothing says what is Kestra's": (
        {"read_only": True, "identity": SHARED},
        Scope(folders=("main",)),
    ),
    "folders by name, managed": (
        {"read_only": False, "identity": SHARED | {"paths": ["main", "x/second"]}, "prefix": "p"},
        Scope(folders=("main", "x/second")),
    ),
    "folders by name and declared secrets": (
        {
            "read_only": True,
            "identity": {"paths": ["app1"]},
            "declared": True,
        },
        Scope(
            folders=("app1",),
            secrets=("main/company/team/DATABASE_PASSWORD", "second/company/API_TOKEN"),
            lists=("main", "main/company", "main/company/team", "second", "second/company"),
        ),
    ),
    "a folder by name in which declared secrets are": (
        {"read_only": True, "identity": {"paths": ["second", "mai"]}, "declared": True},
        Scope(
            folders=("second", "mai"),
            secrets=("main/company/team/DATABASE_PASSWORD",),
            lists=("main", "main/company", "main/company/team"),
        ),
    ),
}


def _mode(read_only: bool) -> AccessMode:
    return "read-only" if read_only else "managed"


@pytest.mark.parametrize("name", SCOPES)
def test_what_is_kestras_follows_from_the_settings(name: str) -> None:
    which, expected = SCOPES[name]
    assert scope(_settings(**which)) == expected


@pytest.mark.parametrize("name", SCOPES)
def test_the_policy_of_the_stack_and_the_report_have_exactly_these_paths(name: str) -> None:
    which, expected = SCOPES[name]
    document = _document(**which)
    (policy,) = run(document).of("Policy").values()
    text = policy_text("kv", mode=_mode(which["read_only"]), scope=expected)
    assert policy["policy"] == text
    report = accesses(load(document, source="test").settings, [])
    assert report.policy == text
    paths = re.findall(r'path "(.+)"', text)
    reported = [p for row in report.store if row.verdict == "may" for p in row.on.split(", ")]
    assert reported == paths
    others = [row.on for row in report.store if "any other path" in row.on]
    assert others == ([] if expected == WHOLE_ENGINE else ["any other path of the engine kv"])


def test_only_an_engine_of_ones_own_is_given_as_a_whole() -> None:
    for which, expected in SCOPES.values():
        text = policy_text("kv", mode=_mode(which["read_only"]), scope=expected)
        whole = re.findall(r'"kv/(?:data|metadata)/(?:\*|\+.*)?"', text)
        assert bool(whole) == (expected == WHOLE_ENGINE), text
        assert "kv-stack" not in text
        # A wildcard without a slash before it would cover names that merely begin alike.
        assert all(p.endswith("/*") for p in re.findall(r'path "(.+)"', text) if "*" in p)


def test_a_secret_is_read_and_a_folder_on_the_way_is_listed_and_no_more() -> None:
    one = Scope(secrets=("main/a/NAME",), lists=("main", "main/a"))
    assert policy_text("kv", mode="read-only", scope=one) == (
        'path "kv/data/main/a/NAME" {\n  capabilities = ["read"]\n}\n'
        'path "kv/metadata/main/a/NAME" {\n  capabilities = ["read"]\n}\n'
        'path "kv/metadata/main/" {\n  capabilities = ["list"]\n}\n'
        'path "kv/metadata/main/a/" {\n  capabilities = ["list"]\n}\n'
    )


@pytest.mark.parametrize(("read_only", "capabilities"), [(True, READ), (False, WRITE)])
def test_a_folder_has_the_capabilities_that_kestra_documents_for_the_mode(
    read_only: bool, capabilities: tuple[str, ...]
) -> None:
    listed = ", ".join(f'"{c}"' for c in capabilities)
    assert policy_text("kv", mode=_mode(read_only), scope=Scope(folders=("a/main",))) == (
        f'path "kv/data/a/main/*" {{\n  capabilities = [{listed}]\n}}\n'
        f'path "kv/metadata/a/main/*" {{\n  capabilities = [{listed}]\n}}\n'
    )
