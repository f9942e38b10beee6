"""Secrets in texts that no setting encrypts: commands, arguments, annotations, headers, attributes of volumes."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings.report import Problem
from components.validation import load
from tests.settings.malformed_fixtures import PLANTED, oss

TOKEN = f"hvs.{PLANTED}abcdefghij"


def _container(**fields: Any) -> dict[str, Any]:
    return {"name": "proxy", "image": "proxy:1", **fields}


def _warnings(**deployment: Any) -> list[Problem]:
    settings = {key.replace("_", "-"): value for key, value in deployment.items()}
    return [
        warning
        for warning in load(oss(deployment=settings), source="f").warnings
        if "stands in clear" in warning.message
    ]


COMMANDS: list[tuple[list[str], int]] = [
    (["sh", "-c", f"export DB_PASSWORD={PLANTED}; exec proxy"], 2),
    (["proxy", f"--token={TOKEN}"], 1),
    (["proxy", f"--password={PLANTED}"], 1),
    (["proxy", "--password", PLANTED], 2),
    (["proxy", f"--api-key {PLANTED}"], 1),
    (["sh", "-c", f"curl -u admin:{PLANTED} https://a.b"], 2),
    (["curl", "-u", f"admin:{PLANTED}"], 2),
    (["curl", "-H", f"Authorization: Bearer {PLANTED}"], 2),
    (["sh", "-c", f"psql postgresql://kestra:{PLANTED}@db/kestra"], 2),
]


@pytest.mark.parametrize(("command", "position"), COMMANDS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("field", ["command", "args"])
@pytest.mark.parametrize("kind", ["init-containers", "extra-containers"])
def test_a_secret_in_a_command_is_told_with_a_variable_to_use(
    kind: str, field: str, command: list[str], position: int
) -> None:
    [warning] = _warnings(**{kind: [_container(**{field: command})]})
    assert warning.path == f"kestra:deployment.{kind}[0].{field}[{position}]"
    assert "$(NAME)" in warning.fix
    assert PLANTED not in warning.line()


PLACES: dict[str, dict[str, Any]] = {
    "annotations.proxy/api-token": {"annotations": {"proxy/api-token": PLANTED}},
    "ingress.annotations.a/b": {
        "ingress": {"host": "a.b", "tls-secret": "t", "annotations": {"a/b": f"x; password={PLANTED}"}}
    },
    "extra-volumes[0].csi.volumeAttributes.password": {
        "extra-volumes": [{"name": "v", "csi": {"driver": "d", "volumeAttributes": {"password": PLANTED}}}]
    },
    "extra-containers[0].livenessProbe.httpGet.httpHeaders[0].value": {
        "extra-containers": [
            _container(livenessProbe={"httpGet": {"port": 1, "httpHeaders": [{"name": "X-Api-Token", "value": PLANTED}]}})
        ]
    },
    "extra-containers[0].lifecycle.preStop.exec.command[1]": {
        "extra-containers": [_container(lifecycle={"preStop": {"exec": {"command": ["a", f"--token={TOKEN}"]}}})]
    },
    "components.standalone.extra-args[0]": {"components": {"standalone": {"extra-args": [f"--token={TOKEN}"]}}},
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in_another_text_is_told(place: str) -> None:
    [warning] = _warnings(**PLACES[place])
    assert warning.path.startswith("kestra:deployment.")
    assert PLANTED not in warning.line()


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", "export PASSWORD=$DB_PASSWORD; exec proxy"],
        ["sh", "-c", 'psql "postgresql://kestra:${DB_PASSWORD}@db/kestra"'],
        ["proxy", "--password=$(DB_PASSWORD)"],
        ["proxy", "--password", "$(DB_PASSWORD)"],
        ["proxy", "--password-file=/run/secrets/password"],
        ["proxy", "--token-file", "/run/secrets/token"],
        ["sh", "-c", "TOKEN=$(cat /run/secrets/token) exec proxy"],
        ["curl", "-u", "admin:$(PASSWORD)", "-H", "Authorization: Bearer ${TOKEN}"],
        ["proxy", "--user", "kestra", "--port", "5432"],
        ["proxy", "--credentials-file=/run/secrets/gcp.json", "--structured-logs"],
    ],
    ids=lambda command: " ".join(command)[:50],
)
def test_a_command_that_reads_its_secret_elsewhere_is_accepted_without_a_word(
    command: list[str],
) -> None:
    assert not _warnings(extra_containers=[_container(args=command)])


@pytest.mark.parametrize(
    "annotations",
    [
        {"nginx.ingress.kubernetes.io/auth-secret": "kestra/basic-auth"},
        {"nginx.ingress.kubernetes.io/auth-tls-secret": "kestra/ca"},
        {"checksum/secret": "0f343b0931126a20f133d67c2b018a3b"},
        {"vault.hashicorp.com/agent-inject-token": "true"},
        {"kubectl.kubernetes.io/default-container": "kestra"},
    ],
)
def test_an_annotation_that_names_a_secret_is_none(annotations: dict[str, str]) -> None:
    assert not _warnings(annotations=annotations)
