"""`doctor` says what machine, settings and permissions have and lack, and never a secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.stub import Stubber

from components.backends.answers import CurrentVersion, UnansweredError
from components.backends.external_values import NO_VALUE, no_option
from components.deployer_permissions import FREE, Need, NoRow, needed
from components.validation import load
from sandbox import kestra, tools
from sandbox.cli import main
from sandbox.doctor import callers, external_values
from sandbox.errors import SandboxError
from tests.conftest import ROOT, stack_document

PLANTED = "Pl4nted-Doctor-Zq81"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main(["doctor", *map(str, arguments)])
    output = capsys.readouterr()
    assert "Traceback" not in output.out + output.err
    return code, output.out + output.err


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has everything."""

    def whereabouts(name: str) -> tools.Place:
        return tools.Place(tmp_path / name, "in the cache", "1")

    monkeypatch.setattr("sandbox.doctor.machine.whereabouts", whereabouts)
    monkeypatch.setattr(kestra, "find_java", lambda needed: tmp_path / "jdk" / "bin" / "java")
    monkeypatch.setattr(kestra, "entry_of", lambda version, java: tmp_path)


@pytest.mark.engine  # it asks the machine's own Go and Java
@pytest.mark.usefixtures("complete")
def test_the_page_tells_machine_settings_and_permissions_and_no_secret(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = yaml.safe_load((ROOT / "stacks" / "Pulumi.local-vault.yaml").read_text())
    config = document["config"]
    config["kestra:declared-secrets"]["API_TOKEN"] = {
        "namespace": "company.team",
        "value": PLANTED,
    }
    (tmp_path / "Pulumi.mine.yaml").write_text(yaml.safe_dump(document))
    code, output = run(capsys, "mine", "--state", tmp_path / "state", "--stacks", tmp_path)
    assert code == 0, output
    assert PLANTED not in output
    for line in (
        "tools                  pulumi, etcd, ",
        "secret.type: vault",
        "encryption.secret-key: secret, not shown  (generated)",
        "declared-secrets.API_TOKEN.value: secret, not shown",
        "Vault: ",
        "not asked, its server does not run",
        "Nothing of what could be asked is lacking.",
    ):
        assert line in output
    assert not (tmp_path / "state").exists()
    _, more = run(capsys, "mine", "--state", tmp_path / "state", "--stacks", tmp_path, "--all")
    assert "  secret.vault.engine-version: 2  (default)" in more
    assert "  secret.vault.engine-version: 2  (default)" not in output


@pytest.mark.usefixtures("complete")
def test_what_the_machine_lacks_is_told_with_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(name: str) -> tools.Place:
        return tools.Place(None, "missing", "1.2.3")

    def no_java(needed: int) -> Path:
        raise SandboxError("Install a JDK.")

    monkeypatch.setattr("sandbox.doctor.machine.whereabouts", nowhere)
    monkeypatch.setattr("sandbox.doctor.machine.shutil.which", lambda name: None)
    monkeypatch.setattr(kestra, "find_java", no_java)
    code, output = run(capsys, "local", "--state", tmp_path)
    assert code == 1
    assert "1.2.3 is built at the first `up`" in output
    assert "Install Go " in output
    assert "Install a JDK." in output
    assert "Lacking: Go, JDK." in output


@pytest.mark.usefixtures("complete")
def test_bad_settings_are_told_as_everywhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_text("config: {kestra:editoin: oss}\n")
    code, output = run(capsys, "bad", "--state", tmp_path / "state", "--stacks", tmp_path)
    assert code == 1
    assert "kestra:editoin" in output


def test_every_type_that_a_stack_may_have_is_in_the_table() -> None:
    types = {
        type_
        for file in (ROOT / "tests" / "inventories").glob("*.yaml")
        for type_ in yaml.safe_load(file.read_text())["counts"]
    }
    assert len(types) > 40
    for type_ in types:
        needs = needed([(type_, {})], "kestra")
        assert bool(needs) != type_.startswith(FREE), type_
    with pytest.raises(NoRow):
        needed([("aws:sqs/queue:Queue", {})], "kestra")


def test_paths_of_vault_come_from_the_inputs() -> None:
    needs = needed([("vault:kv/secretV2:SecretV2", {"mount": "kestra/", "name": "a/b"})], "n")
    assert Need("vault", "read", "kestra/data/a/b") in needs
    assert Need("vault", "read", "+/data/+") in needed([("vault:kv/secretV2:SecretV2", {})], "n")


ACTIONS = [Need("aws", "kms:CreateKey"), Need("aws", "iam:CreateRole")]


def _aws(monkeypatch: pytest.MonkeyPatch, arn: str) -> tuple[Stubber, Stubber]:
    here = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    clients = {name: boto3.client(name, **here) for name in ("sts", "iam")}
    stubs = {name: Stubber(client) for name, client in clients.items()}
    for stub in stubs.values():
        stub.activate()
    monkeypatch.setattr(boto3, "client", lambda name, **_: clients[name])
    stubs["sts"].add_response("get_caller_identity", {"Arn": arn})
    return stubs["sts"], stubs["iam"]


def test_aws_is_asked_for_the_role_behind_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    role = "arn:aws:iam::111122223333:role/teams/deployer"
    _, iam = _aws(monkeypatch, "arn:aws:sts::111122223333:assumed-role/deployer/me")
    described = {
        "Path": "/teams/", "RoleName": "deployer", "RoleId": "A" * 16, "Arn": role,
        "CreateDate": "2026-01-01",
    }  # fmt: skip
    iam.add_response("get_role", {"Role": described}, {"RoleName": "deployer"})
    iam.add_response(
        "simulate_principal_policy",
        {
            "EvaluationResults": [
                {"EvalActionName": "iam:CreateRole", "EvalDecision": "allowed"},
                {"EvalActionName": "kms:CreateKey", "EvalDecision": "implicitDeny"},
            ]
        },
        {"PolicySourceArn": role, "ActionNames": ["iam:CreateRole", "kms:CreateKey"]},
    )
    answer = callers.aws(ACTIONS)
    assert answer.denied == {Need("aws", "kms:CreateKey")}
    iam.assert_no_pending_responses()


def test_who_may_not_ask_aws_is_told_what_asking_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    _, iam = _aws(monkeypatch, "arn:aws:iam::111122223333:user/me")
    iam.add_client_error("simulate_principal_policy", "AccessDenied")
    with pytest.raises(SandboxError, match="iam:SimulatePrincipalPolicy"):
        callers.aws(ACTIONS)


Answered = Callable[[str, str, Any], tuple[int, Any]]


@pytest.fixture
def answering() -> Iterator[Callable[[Answered], str]]:
    """An HTTP server on loopback that answers as it is told."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answered) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                assert self.headers["Authorization"] == "Bearer the-token"
                status, said = answer(self.command, self.path, body)
                content = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_google_is_asked_for_the_project(
    answering: Callable[[Answered], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "the-token")
    asked: list[str] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        assert (method, path) == ("POST", "/v1/projects/mine:testIamPermissions")
        asked.extend(body["permissions"])
        return 200, {"permissions": [p for p in body["permissions"] if p.endswith("7")]}

    needs = [Need("gcp", f"p.{n}") for n in range(101)]
    permissions = callers.google(needs, "mine", answering(answer))
    assert sorted(asked) == sorted(n.what for n in needs)
    assert {n.what for n in set(needs) - set(permissions.denied)} == {
        f"p.{n}7" for n in ("", *range(1, 10))
    }
    refused = answering(lambda *_: (403, {}))
    with pytest.raises(SandboxError, match="HTTP 403"):
        callers.google(needs, "mine", refused)
    with pytest.raises(SandboxError, match="names no project"):
        callers.google(needs, "")


def test_azure_answers_with_wildcards_and_in_pages(
    answering: Callable[[Answered], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", "sub")
    monkeypatch.setattr(callers, "_output", lambda *command: "the-token")
    address = ""

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/next":
            return 200, {"value": [{"actions": ["Microsoft.Insights/*/read"], "notActions": []}]}
        assert path.startswith("/subscriptions/sub/resourceGroups/group/providers/")
        permissions_held = {
            "actions": ["microsoft.keyvault/*"],
            "notActions": ["Microsoft.KeyVault/vaults/delete"],
        }
        return 200, {"value": [permissions_held], "nextLink": f"{address}/next"}

    address = answering(answer)
    allowed = ["Microsoft.KeyVault/vaults/read", "Microsoft.Insights/diagnosticSettings/read"]
    denied = ["Microsoft.KeyVault/vaults/delete", "Microsoft.Insights/diagnosticSettings/write"]
    needs = [Need("azure", action) for action in (*allowed, *denied)]
    permissions = callers.azure(needs, "group", address)
    assert {n.what for n in permissions.denied} == set(denied)


def test_whoever_is_not_logged_in_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("VAULT_ADDR", "VAULT_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    need = [Need("kubernetes", "get", "pods/kestra")]
    with pytest.raises(SandboxError, match="VAULT_ADDR is not set"):
        callers.vault([])
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    with pytest.raises(SandboxError, match="vault login"):
        callers.vault([])
    monkeypatch.setenv("VAULT_TOKEN", "x")
    with pytest.raises(SandboxError, match="Vault does not answer"):
        callers.vault([])
    with pytest.raises(SandboxError, match="no usable kubeconfig"):
        callers.kubernetes(need)
    with pytest.raises(SandboxError, match="`gcloud` is not installed"):
        callers.google([], "mine")


def test_a_secret_without_a_value_is_said_when_ones_own_manager_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(stack_document("local-vault"), source="test").settings
    versions = {"vault": {"A": CurrentVersion("3"), "B": CurrentVersion("", NO_VALUE)}}
    monkeypatch.setattr(external_values, "current_versions", lambda *_: versions)
    examine = external_values.examine_external_values
    assert list(examine(settings, no_option, own=False)) == []
    first, second = examine(settings, no_option, own=True)
    assert (first.name, first.state, first.is_well) == ("A", "vault: version 3", True)
    assert (second.name, second.is_well) == ("B", False)
    assert "secret list" in second.remedy

    def unanswered(*_: Any) -> Any:
        raise UnansweredError("Vault does not answer.")

    monkeypatch.setattr(external_values, "current_versions", unanswered)
    (check,) = examine(settings, no_option, own=True)
    assert (check.state, check.is_well) == ("Vault does not answer.", None)
