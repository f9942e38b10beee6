"""A team's stack beside Kestra's in each cloud, through the real engine and the servers that one machine has."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.program import build, provision
from components.validation import load
from sandbox.leak_scan.scan import search
from sandbox.services import GoogleCloud
from tests.components.teams_support import PLANTED, secrets, team
from tests.conftest import running
from tests.stores.conformance_life_support import LifeStack
from tests.stores.conformance_outside_support import Outside
from tests.stores.conformance_rows_support import ROWS

pytestmark = pytest.mark.engine

MANAGERS = {
    "aws-secret-manager": "aws",
    "aws-ssm-parameter-store": "aws",
    "azure-key-vault": "azure",
    "google-secret-manager": "gcp",
}
TOKEN = "BILLING_TOKEN"


@pytest.fixture(scope="module")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleCloud]:
    with running(GoogleCloud(tmp_path_factory.mktemp("gcp"))) as server:
        yield server


def _kestra(manager: str, document: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    document["store"]["teams"] = {"billing": team(manager, "billing")}
    document["tags"]["environment"] = "development"
    return document


def _team(manager: str, kestra: dict[str, Any]) -> dict[str, Any]:
    """Where and how Kestra's stack looks for secrets, and nothing else of it."""
    cloud = MANAGERS[manager]
    kept = {"azure": ("resource-group",), "gcp": ("regions",), "aws": ()}[cloud]
    own = {key: kestra["store"][cloud][key] for key in kept if key in kestra["store"][cloud]}
    return {
        **{key: kestra[key] for key in ("version", "edition", "tags")},
        "deployment": {"enabled": False},
        "secret": {
            key: value
            for key, value in kestra["secret"].items()
            if key in ("type", "read-only", manager)
        },
        "store": {cloud: own, "teams": kestra["store"]["teams"]},
        "declared-secrets": secrets(manager, "billing"),
    }


def _is_gone(outside: Outside, id_: str) -> bool:
    try:
        return outside.value(id_) is None
    except ClientError as error:
        return error.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_team_writes_beside_kestra_and_its_end_leaves_kestras_alone(
    manager: str, request: pytest.FixtureRequest, tools: dict[str, Path], tmp_path: Path
) -> None:
    row = next(row for row in ROWS if row.name == manager)
    server: Any = request.getfixturevalue(row.server) if row.server else None
    outside = row.outside(server, tmp_path)
    kestra = _kestra(manager, row.document(server))
    documents = {"kestra": kestra, "billing": _team(manager, kestra)}
    stacks = {}
    for name, document in documents.items():
        settings = load(document, source=name).settings
        stacks[name] = LifeStack(tmp_path / name, tools["pulumi"], row.plugins, outside)
        stacks[name].program = lambda settings=settings: (
            build(settings) if settings.is_secrets_alone else [provision(settings)].clear()
        )
    steps = {name: stack.step("up") for name, stack in stacks.items()}
    ids = steps["billing"].outputs["secretIds"]
    assert set(ids) == {TOKEN, "BILLING_PASSWORD"}
    assert steps["billing"].marked == {"generated"}
    if outside.tells_values:
        assert outside.value(ids[TOKEN]) == f"{PLANTED}-billing"
    names = " ".join(stacks["billing"].made())
    assert "identity" not in names
    assert "encryption-key" not in names
    for name, stack in stacks.items():
        assert stack.step("up").touched == {}, name
    leaks = search([stack.state for stack in stacks.values()], {TOKEN: f"{PLANTED}-billing"})
    assert leaks == []
    stacks["billing"].step("destroy")
    if outside.tells_values:
        assert _is_gone(outside, ids[TOKEN])
    assert stacks["kestra"].step("up").touched == {}
    stacks["kestra"].unprotect()
    stacks["kestra"].step("destroy")
