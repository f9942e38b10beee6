"""External secrets through the real engine, on a real Vault and AWS's server: the state never has their values."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest
import requests
import yaml
from pulumi import automation as auto

from components.backends.registry import backend_of
from components.kubernetes.pods import version_hash
from components.program import provision, read_versions
from components.safeguards.change_guard import watched
from components.safeguards.irreversible_changes import fingerprint
from components.validation import load
from sandbox.leak_scan.scan import search, search_text
from sandbox.services import AwsServer, Vault
from tests.conftest import ROOT, stack_document
from tests.plugins.cloud_support import CloudStack

pytestmark = pytest.mark.engine

PLANTED, SECOND = "Pl4nted-External-Zq87", "Pl4nted-Rotated-Zq88"
DECLARED = {
    "API_TOKEN": {"namespace": "company.team", "external": True, "description": "Of the API"},
    "MADE": {"namespace": "company.team", "generate": {"keep-from-state": True}},
    "OWN": {"namespace": "company.team", "generate": {}},
}
ENGINE = "external-values"


@dataclass
class Case:
    """A stack with external secrets, and its secret manager."""

    type: str
    document: dict[str, Any]
    plugins: list[str]
    environment: Mapping[str, str]
    read: Callable[[str], str | None]
    """The value in force of a declared secret; None where there is none."""
    write: Callable[[str, str], None]
    """Puts a value in force as a pipeline would, past this project."""


def _vault(server: Vault, engine: str = ENGINE) -> Case:
    document: dict[str, Any] = stack_document("local-vault")
    block = {"address": server.address, "root-engine": engine, "app-role": {"path": engine}}
    document["secret"] = {"type": "vault", "read-only": True, "vault": block}
    headers = {"X-Vault-Token": server.root_token}

    def call(method: str, name: str, body: Any = None) -> requests.Response:
        url = f"{server.address}/v1/{engine}/data/main/company/team/{name}"
        return requests.request(method, url, json=body, headers=headers, timeout=30)

    def read(name: str) -> str | None:
        answer = call("GET", name)
        return answer.json()["data"]["data"]["value"] if answer.ok else None

    environment = {"VAULT_ADDR": server.address, "VAULT_TOKEN": server.root_token}
    return Case(
        "vault", document, ["random", "vault"], environment, read,
        lambda name, value: call("POST", name, {"data": {"value": value}}).raise_for_status(),
    )  # fmt: skip


def _aws(kind: str, server: AwsServer) -> Case:
    document: dict[str, Any] = stack_document(f"example-{kind}")
    document |= {
        "store": {"aws": {}},
        "tags": {"environment": "development"},
        "deployment": {"namespace": f"external-{kind}"},
    }
    block = document["secret"][kind]
    block.pop("filter-on-tags", None)
    block["prefix"] = f"{ENGINE}-"
    given = server.environment
    keys = {
        "endpoint_url": given["AWS_ENDPOINT_URL"],
        "region_name": block.get("region") or given["AWS_REGION"],
        "aws_access_key_id": "behind",
        "aws_secret_access_key": "behind",
    }
    secrets, parameters = boto3.client("secretsmanager", **keys), boto3.client("ssm", **keys)

    settings = load(document | {"declared-secrets": DECLARED}, source="test").settings

    def secret_id(name: str) -> str:
        declared = settings.declared_secrets[name]
        return backend_of(settings).secret_name(settings, name, declared)

    def read(name: str) -> str | None:
        try:
            return secrets.get_secret_value(SecretId=secret_id(name))["SecretString"]
        except secrets.exceptions.ResourceNotFoundException:
            return None

    def read_parameter(name: str) -> str | None:
        try:
            answer = parameters.get_parameter(Name=secret_id(name), WithDecryption=True)
        except parameters.exceptions.ParameterNotFound:
            return None
        return answer["Parameter"]["Value"]

    if kind == "aws-secret-manager":
        return Case(
            kind, document, ["random", "aws"], given, read,
            lambda name, value: secrets.put_secret_value(SecretId=secret_id(name), SecretString=value),
        )  # fmt: skip
    return Case(
        kind, document, ["random", "aws"], given, read_parameter,
        lambda name, value: parameters.put_parameter(
            Name=secret_id(name), Value=value, Type="SecureString", Overwrite=True
        ),
    )  # fmt: skip


SERVERS = {
    "vault": "vault_server",
    "aws-secret-manager": "aws_server",
    "aws-ssm-parameter-store": "aws_server",
}


class Stack(CloudStack):
    """The stack of a case, and the command that puts its values into the manager."""

    def __init__(self, folder: Path, pulumi_: Path, case: Case) -> None:
        super().__init__(folder, pulumi_, case.plugins, case.environment)
        self._file = folder / "Pulumi.tried.yaml"
        self._case, self.said = case, ""
        self.declare(DECLARED)

    def declare(self, declared: Mapping[str, Any], **changed: Any) -> None:
        """Changes the declared secrets, and other first-level settings."""
        document = self._case.document | {"declared-secrets": declared} | changed
        settings = load(document, source="test").settings
        config = {f"kestra:{key}": value for key, value in document.items()}
        self._file.write_text(yaml.safe_dump({"config": config}))

        def program() -> None:
            resources = provision(settings, watched(settings), read_versions(settings))
            pulumi.export("versions", resources.store.version_ids)
            pulumi.export("ids", resources.store.secret_ids)
            pulumi.export("hash", version_hash(resources.store.version_ids))

        self.program = program

    def plan(self) -> None:
        """Previews, and writes the plan."""
        plan = str(self.directory / "plan.json")
        self._with(self.program).preview(on_output=self._note, on_event=self._event, plan=plan)

    def end(self) -> None:
        """Destroys what is not protected: all but the encryption key."""
        self._with(lambda: None).destroy(exclude_protected=True, on_output=self._note)

    def state_in_clear(self) -> bytes:
        """The state, decrypted."""
        deployment: Any = self._with(lambda: None).export_stack().deployment
        return json.dumps(deployment).encode()

    def secret(self, *arguments: str, value: str = "") -> subprocess.CompletedProcess[str]:
        """Runs `python -m components secret`."""
        command = [sys.executable, "-m", "components", "secret", *arguments]
        done = subprocess.run(
            [*command, "--stack", str(self._file)],
            input=value, capture_output=True, text=True, cwd=ROOT, timeout=120,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        return done


def _only(case: Case, monkeypatch: pytest.MonkeyPatch) -> Case:
    """The case, whose credentials are the only ones of this process."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "VAULT_"))]:
        monkeypatch.delenv(name)
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    return case


@pytest.fixture(params=SERVERS)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Case:
    server: Any = request.getfixturevalue(SERVERS[request.param])
    case = _vault(server) if request.param == "vault" else _aws(request.param, server)
    return _only(case, monkeypatch)


def test_values_reach_the_manager_and_nothing_else_ever_has_them(
    case: Case, tools: dict[str, Path], tmp_path: Path
) -> None:
    stack = Stack(tmp_path / "stack", tools["pulumi"], case)
    stack.plan()
    changed, first = stack.up(stack.program)
    assert set(changed) == {"create"}
    assert first["versions"].keys() == {"OWN", "encryption.secret-key"}
    assert "kestra:declared-secrets.API_TOKEN: flows cannot read it" in stack.told
    assert case.read("API_TOKEN") is None
    assert stack.secret("list").returncode == 1

    assert stack.secret("set", "API_TOKEN", value=f"{PLANTED}\n").returncode == 0
    assert stack.secret("generate").returncode == 0
    made = case.read("MADE")
    assert case.read("API_TOKEN") == PLANTED
    assert made is not None
    assert len(made) == 32
    listed = json.loads(stack.secret("list", "--json").stdout)
    assert all(row["version"] and not row["fault"] for row in listed)

    # The next update sees the versions, and changes nothing else.
    changed, second = stack.up(stack.program)
    assert changed == {}
    assert second["hash"] != first["hash"]
    assert second["versions"]["API_TOKEN"] == listed[0]["version"]
    assert second["versions"]["OWN"] == first["versions"]["OWN"]

    # A pipeline rotates it past this project, and the place gets other tags: neither takes the value back.
    case.write("API_TOKEN", SECOND)
    stack.declare({name: one | {"tags": {"team": "blue"}} for name, one in DECLARED.items()})
    _, third = stack.up(stack.program)
    assert case.read("API_TOKEN") == SECOND
    assert third["versions"]["API_TOKEN"] != second["versions"]["API_TOKEN"]
    assert third["versions"]["MADE"] == second["versions"]["MADE"]
    assert case.read("MADE") == made

    planted = {"first": PLANTED, "second": SECOND, "made": made}
    state = stack.state_in_clear()
    assert search_text(state, "state", planted) == []
    assert search_text((stack.told + stack.said).encode(), "output", planted) == []
    assert (tmp_path / "stack" / "plan.json").exists()
    assert search([tmp_path], planted) == []
    # The search sees what is in the state: the value that the stack itself makes.
    own = case.read("OWN")
    assert own is not None
    assert search_text(state, "state", {"own": own}) != []

    # The place goes with what is in it; of a parameter the stack made none.
    stack.end()
    assert (case.read("API_TOKEN") is None) == (case.type != "aws-ssm-parameter-store")


KUBECTL = """#!/bin/sh
cat > "$KUBECTL_KEEPS"
"""


def test_an_external_encryption_key_is_in_vault_and_the_cluster_and_never_in_the_state(
    vault_server: Vault,
    tools: dict[str, Path],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = _only(_vault(vault_server, "external-key"), monkeypatch)
    case.document["tags"] = {"environment": "staging"}
    stack = Stack(tmp_path / "stack", tools["pulumi"], case)
    name = "encryption.secret-key"
    stack.declare({}, encryption={"external": True})
    _, first = stack.up(stack.program)
    assert "kestra:encryption.secret-key: nobody could recover it" in stack.told
    assert stack.secret("list").returncode == 1

    assert stack.secret("generate", name).returncode == 0
    key = _key(vault_server)
    assert len(base64.b64decode(key)) == 32
    mark = fingerprint(key)
    assert f"kestra:encryption.fingerprint {mark}" in stack.said
    # Kestra has one key: neither command puts another one in its place.
    assert stack.secret("generate", name, "--again").returncode == 1
    assert stack.secret("set", name, value=base64.b64encode(b"o" * 32).decode()).returncode == 1
    assert _key(vault_server) == key

    stack.declare({}, encryption={"external": True, "fingerprint": mark})
    _, second = stack.up(stack.program)
    assert second["versions"][name] != first["versions"].get(name)
    for other in ({"external": True, "fingerprint": "00000000"}, {}):
        stack.declare({}, encryption=other)
        with pytest.raises(auto.CommandError):
            stack.up(stack.program)
        assert "would change" in stack.told
    stack.declare({}, encryption={"external": True, "fingerprint": mark})

    kept = tmp_path_factory.mktemp("cluster") / "manifest.json"
    program = tmp_path_factory.mktemp("bin") / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("KUBECTL_KEEPS", str(kept))
    assert stack.secret("copy", name, "--to-cluster").returncode == 0
    assert json.loads(kept.read_text())["stringData"] == {"secret-key": key}

    planted = {"key": key, "bytes": base64.b64decode(key).hex()}
    state = stack.state_in_clear()
    assert mark.encode() in state
    assert search_text(state, "state", planted) == []
    assert search_text((stack.told + stack.said).encode(), "output", planted) == []
    assert search([tmp_path], planted) == []
    # The copy outlives the stack: what Kestra encrypted can be read with it.
    stack.end()
    assert _key(vault_server) == key


def _key(server: Vault) -> str:
    url = f"{server.address}/v1/external-key-stack/data/encryption"
    answer = requests.get(url, headers={"X-Vault-Token": server.root_token}, timeout=30)
    answer.raise_for_status()
    return answer.json()["data"]["data"]["secret-key"]
