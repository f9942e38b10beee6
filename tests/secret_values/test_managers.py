"""Values go to each secret manager with its own requests, and what it says comes back without them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.stub import Stubber

from components.backends.answers import own_words
from tests.secret_values.values_support import (
    GOOGLE_SECRET,
    PLANTED,
    VAULT_METADATA,
    VAULT_SECRET,
    Manager,
    document_of,
    stack_file,
)


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
