"""Values that are formally right: what they would lose, override or show is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.settings import SettingsError
from components.settings.permissions import lost, translate
from components.validation import load, load_file
from tests.settings.malformed_fixtures import (
    PLANTED,
    SEED_AUTH,
    auth,
    deployment,
    enterprise,
    oss,
    role,
    secret,
    server,
    vault,
)

AT = f"https://user:{PLANTED}@vault:8200"
OWNER = {"username": "a@b.c", "password": ""}

CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "an empty password of the owner": (
        enterprise(security={"super-admin": OWNER}),
        "kestra:security.super-admin.password",
        "is empty",
    ),
    "an empty password of the endpoints": (
        oss(endpoints={"all": {"basic-auth": {"username": "u", "password": ""}}}),
        "kestra:endpoints.all.basic-auth.password",
        "is empty",
    ),
    "an empty token": (vault(token={"token": ""}), "kestra:secret.vault.token.token", "is empty"),
    "an empty access key": (
        secret("aws-secret-manager", {"access-key-id": "", "secret-key-id": PLANTED}),
        "kestra:secret.aws-secret-manager.access-key-id",
        "is empty",
    ),
    "credentials in the address of Vault": (
        vault(address=AT, kubernetes={}),
        "kestra:secret.vault.address",
        "holds credentials",
    ),
    "credentials in the address of AWS": (
        secret("aws-secret-manager", {"endpoint-override": AT}),
        "kestra:secret.aws-secret-manager.endpoint-override",
        "holds credentials",
    ),
    "credentials in Kestra's address": (
        deployment(url=AT),
        "kestra:deployment.url",
        "holds credentials",
    ),
    "a tag in the repository": (
        deployment(image={"repository": "kestra/kestra:latest"}),
        "kestra:deployment.image.repository",
        "form",
    ),
    "a network that is none": (
        deployment(**{"network-policy": {"egress-cidrs": ["10.0.0.0/8", "999.0.0.0/8"]}}),
        "kestra:deployment.network-policy.egress-cidrs[1]",
        "is no network",
    ),
    "a network without a length": (
        deployment(**{"network-policy": {"egress-cidrs": ["10.0.0.1"]}}),
        "kestra:deployment.network-policy.egress-cidrs[0]",
        "a length",
    ),
    "a port that is none": (
        deployment(**{"network-policy": {"egress-ports": [443, 0]}}),
        "kestra:deployment.network-policy.egress-ports[1]",
        "at least 1",
    ),
    "a port that is a flag": (
        deployment(**{"network-policy": {"egress-ports": [True]}}),
        "kestra:deployment.network-policy.egress-ports[0]",
        "whole number",
    ),
    "the name of a Secret": (
        deployment(**{"environment-from": ["Kestra_Platform"]}),
        "kestra:deployment.environment-from[0]",
        "form",
    ),
    "replicas that are a flag": (
        deployment(components={"standalone": {"replicas": True}}),
        "kestra:deployment.components.standalone.replicas",
        "whole number",
    ),
    "a number that Kestra cannot hold": (
        server(preview={"max-rows": 10**12}),
        "kestra:server.preview.max-rows",
        "at most 2147483647",
    ),
    "a namespace with an empty part": (
        oss(declared_secrets={"A": {"namespace": "company..team", "generate": {}}}),
        "kestra:declared-secrets.A.namespace",
        "form",
    ),
    "an empty filter": (
        secret("aws-secret-manager", {"filter-on-tags": {}}, read_only=True),
        "kestra:secret.aws-secret-manager.filter-on-tags.tags",
        "is missing",
    ),
    "declared secrets that nothing delivers": (
        {"edition": "enterprise", "declared-secrets": {"A": {"namespace": "a", "generate": {}}}},
        "kestra:declared-secrets",
        "no secret manager",
    ),
    "a short life of renewed tokens": (
        enterprise(identity={"vault": {"token-max-ttl": "30m"}}),
        "kestra:identity.vault.token-max-ttl",
        "below token-ttl",
    ),
    "a role that grants nothing in 2.0": (
        role({"SETTING": ["CREATE"]}, "2.0"),
        "kestra:security.default-role.permissions",
        "grants nothing",
    ),
}


@pytest.mark.parametrize(("document", "path", "words"), CASES.values(), ids=CASES.keys())
def test_a_value_that_would_be_lost_or_shown_is_refused(
    document: dict[str, Any], path: str, words: str
) -> None:
    problems = _problems(document)
    assert path in problems
    assert words in problems[path]
    assert PLANTED not in "".join(problems.values())


def _problems(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(document, source="f.yaml")
    return {p.path: p.line() for p in caught.value.problems}


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        # Each of these hid the second problem, or invented one.
        ({"server": {"liveness": 5}}, ["kestra:server.basic-auth", "kestra:server.liveness"]),
        (
            oss(tags={"environment": "production", "foo": 1}),
            ["kestra:tags.foo", "kestra:tags.owner"],
        ),
        ({"edition": "Enterprise", "secret": {"type": "jdbc"}}, ["kestra:edition"]),
        ({"version": "1.4", "server": {"basic-auth": SEED_AUTH}}, ["kestra:version"]),
        (
            {**role({"FLOW": ["VIEW"]}), "version": "3"},
            ["kestra:version"],
        ),
        # A misspelling explains what seems to be missing.
        ({"server": {"basic-aut": SEED_AUTH}}, ["kestra:server.basic-aut"]),
        (secret("azure-key-vault", {"vault-nam": "v1", "managed-identity-client-id": "m"}), ["kestra:secret.azure-key-vault.vault-nam"]),
    ],
)  # fmt: skip
def test_a_fault_neither_hides_another_nor_causes_one(
    document: dict[str, Any], paths: list[str]
) -> None:
    assert list(_problems(document)) == paths


def test_a_key_with_control_characters_stays_on_one_line() -> None:
    line = _problems(oss(**{"a\nb\x1b[31m": 1}))["kestra:a\nb\x1b[31m"]
    assert "kestra:a\\nb\\x1b[31m:" in line
    assert line.isprintable()


def test_a_hint_for_a_duration_is_a_duration() -> None:
    line = _problems(server(liveness={"timeout": "٥s"}))["kestra:server.liveness.timeout"]
    assert "write ٥s" not in line


@pytest.mark.parametrize(
    "text",
    [
        "config:\n  kestra:server: &a\n    x: *a\n",
        "config:\n  kestra:tags: {additional: &a [*a]}\n",
        "config:\n  kestra:server: {}\n  server: {}\n",
    ],
    ids=["a block in itself", "a list in itself", "a key with and without namespace"],
)
def test_a_file_that_yaml_takes_and_nobody_means_gives_a_report(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_file(_file(tmp_path, text))
    assert "Fix:" in caught.value.report()


def test_settings_beside_config_are_said_since_pulumi_passes_over_them(tmp_path: Path) -> None:
    settings = "kestra:server: {basic-auth: {username: a@b.co}}\n"
    with pytest.raises(SettingsError) as caught:
        load_file(_file(tmp_path, "kestra:edition: oss\n" + settings))
    (problem,) = caught.value.problems
    assert "does not have kestra:edition, kestra:server under config" in problem.message
    fixed = f"config:\n  {settings}"
    assert load_file(_file(tmp_path, fixed)).warnings == ()
    (warning,) = load_file(_file(tmp_path, f"{fixed}kestra:edition: oss\n")).warnings
    assert "does not have kestra:edition under config" in warning.message
    assert warning.severity == "warning"


def test_an_encrypted_value_under_a_plain_key_is_refused_once(tmp_path: Path) -> None:
    text = """
config:
  kestra:server: {basic-auth: {username: {secure: AAABAH}}}
  kestra:deployment: {environment: {TOKEN: {secure: AAABAH}}, namespace: {secure: AAABAH}}
  kestra:tags: {owner: {secure: AAABAH}}
"""
    with pytest.raises(SettingsError) as caught:
        load_file(_file(tmp_path, text))
    assert [p.path for p in caught.value.problems] == [
        "kestra:deployment.namespace",
        "kestra:server.basic-auth.username",
        "kestra:tags.owner",
    ]
    for problem in caught.value.problems:
        assert f"pulumi config set --path --plaintext '{problem.path}'" in problem.fix


def test_an_encrypted_jdbc_url_is_taken_since_it_may_hold_a_password(tmp_path: Path) -> None:
    text = """
config:
  kestra:server: {basic-auth: {username: a@b.c}}
  kestra:datasources: {postgres: {url: {secure: AAABAH}}}
"""
    assert load_file(_file(tmp_path, text)).warnings == ()


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        (auth(password="${ADMIN_PASSWORD}"), {"kestra:server.basic-auth.password"}),
        (auth(password="${ADMIN_PASSWORD:}"), set()),
        (
            auth(password="${ADMIN_PASSWORD}") | {"deployment": {"environment-from": ["admin"]}},
            set(),
        ),
        (
            {"edition": "enterprise", "server": {"basic-auth": SEED_AUTH}},
            {"kestra:secret", "kestra:server.basic-auth", "kestra:ee.license"},
        ),
        (
            role({"FLOW": ["READ"], "AUDITLOG": ["READ", "DELETE"]}, "2.0"),
            {"kestra:security.default-role.permissions.AUDITLOG[1]"},
        ),
    ],
)
def test_what_has_no_effect_or_no_source_is_a_warning(
    document: dict[str, Any], paths: set[str]
) -> None:
    loaded = load(document, source="f.yaml")
    assert {w.path for w in loaded.warnings} == paths
    assert all(w.fix for w in loaded.warnings)


def test_a_translation_never_grants_more_than_kestras_own() -> None:
    assert translate({"AI_COPILOT": ("CREATE", "UPDATE", "DELETE")}) == {}
    assert translate({"AI_COPILOT": ("READ",)}) == {"COPILOT": ["USE"]}
    assert lost("SETTING", "CREATE")
    assert not lost("EXECUTION", "CREATE")
    assert not lost("FLOW", "READ")


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("jdbc:h2:mem:public;DB_CLOSE_DELAY=-1", True),
        ("jdbc:h2:file:/app/storage/kestra", True),
        ("jdbc:h2:/app/storage/kestra;DB_CLOSE_ON_EXIT=TRUE", True),
        ("jdbc:h2:file:/app/storage/kestra;db_close_on_exit=false", False),
        ("jdbc:h2:mem:public;DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=-1", False),
        # A server has a life of its own.
        ("jdbc:h2:tcp://db:9092/kestra", False),
        ("${DB_URL}", False),
    ],
)
def test_a_database_that_closes_before_the_tasks_have_ended_is_a_warning(
    url: str, warned: bool
) -> None:
    source = {"url": url, "driver-class-name": "org.h2.Driver", "username": "sa"}
    document = oss(datasources={"h2": source}, queue={"type": "h2"}, repository={"type": "h2"})
    lines = [w.line() for w in load(document, source="f").warnings]
    said = [line for line in lines if "closes the database" in line]
    assert len(said) == warned
    assert all("kestra:datasources.h2.url" in line for line in said)
