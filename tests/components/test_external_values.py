"""`python -m components secret`: values that go into the secret manager past Pulumi's state."""

from __future__ import annotations

import base64
import copy
import getpass
import io
import json
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest
import yaml
from botocore.stub import Stubber

from components import program
from components.__main__ import main
from components.backends.answers import CurrentVersion, own_words
from components.backends.azure import drift as azure
from components.backends.azure import external_values as azure_values
from components.program import build
from components.safeguards.irreversible_changes import find_losses, fingerprint, snapshot
from components.secret_values.actions import random_value
from components.validation import load
from sandbox.inspection.recorder import run as run_recorded
from tests.components.recording_support import Recorder, _Monitor, run
from tests.components.test_program import _configure
from tests.conftest import stack_document

PLANTED = "Pl4nted-External-Zq86"
GENERATED = {"namespace": "company.team", "generate": {"keep-from-state": True, "length": 20}}
DECLARED = {
    "API_TOKEN": {"namespace": "company.team", "external": True, "description": "Of the API"},
    "DATABASE_PASSWORD": GENERATED,
    "OWN": {"namespace": "company.team", "generate": {}},
}
STACKS = {
    "vault": "local-vault",
    "aws-secret-manager": "example-aws-secret-manager",
    "aws-ssm-parameter-store": "example-aws-ssm-parameter-store",
    "azure-key-vault": "example-azure-key-vault",
    "google-secret-manager": "example-google-secret-manager",
}


def document_of(type_: str, **declared: Any) -> dict[str, Any]:
    document: dict[str, Any] = stack_document(STACKS[type_])
    return document | {"declared-secrets": copy.deepcopy(declared or DECLARED)}


class Manager:
    """Answers as secret managers do, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        """`METHOD path` to a status or a document, or to a pair of both."""
        self.sent: list[tuple[str, Any]] = []
        manager = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = f"{self.command} {self.path.partition('?')[0]}"
                manager.sent.append((asked, json.loads(body) if body else None))
                answer = manager.answers.get(asked, 404)
                status, document = answer if isinstance(answer, tuple) else (200, answer)
                if isinstance(answer, int):
                    status, document = answer, {}
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            do_GET = do_POST = do_PUT = _answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Manager]:
    manager = Manager()
    thread = threading.Thread(target=manager.server.serve_forever, args=(0.01,))
    thread.start()
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\necho token-of-az\n")
    az.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_ADDR", manager.address)
    monkeypatch.setenv("VAULT_TOKEN", "token-of-vault")
    for name in ("VAULT_NAMESPACE", "VAULT_CACERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", f"{manager.address}/v1/")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token-of-google")
    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", "subscription")
    monkeypatch.setattr(azure, "ADDRESS", manager.address)
    yield manager
    manager.server.shutdown()
    manager.server.server_close()
    thread.join()


def stack_file(folder: Path, document: dict[str, Any], name: str = "tried") -> str:
    file = folder / f"Pulumi.{name}.yaml"
    config = {f"kestra:{key}": value for key, value in document.items()}
    file.write_text(yaml.safe_dump({"config": config}))
    return str(file)


class Piped(io.TextIOWrapper):
    """Standard input that is no terminal."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command: status and what it printed; no value is in it."""

    def call(*arguments: str, value: bytes = b"") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", Piped(value))
        status = main(["secret", *arguments])
        printed = "".join(capsys.readouterr())
        assert PLANTED not in printed
        assert "Traceback" not in printed
        return status, printed

    return call


VAULT_SECRET = "/v1/kestra/data/main/company/team/API_TOKEN"
VAULT_METADATA = VAULT_SECRET.replace("/data/", "/metadata/")
GOOGLE_SECRET = "/v1/projects/example-kestra-prod/secrets/API_TOKEN"


def test_a_value_of_standard_input_goes_to_vault_and_nowhere_else(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    manager.answers[f"POST {VAULT_SECRET}"] = {"data": {"version": 3}}
    status, printed = secret("set", "API_TOKEN", "--stack", file, value=f"{PLANTED}\n".encode())
    assert status == 0
    assert "API_TOKEN: version 3 is in force in HashiCorp Vault" in printed
    assert manager.sent == [(f"POST {VAULT_SECRET}", {"data": {"value": PLANTED}})]
    assert [path.name for path in tmp_path.iterdir() if path.name != "az"] == ["Pulumi.tried.yaml"]


@pytest.mark.parametrize(
    ("typed", "options", "value"),
    [
        (b"a\n", (), "a"), (b"a\r\n", (), "a"), (b"a\n\n", (), "a\n"), (b" a ", (), " a "), (b"a\r", (), "a\r"),
        (b"a\n", ("--keep-newline",), "a\n"), ("ä\n{{ }}".encode(), (), "ä\n{{ }}"),
    ],
)  # fmt: skip
def test_standard_input_is_the_value_but_for_one_newline(
    manager: Manager, secret: Any, tmp_path: Path, typed: bytes, options: Any, value: str
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    manager.answers[f"POST {VAULT_SECRET}"] = {"data": {"version": 1}}
    assert secret("set", "API_TOKEN", "--stack", file, *options, value=typed)[0] == 0
    assert manager.sent[0][1] == {"data": {"value": value}}


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (("set", "API_TOKEN"), b"", "No value was given: standard input is empty"),
        (("set", "API_TOKEN"), b"\n", "The value of API_TOKEN is empty"),
        (("set", "API_TOKEN"), b"\xff\xfe", "no text in UTF-8"),
        (("set", "API_TOKEN"), b"a\0b", "zero byte"),
        (("set", "API_TOKEN"), b"a" * (1 << 20) + b"b", "longer than 1 MiB"),
        (("set", "API_TOKEN", PLANTED), b"", "does not belong on a command line"),
        (("set", f"API_TOKEN={PLANTED}"), b"", "does not belong on a command line"),
        (("set", "API_TOKEN", "--value", PLANTED), b"", "does not belong on a command line"),
        (("set", f"--value={PLANTED}"), b"", "does not belong on a command line"),
        (("set", PLANTED), b"", "declares no secret of this name. There are API_TOKEN, DATABASE_PASSWORD"),
        (("set", "api_tokn"), b"", "Did you mean API_TOKEN?"),
        (("set", "OWN"), b"x", "OWN is not external: the stack writes its value"),
        (("set",), b"x", "Name the secret"),
        (("list", PLANTED), b"", "more than this takes"),
        (("generate", "API_TOKEN"), b"", "not to be generated: set it with"),
        (("copy", "API_TOKEN"), b"", "no second secret manager"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_without_a_word_to_the_manager(
    manager: Manager, secret: Any, tmp_path: Path, arguments: Any, typed: bytes, words: str
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    status, printed = secret(*arguments, "--stack", file, value=typed)
    assert (status, manager.sent) == (1, [])
    assert words in printed


def test_a_terminal_is_asked_twice_and_never_shown_the_value(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: Any
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    monkeypatch.setattr(Piped, "isatty", lambda _: True)
    typed = iter([PLANTED, PLANTED, PLANTED, "another", ""])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))
    manager.answers[f"POST {VAULT_SECRET}"] = {"data": {"version": 1}}
    assert secret("set", "API_TOKEN", "--stack", file)[0] == 0
    status, printed = secret("set", "API_TOKEN", "--stack", file)
    assert (status, "differ" in printed) == (1, True)
    status, printed = secret("set", "API_TOKEN", "--stack", file)
    assert (status, "is empty" in printed) == (1, True)
    assert [body for _, body in manager.sent] == [{"data": {"value": PLANTED}}]

    def cannot_hide(prompt: str) -> str:
        warnings.warn("it would be shown", getpass.GetPassWarning, stacklevel=2)
        return PLANTED

    monkeypatch.setattr(getpass, "getpass", cannot_hide)
    status, printed = secret("set", "API_TOKEN", "--stack", file)
    assert (status, "cannot hide" in printed) == (1, True)

    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(getpass, "getpass", interrupted)
    assert secret("set", "API_TOKEN", "--stack", file)[0] == 130
    assert len(manager.sent) == 1


def test_a_refusal_has_the_managers_own_words_but_never_the_value(
    manager: Manager, secret: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    arguments = ("set", "API_TOKEN", "--stack", file)
    manager.answers[f"POST {VAULT_SECRET}"] = (403, {"errors": ["1 error: permission denied"]})
    status, printed = secret(*arguments, value=PLANTED.encode())
    assert status == 2
    assert printed == "Vault refuses the question (HTTP 403): 1 error: permission denied.\n"
    manager.answers[f"POST {VAULT_SECRET}"] = (400, {"errors": [f"what is {PLANTED}"]})
    assert secret(*arguments, value=PLANTED.encode()) == (
        2,
        "Vault refuses the question (HTTP 400): what is [secret].\n",
    )
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    status, printed = secret(*arguments, value=PLANTED.encode())
    assert (status, "Vault does not answer" in printed) == (2, True)
    monkeypatch.delenv("VAULT_TOKEN")
    status, printed = secret(*arguments, value=PLANTED.encode())
    assert (status, "Run `vault login`" in printed) == (2, True)


def test_a_value_is_taken_out_of_the_words_of_a_manager_in_each_of_its_forms() -> None:
    for form in (PLANTED, json.dumps(PLANTED), base64.b64encode(PLANTED.encode()).decode()):
        words = own_words(f"refused: {form} is no value", (PLANTED,))
        assert words.startswith("refused: ")
        assert words.endswith(" is no value.")
        assert form not in words
    assert own_words("refused: abc", ("abc",)) == ""
    assert own_words("refused:\n no", (PLANTED, "")) == "refused: no."


def test_a_stack_that_there_is_not_and_one_without_a_manager_are_refused(
    secret: Any, tmp_path: Path
) -> None:
    status, printed = secret("list", "--stack", "local-valt")
    assert (status, "Did you mean local-vault" in printed) == (1, True)
    status, printed = secret("list", "--stack", "local")
    assert (status, "no secret manager that takes values" in printed) == (1, True)
    broken = stack_file(tmp_path, document_of("vault", A={"namespace": "a", "external": "yes"}))
    status, printed = secret("list", "--stack", broken)
    assert (status, "declared-secrets.A.external" in printed) == (1, True)


def test_the_options_of_providers_in_the_stack_file_hold_where_no_variable_does(
    manager: Manager, secret: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(stack_file(tmp_path, document_of("vault")))
    config = yaml.safe_load(file.read_text())
    config["config"]["vault:address"] = manager.address
    file.write_text(yaml.safe_dump(config))
    monkeypatch.delenv("VAULT_ADDR")
    assert "no place yet" in secret("list", "--stack", str(file))[1]
    assert manager.sent[0][0] == f"GET {VAULT_METADATA}"


def test_the_list_says_versions_ages_and_who_is_without_a_value(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    manager.answers[f"GET {VAULT_METADATA}"] = {
        "data": {
            "current_version": 2,
            "versions": {"2": {"created_time": "2026-01-02T03:04:05.6Z"}},
        }
    }
    status, printed = secret("list", "--stack", file)
    assert status == 1
    first, second = printed.splitlines()
    assert first.startswith("API_TOKEN: version 2, ")
    assert first.endswith(" old (HashiCorp Vault)")
    assert (
        second == "DATABASE_PASSWORD: it has no place yet: `pulumi up` makes it (HashiCorp Vault)"
    )
    other = VAULT_METADATA.replace("API_TOKEN", "DATABASE_PASSWORD")
    manager.answers[f"GET {other}"] = {"data": {"current_version": 0, "versions": {}}}
    status, printed = secret("list", "--stack", file, "--json")
    rows = json.loads(printed)
    assert [(row["version"], row["fault"]) for row in rows] == [
        ("2", None),
        (None, "it has no value yet"),
    ]
    manager.answers[f"GET {other}"] = manager.answers[f"GET {VAULT_METADATA}"]
    assert secret("list", "--stack", file)[0] == 0


def test_a_generated_value_is_made_once_and_again_only_when_asked_for(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_of("vault"))
    path = VAULT_SECRET.replace("API_TOKEN", "DATABASE_PASSWORD")
    manager.answers[f"POST {path}"] = {"data": {"version": 1}}
    assert secret("generate", "--stack", file)[0] == 0
    (value,) = [body["data"]["value"] for asked, body in manager.sent if body]
    assert len(value) == 20
    manager.answers[f"GET {path.replace('/data/', '/metadata/')}"] = {
        "data": {"current_version": 1, "versions": {"1": {}}}
    }
    status, printed = secret("generate", "DATABASE_PASSWORD", "--stack", file)
    assert (status, "version 1 is there" in printed) == (0, True)
    # One that was deleted is none.
    metadata = f"GET {path.replace('/data/', '/metadata/')}"
    manager.answers[metadata]["data"]["versions"]["1"] = {"destroyed": True}
    assert "is in force" in secret("generate", "--stack", file)[1]
    manager.answers[metadata]["data"]["versions"]["1"] = {}
    assert secret("generate", "--again", "--stack", file)[0] == 0
    made = [body["data"]["value"] for _, body in manager.sent if body]
    assert len(made) == len(set(made)) == 3
    assert not any(value in printed for value in made)


def test_vault_makes_a_value_by_a_password_policy(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    policy = {"keep-from-state": True, "password-policy": "team/strong"}
    declared = {"MADE": {"namespace": "company.team", "generate": policy}}
    file = stack_file(tmp_path, document_of("vault", **declared))
    status, printed = secret("generate", "--stack", file)
    assert (status, "no password policy team/strong" in printed) == (2, True)
    asked = "GET /v1/sys/policies/password/team/strong/generate"
    manager.answers[asked] = {"data": {"password": PLANTED}}
    path = VAULT_SECRET.replace("API_TOKEN", "MADE")
    manager.answers[f"POST {path}"] = {"data": {"version": 1}}
    assert secret("generate", "--stack", file)[0] == 0
    assert manager.sent[-1] == (f"POST {path}", {"data": {"value": PLANTED}})


@pytest.mark.parametrize("special", [True, False])
def test_a_random_value_has_every_kind_of_character(special: bool) -> None:
    values = {random_value(16, special=special) for _ in range(50)}
    assert len(values) == 50
    for value in values:
        assert len(value) == 16
        assert any(c.islower() for c in value)
        assert any(c.isupper() for c in value)
        assert any(c.isdigit() for c in value)
        assert any(not c.isalnum() for c in value) == special


def test_google_and_azure_get_the_value_with_their_own_requests(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    google = document_of("google-secret-manager")
    google["secret"]["google-secret-manager"] = {"project": "example-kestra-prod"}
    file = stack_file(tmp_path, google, "google")
    added = {"name": "projects/1/secrets/API_TOKEN/versions/4", "state": "ENABLED"}
    manager.answers[f"POST {GOOGLE_SECRET}:addVersion"] = added
    status, printed = secret("set", "API_TOKEN", "--stack", file, value=PLANTED.encode())
    assert (status, "version 4" in printed) == (0, True)
    (_, body), *_ = manager.sent
    assert base64.b64decode(body["payload"]["data"]).decode() == PLANTED
    # One without a version, one without a place.
    manager.answers[f"GET {GOOGLE_SECRET}"] = {"name": "x"}
    status, printed = secret("list", "--stack", file)
    assert (status, printed.splitlines()[0]) == (
        1,
        "API_TOKEN: it has no value yet (Google Secret Manager)",
    )
    assert "no place yet" in printed.splitlines()[1]

    manager.sent.clear()
    document = document_of("azure-key-vault")
    block = document["secret"]["azure-key-vault"]
    document["declared-secrets"]["API_TOKEN"] = {
        "namespace": "company.team", "external": True, "expires": "2027-01-31T00:00:00Z",
    }  # fmt: skip
    file = stack_file(tmp_path, document, "azure")
    group = document["store"]["azure"]["resource-group"]
    prefix = (block.get("filter-on-prefix") or {}).get("prefix", "")
    place = (
        f"/subscriptions/subscription/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/"
        f"{block['vault-name']}/secrets/{prefix}API-TOKEN"
    )
    answer = {"properties": {"secretUriWithVersion": "https://v/secrets/x/abc", "attributes": {}}}
    manager.answers[f"PUT {place}"] = answer
    status, printed = secret("set", "API_TOKEN", "--stack", file, value=PLANTED.encode())
    assert (status, "version abc" in printed) == (0, True)
    ((_, body),) = manager.sent
    assert body["properties"] == {
        "value": PLANTED,
        "contentType": "text/plain",
        "attributes": {"enabled": True, "exp": 1801353600},
    }
    assert body["tags"]["namespace"] == "company.team"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    """AWS's own client with answers in place of a server."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    clients = {name: boto3.client(name, **keys) for name in ("secretsmanager", "ssm")}
    stubs = {name: Stubber(client) for name, client in clients.items()}
    monkeypatch.setattr(boto3.Session, "client", lambda self, name, config: clients[name])
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.assert_no_pending_responses()


ID = "11111111-2222-3333-4444-555555555555"


def test_aws_secrets_manager_makes_the_value_itself(
    aws: dict[str, Stubber], secret: Any, tmp_path: Path
) -> None:
    stub = aws["secretsmanager"]
    file = stack_file(tmp_path, document_of("aws-secret-manager"))
    stub.add_client_error("describe_secret", "ResourceNotFoundException")
    chosen = {"PasswordLength": 20, "RequireEachIncludedType": True, "ExcludePunctuation": True}
    stub.add_response("get_random_password", {"RandomPassword": PLANTED}, chosen)
    written = {"VersionId": ID, "ARN": "arn:aws:secretsmanager:x", "Name": "x"}
    name = "kestra-production/main/company.team/DATABASE_PASSWORD"
    stub.add_response("put_secret_value", written, {"SecretId": name, "SecretString": PLANTED})
    status, printed = secret("generate", "--stack", file)
    assert (status, ID in printed) == (0, True)
    stub.add_client_error(
        "put_secret_value", "AccessDeniedException", f"User x may not; sent {PLANTED}"
    )
    arguments = ("set", "API_TOKEN", "--stack", file)
    status, printed = secret(*arguments, value=PLANTED.encode())
    assert (status, "AWS refuses the question (AccessDeniedException)" in printed) == (2, True)
    stub.add_client_error("put_secret_value", "AccessDeniedException", "User x may not")
    assert "User x may not." in secret(*arguments, value=PLANTED.encode())[1]
    stub.add_client_error("put_secret_value", "ResourceNotFoundException")
    assert "`pulumi up` makes it first" in secret(*arguments, value=PLANTED.encode())[1]


def test_a_parameter_is_made_by_its_first_value_with_key_and_tags(
    aws: dict[str, Stubber], secret: Any, tmp_path: Path
) -> None:
    stub = aws["ssm"]
    document = document_of("aws-ssm-parameter-store")
    file = stack_file(tmp_path, document)
    described, calls = {"Name": "x", "Version": 1}, []
    client: Any = stub.client
    client.meta.events.register(
        "provide-client-params.ssm.PutParameter", lambda params, **_: calls.append(params)
    )
    for parameters, more in (([], "Tags"), ([described], "Overwrite")):
        stub.add_response("describe_parameters", {"Parameters": parameters})
        stub.add_response("put_parameter", {"Version": 1 + len(parameters)})
        status, _ = secret("set", "API_TOKEN", "--stack", file, value=PLANTED.encode())
        assert status == 0
        sent = calls[-1]
        namespace = document["deployment"]["namespace"]
        assert sent["KeyId"] == f"alias/{namespace}-parameters"
        assert (sent["Type"], sent["Value"], more in sent) == ("SecureString", PLANTED, True)


def test_values_move_between_stacks_and_to_the_second_manager(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    source = stack_file(tmp_path, document_of("vault"), "source")
    manager.answers[f"GET {VAULT_SECRET}"] = {"data": {"data": {"value": PLANTED}}}
    document = document_of("google-secret-manager")
    document["secret"]["google-secret-manager"] = {"project": "example-kestra-prod"}
    target = stack_file(tmp_path, document, "target")
    added = {"name": "projects/1/secrets/API_TOKEN/versions/7"}
    manager.answers[f"POST {GOOGLE_SECRET}:addVersion"] = added
    status, printed = secret("copy", "API_TOKEN", "--stack", source, "--to", target)
    assert (status, printed) == (0, "API_TOKEN: version 7 is in force in Google Secret Manager.\n")
    assert base64.b64decode(manager.sent[-1][1]["payload"]["data"]).decode() == PLANTED
    # Nothing is read for a name that the target does not take.
    manager.sent.clear()
    status, printed = secret("copy", "OWN", "--stack", source, "--to", target)
    assert (status, manager.sent, "OWN is not external" in printed) == (1, [], True)


# What the program registers


def test_vault_knows_tags_of_the_place_before_there_is_a_value() -> None:
    endpoints = run(document_of("vault")).of("Endpoint")
    place = endpoints["store-place-API_TOKEN"]
    assert place["path"] == "kestra/metadata/main/company/team/API_TOKEN"
    metadata = json.loads(place["dataJson"]["value"])["custom_metadata"]
    assert metadata["description"] == "Of the API"
    assert place["ignoreAbsentFields"]


def _annotations(versions: Any) -> set[str]:
    recorder = Recorder()
    settings = load(document_of("vault"), source="test").settings
    run_recorded(lambda: build(settings, None, versions), _Monitor(recorder), "test")
    deployments = recorder.of("Deployment").values()
    return {json.dumps(one["spec"]["template"]["metadata"]["annotations"]) for one in deployments}


def test_another_version_rolls_the_pods() -> None:
    current = CurrentVersion
    first = _annotations({"vault": {"API_TOKEN": current("1")}})
    assert _annotations({"vault": {"API_TOKEN": current("1")}}) == first
    assert _annotations({"vault": {"API_TOKEN": current("2")}}) != first


def test_the_program_warns_of_what_has_no_value_and_stops_where_nobody_answers(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings_: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings_.append)
    _configure(document_of("vault"))
    settings = load(document_of("vault"), source="test").settings
    manager.answers[f"GET {VAULT_METADATA}"] = {
        "data": {"current_version": 2, "versions": {"2": {}}}
    }
    versions = program.read_versions(settings)
    assert {name: one.number for name, one in versions["vault"].items()} == {
        "API_TOKEN": "2", "DATABASE_PASSWORD": "",
    }  # fmt: skip
    (warning,) = warnings_
    assert "kestra:declared-secrets.DATABASE_PASSWORD: flows cannot read it in vault" in warning
    assert "secret generate DATABASE_PASSWORD --stack" in warning
    manager.answers[f"GET {VAULT_METADATA}"] = (403, {"errors": ["permission denied"]})
    recorder = _configure(document_of("vault"))
    with pytest.raises(pulumi.RunError) as caught:
        program.deploy()
    assert "HashiCorp Vault cannot be read: Vault refuses the question (HTTP 403)" in str(
        caught.value
    )
    assert recorder.resources == {}
    assert azure_values.unix_seconds("1970-01-02T00:00:00Z") == 86_400


# The encryption key


KEY_PATH = "/v1/kestra-stack/data/encryption"
KEY_METADATA = KEY_PATH.replace("/data/", "/metadata/")
GIVEN = base64.b64encode(b"k" * 32).decode()
FINGERPRINT = fingerprint(GIVEN)


def document_with_key(**encryption: Any) -> dict[str, Any]:
    return document_of("vault") | {"encryption": {"external": True, **encryption}}


def test_an_external_key_is_made_once_and_known_by_its_fingerprint(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_with_key())
    manager.answers[f"POST {KEY_PATH}"] = {"data": {"version": 1}}
    status, printed = secret("generate", "encryption.secret-key", "--stack", file)
    assert status == 0
    (key,) = [body["data"]["secret-key"] for _, body in manager.sent if body]
    assert len(base64.b64decode(key)) == 32
    assert key not in printed
    assert f"kestra:encryption.fingerprint {fingerprint(key)}" in printed
    # Never a second one, by neither way.
    manager.answers[f"GET {KEY_METADATA}"] = {"data": {"current_version": 1, "versions": {"1": {}}}}
    manager.sent.clear()
    for arguments in (
        ("generate", "encryption.secret-key", "--again"),
        ("set", "encryption.secret-key"),
    ):
        status, printed = secret(*arguments, "--stack", file, value=GIVEN.encode())
        assert (status, "Kestra has one key and no re-encryption" in printed) == (1, True)
    assert not any(body for _, body in manager.sent)


@pytest.mark.parametrize(
    ("encryption", "value", "words"),
    [
        ({}, PLANTED, "This is no key"),
        ({}, base64.b64encode(b"k" * 16).decode(), "This is no key"),
        ({"fingerprint": "00000000"}, GIVEN, f"another key: its fingerprint is {FINGERPRINT}"),
        ({"fingerprint": FINGERPRINT}, GIVEN, ""),
        ({"existing": True}, base64.b64encode(b"k" * 16).decode(), ""),
    ],
)
def test_a_given_key_is_checked_before_it_is_written(
    manager: Manager, secret: Any, tmp_path: Path, encryption: Any, value: str, words: str
) -> None:
    file = stack_file(tmp_path, document_with_key(**encryption))
    manager.answers[f"POST {KEY_PATH}"] = {"data": {"version": 1}}
    status, printed = secret("set", "encryption.secret-key", "--stack", file, value=value.encode())
    assert (status, words in printed) == (1 if words else 0, True)
    assert any(body for _, body in manager.sent) == (not words)
    assert value not in printed


def test_no_key_is_made_in_the_place_of_one_that_there_was(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    for encryption in ({"fingerprint": FINGERPRINT}, {"existing": True}):
        file = stack_file(tmp_path, document_with_key(**encryption))
        status, printed = secret("generate", "encryption.secret-key", "--stack", file)
        assert (status, "none is made in its place" in printed) == (1, True)
    file = stack_file(tmp_path, document_of("vault"))
    status, printed = secret("generate", "encryption.secret-key", "--stack", file)
    assert (status, "is not external" in printed) == (1, True)


def test_the_cluster_gets_the_key_by_standard_input_and_only_the_right_one(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/manifest\n')
    kubectl.chmod(0o700)
    manager.answers[f"GET {KEY_PATH}"] = {"data": {"data": {"secret-key": GIVEN}}}
    arguments = ("copy", "encryption.secret-key", "--to-cluster", "--context", "here", "--stack")
    file = stack_file(tmp_path, document_with_key(fingerprint=FINGERPRINT))
    status, printed = secret(*arguments, file)
    assert (status, GIVEN in printed) == (0, False)
    assert (tmp_path / "arguments").read_text() == "--context here create -f -\n"
    manifest = json.loads((tmp_path / "manifest").read_text())
    assert manifest["metadata"]["name"] == "kestra-encryption-key"
    assert manifest["stringData"] == {"secret-key": GIVEN}
    assert manifest["immutable"]
    kubectl.write_text(f'#!/bin/sh\necho "already exists: {GIVEN}" >&2; exit 1\n')
    status, printed = secret(*arguments, file)
    assert (status, "`kubectl create` failed" in printed, GIVEN in printed) == (2, True, False)
    file = stack_file(tmp_path, document_with_key(fingerprint="00000000"))
    status, printed = secret(*arguments, file)
    assert (status, "nothing was written to the cluster" in printed) == (2, True)
    status, printed = secret("copy", "API_TOKEN", "--to-cluster", "--stack", file)
    assert (status, "for encryption.secret-key alone" in printed) == (1, True)


def test_an_external_key_is_in_no_resource_and_the_guard_knows_its_fingerprint() -> None:
    recorded = run(document_with_key(fingerprint=FINGERPRINT))
    assert not any("encryption-key" in name for name in recorded.of("SecretV2"))
    assert not any("encryption" in name for name in recorded.of("RandomPassword"))
    place = recorded.of("Endpoint")["store-place-encryption-key"]
    assert place["path"] == "kestra-stack/metadata/encryption"
    assert "store-place-encryption-key" in recorded.retained
    (guard,) = (inputs for type_, inputs in recorded.resources.values() if type_.endswith(":Guard"))
    assert guard["encryptionKey"] == FINGERPRINT
    containers = [
        container
        for deployment in recorded.of("Deployment").values()
        for container in deployment["spec"]["template"]["spec"]["containers"]
    ]
    reference = {"secretKeyRef": {"name": "kestra-encryption-key", "key": "secret-key"}}
    variable = {"name": "EXTERNAL_ENCRYPTION_KEY", "valueFrom": reference}
    assert containers
    assert all(variable in container["env"] for container in containers)
    assert "secret-key: ${EXTERNAL_ENCRYPTION_KEY}" in recorded.outputs["configuration"]


def test_another_fingerprint_is_refused_and_the_same_key_may_leave_the_state() -> None:
    def facts(**encryption: Any) -> dict[str, Any]:
        document = document_of("vault") | {
            "encryption": encryption,
            "tags": {"environment": "staging"},
        }
        return snapshot(load(document, source="test").settings)

    external = facts(external=True, fingerprint=FINGERPRINT)
    held = facts() | {"encryptionKey": FINGERPRINT}
    assert find_losses(held, external) == []
    (loss,) = find_losses(external, facts(external=True, fingerprint="00000000"))
    assert "would change" in loss.text
    (loss,) = find_losses(external, facts(external=True))
    assert "would change" in loss.text
