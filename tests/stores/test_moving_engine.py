"""A stack moves from a real Vault to a local AWS API server, through the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest

from components.backends.registry import create_identity
from components.program import create_stores
from components.validation import load
from sandbox.providers import write_launchers
from sandbox.services import AwsServer, Vault
from tests.plugins.cloud_support import Program
from tests.plugins.vault_stack_support import VaultStack

pytestmark = pytest.mark.engine

GIVEN, KEY, ENGINE = "Pl4nted-Value-Zq81", "k" * 44, "moving"


class Moving(VaultStack):
    """A stack with both managers."""

    def __init__(self, directory: Path, vault: Vault, aws: AwsServer, pulumi_: Path) -> None:
        super().__init__(directory, vault, pulumi_)
        write_launchers(directory / "launchers", ["aws"])
        self._aws = aws.environment
        self._options.env_vars = {**(self._options.env_vars or {}), **self._aws}

    def in_aws(self, name: str) -> str:
        client = boto3.client(
            "secretsmanager",
            endpoint_url=self._aws["AWS_ENDPOINT_URL"],
            region_name=self._aws["AWS_REGION"],
            aws_access_key_id="behind",
            aws_secret_access_key="behind",
        )
        return client.get_secret_value(SecretId=name)["SecretString"]

    def in_vault(self, path: str) -> dict[str, Any]:
        found = self.call("GET", path)
        return found.json()["data"]["data"] if found.ok else {}

    def made(self) -> dict[str, str]:
        """URN to the provider's id of each resource of a store."""
        deployment = self._with(lambda: None).export_stack().deployment or {}
        return {
            r["urn"]: r["id"]
            for r in deployment["resources"]
            if "id" in r and "kestra:stores:" in r["urn"]
        }

    def unprotect(self) -> None:
        """As docs/moving.md says, for what is protected in Vault."""
        stack = self._with(lambda: None)
        for resource in (stack.export_stack().deployment or {})["resources"]:
            if resource.get("protect") and "VaultStore" in resource["urn"]:
                stack.workspace.pulumi_command.run(
                    ["state", "unprotect", "--yes", "--stack", "dev", resource["urn"]],
                    stack.workspace.work_dir,
                    dict(stack.workspace.env_vars),
                )


VAULT = {
    "type": "vault",
    "read-only": True,
    "vault": {"address": "https://vault.example.com:8200", "root-engine": ENGINE},
}
AWS = {"type": "aws-secret-manager", "read-only": True, "aws-secret-manager": {"prefix": ENGINE}}
IRSA = {"oidc-provider-arn": "arn:aws:iam::123456789012:oidc-provider/issuer.example.com"}


def _program(secret: dict[str, Any], also: dict[str, Any] | None, *, aws: bool) -> Program:
    document: dict[str, Any] = {
        "edition": "enterprise",
        "secret": secret,
        "declared-secrets": {"TOKEN": {"namespace": "company.team", "value": GIVEN}},
        "identity": {"vault": {"reach-cluster": False}},
        "deployment": {"namespace": ENGINE, "protect": True},
        "store": {"aws": {}} if aws else {},
    }
    if aws:
        document["identity"]["aws"] = {"irsa": IRSA}
    if also is not None:
        document["store"]["also"] = also
    settings = load(deepcopy(document), source="test").settings

    def program() -> None:
        store, _ = create_stores(
            settings,
            {"TOKEN": pulumi.Output.secret(GIVEN)},
            pulumi.Output.secret(KEY),
        )
        pulumi.export("ids", store.secret_ids)
        create_identity("identity", settings, store)

    return program


@pytest.fixture
def stack(
    tmp_path: Path, vault_server: Vault, aws_server: AwsServer, tools: dict[str, Path]
) -> Iterator[Moving]:
    found = Moving(tmp_path, vault_server, aws_server, tools["pulumi"])
    yield found
    # What stays in Vault, which other tests use too.
    found.call("DELETE", f"sys/mounts/{ENGINE}-stack")


def test_a_stack_moves_without_losing_a_secret(stack: Moving) -> None:
    both, swapped = _program(VAULT, AWS, aws=True), _program(AWS, VAULT, aws=True)
    after = _program(AWS, None, aws=True)
    path = f"{ENGINE}/data/main/company/team/TOKEN"
    name = f"{ENGINE}/main/company.team/TOKEN"

    stack.up(_program(VAULT, None, aws=False))
    first = stack.made()
    assert set(stack.up(both)[0]) == {"create"}
    assert stack.up(both)[0] == {}
    made = stack.made()
    assert made.items() >= first.items()
    assert stack.in_vault(path)["value"] == stack.in_aws(name) == GIVEN

    changes, outputs = stack.up(swapped)
    # Identities come and go; in both stores nothing is touched.
    assert set(changes) <= {"create", "delete"}
    assert stack.made() == made
    assert outputs["ids"]["TOKEN"].startswith("arn:aws:secretsmanager:")
    assert stack.in_vault(path)["value"] == stack.in_aws(name) == GIVEN

    told = stack.refused(after, preview=True)
    assert "pulumi state unprotect" in told
    assert "VaultStore" in told
    assert GIVEN not in told
    assert stack.made() == made

    stack.unprotect()
    assert set(stack.up(after)[0]) == {"delete"}
    assert stack.up(after)[0] == {}
    assert stack.made().items() <= made.items()
    assert not [urn for urn in stack.made() if "VaultStore" in urn]
    assert stack.in_aws(name) == GIVEN
    assert stack.in_vault(path) == {}
    assert stack.in_vault(f"{ENGINE}-stack/data/encryption") == {"secret-key": KEY}
    assert stack.in_aws(f"stack-{ENGINE}/encryption-key") == KEY
