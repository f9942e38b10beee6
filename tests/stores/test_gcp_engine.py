"""What only Google Secret Manager has, through the real engine; what every store has is in test_conformance.py."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import requests

from components.backends.interface import StoreArgs
from components.backends.registry import create_identity, create_store
from components.validation import load
from sandbox.services import GoogleCloud
from tests.components.gcp_fixtures import google
from tests.conftest import running
from tests.plugins.cloud_support import CloudStack, Program

pytestmark = pytest.mark.engine

VALUE = "Pl4nted-First-Zq81"
NAMES = ("kestra-API_TOKEN", "kestra-DATABASE_PASSWORD", "stack-kestra-encryption-key")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[GoogleCloud]:
    with running(GoogleCloud(tmp_path / "gcp")) as server:
        yield server


@pytest.fixture
def stack(tmp_path: Path, cloud: GoogleCloud, tools: dict[str, Path]) -> CloudStack:
    return CloudStack(tmp_path / "one", tools["pulumi"], ["gcp"], cloud.environment)


def _document(*, read_only: bool = True) -> dict[str, Any]:
    document = deepcopy(google(read_only=read_only))
    document["secret"]["google-secret-manager"]["project"] = "sandbox"
    document["deployment"]["protect"] = False
    return document


def _program(document: dict[str, Any]) -> Program:
    settings = load(document, source="test").settings

    def program() -> None:
        secrets = dict.fromkeys(settings.declared_secrets, pulumi.Output.secret(VALUE))
        store = create_store("store", StoreArgs(settings, secrets, pulumi.Output.secret("k" * 44)))
        create_identity("identity", settings, store)

    return program


def _call(cloud: GoogleCloud, method: str, path: str, body: Any = None) -> Any:
    url = f"{cloud.address}/v1/projects/sandbox/secrets/{path}"
    answer = requests.request(method, url, json=body, timeout=30)
    return answer.json() if answer.ok else answer.status_code


def _value(cloud: GoogleCloud, name: str) -> str:
    data = _call(cloud, "GET", f"{name}/versions/latest:access")["payload"]["data"]
    return base64.b64decode(data).decode()


def test_declared_secrets_move_to_other_regions_and_the_recovery_copy_stays_where_it_was(
    stack: CloudStack, cloud: GoogleCloud
) -> None:
    document = _document()
    stack.up(_program(document))
    document["store"]["gcp"]["regions"] = ["europe-west1", "europe-north1"]
    changes, _ = stack.up(_program(document))
    # two secrets with their versions and grants; a key in the new region, the old one is let go
    assert changes == {"replace": 6, "create": 3, "delete": 3}
    replicas = {n: str(_call(cloud, "GET", n)["replication"]) for n in NAMES}
    assert "europe-north1" in replicas[NAMES[0]]
    assert "europe-north1" not in replicas[NAMES[2]]
    assert _value(cloud, NAMES[0]) == VALUE
    assert stack.up(_program(document))[0] == {}

    stack.destroy(_program(document))
    assert _value(cloud, NAMES[2]) == "k" * 44
    kept = cloud.state.read_text()
    for region in ("europe-west1", "europe-west4", "europe-north1"):
        assert f"locations/{region}/keyRings/kestra/cryptoKeys/secrets" in kept
    assert "cryptoKeyEncrypterDecrypter" in kept
    assert "secretAccessor" not in kept


def test_a_managed_stack_knows_the_projects_number(stack: CloudStack) -> None:
    program = _program(_document(read_only=False))
    stack.up(program)
    condition = stack.outputs_of("identity-admin")["condition"]["expression"]
    assert condition.startswith('resource.name.startsWith("projects/')
    assert condition.split("/")[1].isdigit()
    assert stack.up(program)[0] == {}
