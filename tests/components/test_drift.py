"""`python -m components drift`: which secrets have another version in force than the stack wrote."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components import __main__ as command
from components.backends.answers import CurrentVersion, WrittenSecret
from components.backends.azure import drift as azure
from components.backends.gcp import drift as gcp
from components.backends.vault import drift as vault

PLANTED = "Pl4nted-Drift-Zq85"
URN = "urn:pulumi:dev::kestra::kestra:stores:Store$T::"
AZURE_ID = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/secrets/kestra-token"
)


class Manager:
    """Answers as the APIs of the secret managers do; keeps who asked for what."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        manager = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                manager.asked.append((self.path, dict(self.headers)))
                answer = manager.answers.get(self.path.partition("?")[0], 404)
                self.send_response(answer if isinstance(answer, int) else 200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Manager]:
    manager = Manager()
    thread = threading.Thread(target=manager.server.serve_forever, args=(0.01,))
    thread.start()
    for cloud in ("az", "gcloud"):
        program = tmp_path / cloud
        program.write_text(f"#!/bin/sh\necho token-of-{cloud}\n")
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_ADDR", f"{manager.address}/")
    monkeypatch.setenv("VAULT_TOKEN", PLANTED)
    monkeypatch.setenv("VAULT_NAMESPACE", "team/")
    monkeypatch.setenv("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", f"{manager.address}/v1/")
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setattr(azure, "ADDRESS", manager.address)
    yield manager
    manager.server.shutdown()
    manager.server.server_close()
    thread.join()


def _state(
    ids: dict[str, Any], versions: dict[str, Any], *resources: dict[str, Any]
) -> dict[str, Any]:
    outputs = {"secretIds": ids, "versionIds": versions}
    stack = {"type": "pulumi:pulumi:Stack", "urn": "urn:stack", "outputs": outputs}
    return {"version": 3, "deployment": {"resources": [stack, *resources]}}


def _resource(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "urn": f"{URN}{name}", **more}


def _run(
    state: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(state)))
    status = command.main(["drift", "-"])
    out, err = capsys.readouterr()
    return status, out, err


def _vault(current: int, **newest: Any) -> dict[str, Any]:
    return {"data": {"current_version": current, "versions": {str(current): newest}}}


VAULT = _state(
    {
        "TOKEN": "kestra/data/main/team/TOKEN",
        "encryption.secret-key": "kestra-stack/data/encryption",
    },
    {"TOKEN": "1", "encryption.secret-key": "1"},
    _resource(vault.QUERY.resource_type, "store-declared-TOKEN", inputs={"namespace": "inner"}),
    _resource(vault.QUERY.resource_type, "store-encryption-key"),
)
TOKEN_PATH, COPY_PATH = (
    "/v1/kestra/metadata/main/team/TOKEN",
    "/v1/kestra-stack/metadata/encryption",
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_vault(2, deletion_time="", destroyed=False), "version 2 is the newest; this stack wrote version 1"),
        (_vault(1, deletion_time="2026-01-02T03:04:05.123456789Z"), "version 1 is the newest, and it is deleted"),
        (_vault(1, deletion_time="", destroyed=True), "version 1 is the newest, and it is destroyed"),
        (404, "it is deleted with its metadata; this stack wrote version 1"),
    ],
)  # fmt: skip
def test_vault_is_asked_for_numbers_and_each_drift_comes_with_its_commands(
    manager: Manager,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: Any,
    words: str,
) -> None:
    manager.answers = {TOKEN_PATH: answer, COPY_PATH: _vault(1, deletion_time="")}
    status, out, err = _run(VAULT, monkeypatch, capsys)
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].startswith("TOKEN: ")
    assert words in lines[0]
    mark = "    vault kv metadata put -namespace=inner -mount=kestra -custom-metadata=drift=seen main/team/TOKEN"
    assert lines[1:] == ([] if answer == 404 else [mark]) + ["    pulumi up --refresh"]
    assert PLANTED not in out
    (path, headers), (other, others) = manager.asked
    assert (path, headers["X-Vault-Namespace"]) == (TOKEN_PATH, "team/inner")
    assert (other, others["X-Vault-Namespace"]) == (COPY_PATH, "team")
    assert headers["X-Vault-Token"] == PLANTED


def test_what_is_as_the_stack_wrote_it_is_no_drift(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A version that Vault will delete some day is there until then.
    later = _vault(1, deletion_time="2999-01-01T00:00:00Z", destroyed=False)
    manager.answers = {TOKEN_PATH: later, COPY_PATH: _vault(1, deletion_time="")}
    status, out, _ = _run(VAULT, monkeypatch, capsys)
    assert (status, out) == (0, "2 secrets: the versions that this stack wrote are in force.\n")


def test_google_is_asked_for_the_latest_version_and_the_stack_s_is_written_anew(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = {name: f"projects/p/secrets/{name.lower()}" for name in ("TOKEN", "OTHER", "SAME")}
    versions = {name: f"{id_}/versions/1" for name, id_ in ids.items()}
    resources = [
        _resource(
            gcp.QUERY.resource_type, f"store-declared-{name}-version", protect=name == "OTHER"
        )
        for name in ids
    ]
    for name, number, state in (("token", 2, "ENABLED"), ("other", 1, "DISABLED"), ("same", 1, "ENABLED")):  # fmt: skip
        latest = {"name": f"projects/7/secrets/{name}/versions/{number}", "state": state}
        manager.answers[f"/v1/projects/p/secrets/{name}/versions/latest"] = latest
    status, out, _ = _run(_state(ids, versions, *resources), monkeypatch, capsys)
    replace = f"    pulumi up --replace '{URN}store-declared-"
    assert status == 1
    assert out.splitlines() == [
        "TOKEN: version 2 is the newest; this stack wrote version 1.",
        f"{replace}TOKEN-version'",
        "OTHER: version 1 is the newest, and it is disabled; this stack wrote version 1.",
        f"    pulumi state unprotect '{URN}store-declared-OTHER-version'",
        f"{replace}OTHER-version'",
    ]
    assert {headers["Authorization"] for _, headers in manager.asked} == {"Bearer token-of-gcloud"}


def test_azure_is_asked_through_its_management_and_a_changed_tag_writes_the_value(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = "https://v.vault.azure.net/secrets/kestra-token"
    copy = {"id": AZURE_ID.replace("kestra-token", "copy")}
    state = _state(
        {"TOKEN": uri, "encryption.secret-key": uri.replace("kestra-token", "copy")},
        {"TOKEN": "aaa", "encryption.secret-key": "aaa"},
        _resource(azure.QUERY.resource_type, "store-declared-TOKEN", id=AZURE_ID),
        _resource(azure.QUERY.resource_type, "store-encryption-key", **copy),
    )
    current: dict[str, Any] = {"properties": {"secretUriWithVersion": f"{uri}/bbb"}}
    manager.answers = {AZURE_ID: current, copy["id"]: current}
    status, out, err = _run(state, monkeypatch, capsys)
    lines = out.splitlines()
    assert (status, err) == (1, "")
    assert lines[0] == "TOKEN: version bbb is the newest; this stack wrote version aaa."
    assert lines[1].startswith(
        "    pulumi config set --path 'kestra:declared-secrets[\"TOKEN\"].tags.written-again' 20"
    )
    assert lines[2] == "    pulumi up"
    assert lines[3].startswith("encryption.secret-key: version bbb")
    assert lines[4:] == [
        f"    az keyvault secret set-attributes --id {uri.replace('kestra-token', 'copy')} --tags drift=seen",
        "    pulumi up --refresh",
    ]
    assert manager.asked[0][0] == f"{AZURE_ID}?api-version=2024-11-01"
    current["properties"] = {**current["properties"], "attributes": {"enabled": False}}
    secret = WrittenSecret("TOKEN", uri, "bbb", {"id": AZURE_ID})
    assert azure.current_version(secret) == CurrentVersion("bbb", "it is disabled")
    manager.answers = {}
    assert azure.remedy(secret, azure.current_version(secret)) == ["pulumi up --refresh"]


def test_a_stack_that_moves_is_asked_for_the_store_that_kestra_reads(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = _state(
        {"TOKEN": "kestra/data/main/team/TOKEN"},
        {"TOKEN": "1"},
        _resource(vault.QUERY.resource_type, "store-declared-TOKEN"),
        _resource(vault.QUERY.resource_type, "store-declared-TOKEN", delete=True),
        _resource(gcp.QUERY.resource_type, "store-declared-TOKEN-version"),
        _resource("kubernetes:core/v1:Secret", "kestra-secret"),
    )
    manager.answers = {TOKEN_PATH: _vault(1, deletion_time="")}
    status, out, _ = _run(state, monkeypatch, capsys)
    assert (status, out[:9]) == (0, "1 secrets")
    assert len(manager.asked) == 1


def test_a_stack_in_aws_or_without_secrets_outside_is_told_what_looks_instead(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = _state(
        {"TOKEN": "arn:aws:secretsmanager:eu-west-1:1:secret:t"},
        {"TOKEN": "v"},
        _resource("aws:secretsmanager/secretVersion:SecretVersion", "store-declared-TOKEN-value"),
    )
    status, out, _ = _run(state, monkeypatch, capsys)
    assert status == 0
    assert "`pulumi preview --refresh` shows what changed" in out
    assert manager.asked == []


@pytest.mark.parametrize(
    ("unset", "answer", "words"),
    [
        ("VAULT_ADDR", None, "VAULT_ADDR is not set."),
        ("VAULT_TOKEN", None, "Run `vault login`, or set VAULT_TOKEN."),
        ("", 403, "Vault refuses the question (HTTP 403)."),
        ("", [1], "Vault answers with something else than an object."),
    ],
)
def test_who_cannot_be_asked_is_said_and_nothing_is_called_drift(
    manager: Manager,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unset: str,
    answer: Any,
    words: str,
) -> None:
    monkeypatch.delenv(unset, raising=False)
    manager.answers = {TOKEN_PATH: answer}
    status, out, err = _run(VAULT, monkeypatch, capsys)
    assert (status, out) == (2, "")
    assert words in err


@pytest.mark.parametrize("state", [{}, [], {"deployment": None}, {"deployment": {"resources": 5}}])
def test_what_is_no_state_is_refused_with_the_command_that_writes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Any
) -> None:
    status, out, err = _run(state, monkeypatch, capsys)
    assert (status, out) == (2, "")
    assert "pulumi stack export | .venv/bin/python -m components drift -" in err
