"""Keys of another namespace: those that look like the program's are told, those of providers are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.settings.report import Problem
from tests.settings.engine_support import by_check, by_engine, lines, project

LOG_IN = "config: {'kestra:server': {basic-auth: {username: a@b.c}}"


def _warnings(folder: Path, key: str) -> list[Problem]:
    file = project(folder, f"{LOG_IN}, '{key}': {{type: vault}}}}")
    loaded, _ = by_check(file)
    assert loaded is not None
    return list(loaded.warnings)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("kestr:secret", "kestra:secret"),
        ("Kestra:secret", "kestra:secret"),
        ("ketsra:secret", "kestra:secret"),
        ("kestra-ee:ee", "kestra:ee"),
        ("micronaut:server", "kestra:micronaut.server"),
        ("micronuat:server", "kestra:micronaut.server"),
        ("datasource:postgres", "kestra:datasources.postgres"),
        ("server:basic-auth", "kestra:server.basic-auth"),
    ],
)
def test_a_namespace_that_looks_like_the_programs_is_told(
    tmp_path: Path, key: str, meant: str
) -> None:
    [warning] = _warnings(tmp_path, key)
    assert warning.path == key
    assert warning.fix == f"did you mean {meant}"


@pytest.mark.parametrize(
    "key",
    [
        "aws:region", "azure-native:location", "gcp:project", "vault:address", "kubernetes:context", "pulumi:tags",
        "random:x", "docker:host", "keycloak:url", "kafka:bootstrapServers", "elasticstack:url", "cloudflare:apiToken",
        f"{'kestra' * 100}:x",
    ],
)  # fmt: skip
def test_a_namespace_of_a_provider_is_nobodys_business(tmp_path: Path, key: str) -> None:
    assert not _warnings(tmp_path, key)


def test_the_program_under_pulumi_says_the_same(tmp_path: Path) -> None:
    text = f"{LOG_IN}, 'kestr:secret': {{type: vault}}, 'aws:region': eu-west-1}}"
    _, said = by_check(project(tmp_path, text))
    loaded, _ = by_engine(tmp_path, text)
    assert loaded is not None
    named = {(p.path, p.message, p.rule, p.fix, p.severity) for p in loaded.warnings}
    assert lines(named) == lines(said)
    assert len(said) == 1
