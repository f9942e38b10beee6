"""Malformed settings: the error report names path, rule and fix; nothing else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.__main__ import main
from components.settings import SettingsError
from components.validation import load, load_file
from tests.settings.malformed_fixtures import CASES, PLANTED, SEED_AUTH, enterprise, oss
from tests.tiers import long


@pytest.mark.parametrize(
    ("document", "path", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_fault_is_reported_at_its_path_with_its_rule_and_without_a_secret(
    document: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(document, source="Pulumi.x.yaml")
    problems = {p.path: p for p in caught.value.problems}
    assert path in problems, caught.value.report()
    line = problems[path].line()
    assert words in line
    assert line.startswith(f"Pulumi.x.yaml: {path}: ")
    assert problems[path].rule
    assert problems[path].fix
    assert "\n" not in line
    assert PLANTED not in caught.value.report()
    assert PLANTED[4:12] not in caught.value.report()


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150
    assert len({c[0] for c in CASES}) == len(CASES)


def test_every_problem_is_reported_at_once() -> None:
    document = {
        "edition": "oss",
        "secret": {"type": "vault", "vault": {}},
        "encryption": {"secretKey": "abc"},
        "server": {
            "basicAuth": {"username": "x", "password": "change-me"},
            "liveness": {"timeout": 60, "intervall": "5s"},
        },
        "foo": 1,
    }
    with pytest.raises(SettingsError) as caught:
        load(document, source="f.yaml")
    assert [p.path for p in caught.value.problems] == [
        "kestra:encryption.secretKey",
        "kestra:foo",
        "kestra:secret",
        "kestra:secret.vault.address",
        "kestra:server.basicAuth.password",
        "kestra:server.basicAuth.username",
        "kestra:server.liveness.intervall",
        "kestra:server.liveness.timeout",
    ]


def _file(tmp_path: Path, text: str) -> str:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(
    "step", [pytest.param(8, id="sample"), pytest.param(1, id="all", marks=long("hostile"))]
)
def test_check_of_a_malformed_file_exits_with_1_and_the_report(
    step: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, document, *_ in CASES[::step]:
        text = yaml.safe_dump({"config": {f"kestra:{k}": v for k, v in document.items()}})
        assert main(["check", _file(tmp_path, text)]) == 1, name
        err = capsys.readouterr().err
        assert "Rule:" in err, name
        assert "Traceback" not in err, name
        assert PLANTED not in err, name


FILES = {
    "empty config list": "config: []",
    "a list": "- a\n- b",
    "a text": "hello",
    "broken YAML": "config: {a: [",
    "a tab": "config:\n\tkestra:version: 1",
    "two equal keys": "config:\n  kestra:tags: {}\n  kestra:tags: {}",
    "two equal keys below": f"config:\n  kestra:server:\n    basic-auth: {{username: a@b, password: {PLANTED}, password: {PLANTED}}}",
    "an unknown tag": f"config:\n  kestra:encryption: !!python/object:os.system {PLANTED}",
    "an unbound alias": "config:\n  kestra:server: *nothing",
    "deep nesting": "config: " + "[" * 3000,
    "deep mappings": "config:\n  kestra:server: " + "{a: " * 3000 + "1" + "}" * 3000,
    "an alias bomb": "x: &a0 [1]\n"
    + "\n".join(f"y{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))
    + "\nconfig:\n  kestra:tags: {additional: *a11}\n",
    "a null byte": "config: \0",
    "a bad date": "config:\n  kestra:version: 2020-99-99",
    "a number for a key": "config:\n  kestra:server: {1: 2}",
    "a flag for a key": "config:\n  kestra:server: {on: 2}",
    "an empty key": "config:\n  kestra:server: {'': 2}",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_a_file_that_is_no_stack_file_gives_a_report(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", _file(tmp_path, text)]) == 1
    err = capsys.readouterr().err
    assert "Fix:" in err
    assert "Traceback" not in err
    assert PLANTED not in err


def test_a_missing_file_and_a_folder_give_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert (
        main(["check", str(tmp_path / "no.yaml"), str(tmp_path), str(tmp_path / "binary.yaml")])
        == 1
    )
    err = capsys.readouterr().err
    assert err.count("Fix:") == 3


def test_render_of_a_malformed_file_prints_no_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", _file(tmp_path, "config: {kestra:foo: 1}")]) == 1
    out = capsys.readouterr()
    assert out.out == ""
    assert "kestra:foo" in out.err


def test_ignored_keys_are_warnings_that_say_what_to_use() -> None:
    loaded = load(
        oss(
            server={"basic-auth": SEED_AUTH | {"enabled": True}},
            heartbeat={"frequency": "10s", "heartbeat-missed": 3},
        ),
        source="f.yaml",
    )
    warnings = {w.path: w for w in loaded.warnings}
    assert set(warnings) == {"kestra:server.basic-auth.enabled", "kestra:heartbeat"}
    assert "liveness.heartbeat-interval" in warnings["kestra:heartbeat"].fix


def test_encrypted_values_count_as_present_and_opaque(tmp_path: Path) -> None:
    text = """
config:
  kestra:encryption: {secret-key: {secure: AAABAH}}
  kestra:server: {basic-auth: {username: a@b.c, password: {secure: AAABAH}}}
  kestra:declared-secrets: {A: {namespace: x, value: {secure: AAABAH}}}
"""
    settings = load_file(_file(tmp_path, text)).settings
    assert settings.declared_secrets["A"].value is not None
    assert "AAABAH" not in repr(settings)


def test_isolation_and_cache_that_do_nothing_are_warnings() -> None:
    block = {
        "type": "jdbc",
        "cache": {"maximum-size": 10},
        "isolation": {"denied-services": ["WORKER"]},
    }
    paths = {w.path for w in load(enterprise(secret=block), source="f").warnings}
    assert paths == {
        "kestra:secret.cache.enabled",
        "kestra:secret.isolation.denied-services[0]",
        "kestra:secret.isolation.enabled",
    }
