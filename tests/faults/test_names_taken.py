"""Names that are taken: the update says what to do, and what it says is followed to the letter.

What is in the way is what a destroyed stack leaves behind, and what others made.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from sandbox.services import AwsServer, ControlPlane, GoogleCloud, Vault
from tests.conftest import running, stack_document
from tests.faults.taken_support import FaultStack, program

pytestmark = pytest.mark.engine

NAME = "taken"
DECLARED = {"TAKEN_TOKEN": {"namespace": "company.team", "value": "Pl4nted-Value-Zq81"}}


def _document(example: str, **changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(stack_document(example))
    document["tags"]["environment"] = "staging"
    return document | {
        "declared-secrets": deepcopy(DECLARED),
        "deployment": {"namespace": NAME},
        **changed,
    }


def _after_a_life(stack: FaultStack, document: dict[str, Any]) -> None:
    """A stack of the same names that was, and is no more."""
    assert stack.act("up", program(document)) == ""
    stack.unprotect()
    assert stack.act("destroy") == ""


def _goes_on(stack: FaultStack, document: dict[str, Any], *types: str) -> None:
    """By the printed ways an update succeeds, and the next one changes nothing."""
    run = program(document)
    followed = stack.up_by_the_ways_out(run)
    missing = [t for t in types if not any(f"pulumi import {t} " in c for c in followed)]
    assert not missing, followed
    assert stack.up(run)[0] == {}
    assert DECLARED["TAKEN_TOKEN"]["value"] not in stack.told


@pytest.mark.parametrize("kind", ["aws-secret-manager", "aws-ssm-parameter-store"])
def test_in_aws(kind: str, tmp_path: Path, aws_server: AwsServer, tools: dict[str, Path]) -> None:
    document = _document(f"example-{kind}", store={"aws": {}})
    document["secret"][kind].pop("filter-on-tags")
    document["secret"][kind]["prefix"] = NAME
    document["deployment"]["namespace"] = f"{NAME}-{kind}"
    stack = FaultStack(tmp_path, tools["pulumi"], ["aws"], aws_server.environment)
    _after_a_life(stack, document)

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=aws_server.environment["AWS_ENDPOINT_URL"],
            region_name=document["secret"][kind].get("region", "eu-west-1"),
            aws_access_key_id="behind",
            aws_secret_access_key="behind",
        )

    client("iam").create_role(
        RoleName=f"{NAME}-{kind}-kestra",
        AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}',
    )
    other = client("kms").create_key()["KeyMetadata"]["KeyId"]
    noun = "secrets" if kind == "aws-secret-manager" else "parameters"
    client("kms").create_alias(AliasName=f"alias/{NAME}-{kind}-{noun}", TargetKeyId=other)
    made = ["aws:iam/role:Role", "aws:kms/alias:Alias"]
    if kind == "aws-secret-manager":
        _goes_on(stack, document, *made, "aws:secretsmanager/secret:Secret")
        assert "already scheduled for deletion" in stack.console
        assert f"restore-secret --secret-id {NAME}/main/company.team/TAKEN_TOKEN" in stack.console
    else:
        _goes_on(stack, document, *made, "aws:ssm/parameter:Parameter")
    assert "earlier installation" in stack.console


def test_in_vault(tmp_path: Path, vault_server: Vault, tools: dict[str, Path]) -> None:
    block = {"address": vault_server.address, "root-engine": NAME, "app-role": {"path": NAME}}
    secret = {"type": "vault", "read-only": True, "vault": block}
    document = _document("local-vault", secret=secret)
    environment = {"VAULT_ADDR": vault_server.address, "VAULT_TOKEN": vault_server.root_token}
    stack = FaultStack(tmp_path, tools["pulumi"], ["vault"], environment)
    _after_a_life(stack, document)
    head = {"X-Vault-Token": vault_server.root_token}
    for path, type_ in ((f"sys/mounts/{NAME}", "kv"), (f"sys/auth/{NAME}", "approle")):
        body = {"type": type_} | ({"options": {"version": "2"}} if type_ == "kv" else {})
        url = f"{vault_server.address}/v1/{path}"
        assert requests.post(url, json=body, headers=head, timeout=30).ok
    _goes_on(stack, document, "vault:index/mount:Mount", "vault:index/authBackend:AuthBackend")


def test_in_azure(tmp_path: Path, tools: dict[str, Path]) -> None:
    document = _document("example-azure-key-vault")
    environment = {"KESTRA_SANDBOX_AZURE_STATE": str(tmp_path / "azure.json")}
    stack = FaultStack(tmp_path / "stack", tools["pulumi"], ["azure-native"], environment)
    _after_a_life(stack, document)
    _goes_on(stack, document, "azure-native:keyvault:Vault")


@pytest.fixture
def google_server(tmp_path: Path) -> Iterator[GoogleCloud]:
    with running(GoogleCloud(tmp_path / "gcp")) as server:
        yield server


def test_in_google_cloud(
    tmp_path: Path, google_server: GoogleCloud, tools: dict[str, Path]
) -> None:
    document = _document("example-google-secret-manager")
    document["secret"]["google-secret-manager"]["project"] = "sandbox"
    document["store"]["gcp"]["regions"] = ["europe-west1"]
    stack = FaultStack(tmp_path / "stack", tools["pulumi"], ["gcp"], google_server.environment)
    _after_a_life(stack, document)
    _goes_on(
        stack,
        document,
        "gcp:secretmanager/secret:Secret",
        "gcp:kms/keyRing:KeyRing",
        "gcp:kms/cryptoKey:CryptoKey",
    )


def test_in_kubernetes(tmp_path: Path, control_plane: ControlPlane, tools: dict[str, Path]) -> None:
    environment = {"KUBECONFIG": str(control_plane.kubeconfig)}
    stack = FaultStack(tmp_path, tools["pulumi"], ["kubernetes"], environment)
    document = _document("local")
    session, url = control_plane.session(), f"{control_plane.url}/api/v1/namespaces"
    meta = {"metadata": {"name": NAME}}
    assert session.post(url, json=meta, timeout=30).ok
    assert session.post(f"{url}/{NAME}/serviceaccounts", json={"metadata": {"name": "kestra"}}, timeout=30).ok  # fmt: skip
    run = program(document, whole=True)
    followed = stack.up_by_the_ways_out(run)
    for kind, id_ in (("Namespace", NAME), ("ServiceAccount", f"{NAME}/kestra")):
        assert any(f"core/v1:{kind} " in c and f" {id_} " in c for c in followed), followed
    assert stack.up(run)[0] == {}
    stack.unprotect()
    assert stack.act("destroy") == ""
