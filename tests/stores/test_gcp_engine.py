"""A stack on Google Secret Manager, through the real engine: up, again, changed, drifted, down."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import requests

from components.identity import create_identity
from components.settings import load
from components.stores import StoreArgs, create_store
from sandbox.services import GoogleCloud
from tests.components.gcp_fixtures import google
from tests.plugins.cloud_support import CloudStack, Program

pytestmark = pytest.mark.engine

FIRST, SECOND = "Pl4nted-First-Zq81", "Pl4nted-Second-Zq81"
NAMES = ("kestra-API_TOKEN", "kestra-DATABASE_PASSWORD", "stack-kestra-encryption-key")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[GoogleCloud]:
    server = GoogleCloud(tmp_path / "gcp")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def stack(tmp_path: Path, cloud: GoogleCloud, tools: dict[str, Path]) -> CloudStack:
    return CloudStack(tmp_path / "one", tools["pulumi"], ["gcp"], cloud.environment)


def _document(*, read_only: bool = True) -> dict[str, Any]:
    document = deepcopy(google(read_only=read_only))
    document["secret"]["google-secret-manager"]["project"] = "sandbox"
    document["deployment"]["protect"] = False
    return document


def _program(document: dict[str, Any], value: str = FIRST) -> Program:
    settings = load(document, source="test").settings

    def program() -> None:
        secrets = dict.fromkeys(settings.declared_secrets, pulumi.Output.secret(value))
        store = create_store(
            "store", StoreArgs(settings, {}, secrets, pulumi.Output.secret("k" * 44))
        )
        identity = create_identity("identity", settings, store)
        pulumi.export("secretIds", store.secret_ids)
        pulumi.export("versionIds", store.version_ids)
        pulumi.export("principal", identity.principal)

    return program


def _call(cloud: GoogleCloud, method: str, path: str, body: Any = None) -> Any:
    url = f"{cloud.address}/v1/projects/sandbox/secrets/{path}"
    answer = requests.request(method, url, json=body, timeout=30)
    return answer.json() if answer.ok else answer.status_code


def _value(cloud: GoogleCloud, name: str) -> str:
    data = _call(cloud, "GET", f"{name}/versions/latest:access")["payload"]["data"]
    return base64.b64decode(data).decode()


def test_a_stack_goes_up_stays_as_it_is_changes_only_what_is_said_and_leaves_only_what_is_kept(
    stack: CloudStack, cloud: GoogleCloud
) -> None:
    document = _document()
    changes, first = stack.up(_program(document))
    assert set(changes) == {"create"}
    assert _value(cloud, NAMES[0]) == FIRST
    assert _value(cloud, NAMES[2]) == "k" * 44
    assert FIRST not in stack.told
    assert stack.up(_program(document))[0] == {}
    assert stack.refresh(_program(document)) == {}
    assert stack.up(_program(document))[0] == {}

    # rotated: two new versions, nothing else
    changes, rotated = stack.up(_program(document, SECOND))
    assert changes == {"replace": 2}
    assert _value(cloud, NAMES[0]) == SECOND
    assert rotated["secretIds"] == first["secretIds"]
    changed = {n for n, v in rotated["versionIds"].items() if v != first["versionIds"][n]}
    assert changed == {"API_TOKEN", "DATABASE_PASSWORD"}

    # drift behind the engine's back
    path = f"{NAMES[0]}?updateMask=labels"
    assert isinstance(_call(cloud, "PATCH", path, {"labels": {"application": "x"}}), dict)
    assert stack.refresh(_program(document, SECOND)) == {"update": 1}
    assert stack.up(_program(document, SECOND))[0] == {"update": 1}
    assert _call(cloud, "GET", NAMES[0])["labels"]["namespace"] == "company_team_billing"

    # moved: declared secrets are replaced under their names, the recovery copy stays where it was
    document["store"]["gcp"]["regions"] = ["europe-west1", "europe-north1"]
    changes, _ = stack.up(_program(document, SECOND))
    # two secrets with their versions and grants; a key in the new region, the old one is let go
    assert changes == {"replace": 6, "create": 3, "delete": 3}
    replicas = {n: str(_call(cloud, "GET", n)["replication"]) for n in NAMES}
    assert "europe-north1" in replicas[NAMES[0]]
    assert "europe-north1" not in replicas[NAMES[2]]
    assert _value(cloud, NAMES[0]) == SECOND
    assert stack.up(_program(document, SECOND))[0] == {}

    # removed
    document["declared-secrets"].pop("API_TOKEN")
    changes, _ = stack.up(_program(document, SECOND))
    assert changes == {"delete": 3}
    assert _call(cloud, "GET", NAMES[0]) == 404

    stack.destroy(_program(document, SECOND))
    assert _call(cloud, "GET", NAMES[1]) == 404
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
