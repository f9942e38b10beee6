"""States of released versions under today's program: nothing that holds data is replaced or deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import components.program
from components import __version__
from components.backends.interface import Store
from sandbox.engine import EngineFailure
from tests.upgrade.states_support import (
    DATA,
    FOLDER,
    PLACE,
    STACKS,
    Operations,
    UpgradeStacks,
    kept,
    released,
    stacks,
    type_of,
)

#: What can be made again from the state and the settings, or is only a permission.
OTHER = frozenset(
    [
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        "aws:secretsmanager/secretRotation:SecretRotation",
        "azure-native:authorization:RoleAssignment",
        "azure-native:authorization:ManagementLockByScope",
        "azure-native:managedidentity:FederatedIdentityCredential",
        "azure-native:managedidentity:UserAssignedIdentity",
        "azure-native:monitor:DiagnosticSetting",
        "azure-native:network:PrivateEndpoint",
        "azure-native:network:PrivateDnsZoneGroup",
        "azure-native:privatedns:PrivateDnsZoneGroup",
        "kubernetes:apps/v1:Deployment",
        "kubernetes:core/v1:ConfigMap",
        "kubernetes:core/v1:Secret",
        "kubernetes:core/v1:Service",
        "kubernetes:core/v1:ServiceAccount",
        "kubernetes:networking.k8s.io/v1:Ingress",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "kubernetes:policy/v1:PodDisruptionBudget",
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    ]
)
#: Packages whose every other type is a permission or a log-in.
PERMISSIONS = ("gcp:", "vault:", "kestra:", "pulumi:")

ALL = list(released())
IDS = [f"{stack} of {version}" for version, stack in ALL]


@pytest.fixture(scope="module")
def upgrades(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpgradeStacks]:
    with stacks(tmp_path_factory.mktemp("upgrade")) as made:
        yield made


def previewed(upgrades: UpgradeStacks, version: str, stack: str) -> Operations:
    """What today's program would do to a stack of another day."""
    seen = Operations()
    upgrades.restore(stack, kept(version, stack)).preview(seen)  # type: ignore[arg-type]
    return seen


def test_the_first_version_has_a_state_of_every_stack() -> None:
    assert {stack for version, stack in ALL if version == "0.1.0"} == set(STACKS)
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version, _ in ALL)
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.parametrize(("version", "stack"), ALL, ids=IDS)
def test_a_state_names_no_machine_and_shows_no_secret(version: str, stack: str) -> None:
    text = (FOLDER / version / f"{stack}.json").read_text()
    for mark in (
        "/tmp/tmp",
        "/tmp/pytest",
        "/root",
        "/home/",
        "BEGIN CERTIFICATE",
        "BEGIN RSA",
        "plaintext",
    ):
        assert mark not in text, mark
    # Every other folder is one of Kestra's image, of an API, or what stands for the sandbox's own.
    readable = re.sub(r'"ciphertext": "[^"]*"', "", text)
    folders = set(re.findall(r"(?<![\w/:.])/[A-Za-z][\w.-]*(?=/)", readable))
    assert folders <= {"/api", "/app", "/bin", "/dev", "/etc", "/health", PLACE, "/subscriptions"}
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) <= {"1"}
    resources = json.loads(text)["deployment"]["resources"]
    passwords = [r for r in resources if r["type"].startswith("random:")]
    assert passwords
    for password in passwords:
        for name in ("result", "base64", "hex", "bcryptHash"):
            assert "ciphertext" in password["outputs"].get(name, {"ciphertext": ""}), password[
                "urn"
            ]


@pytest.mark.parametrize(("version", "stack"), ALL, ids=IDS)
def test_every_type_is_known_to_hold_data_or_not(version: str, stack: str) -> None:
    types = {r["type"] for r in kept(version, stack)["deployment"]["resources"]}
    unknown = {t for t in types - DATA - OTHER if not t.startswith(PERMISSIONS)}
    assert not unknown, "say in DATA or OTHER whether it holds data"
    assert len(types & DATA) >= 2


@pytest.mark.engine
@pytest.mark.parametrize(("version", "stack"), ALL, ids=IDS)
def test_nothing_that_holds_data_is_replaced_or_deleted(
    upgrades: UpgradeStacks, version: str, stack: str
) -> None:
    seen = previewed(upgrades, version, stack)
    assert seen.lost == set()
    # A resource that is made anew while it is there already would fail, or double what it holds.
    assert not {urn for urn in seen.of("create") if type_of(urn) in DATA}


@pytest.mark.engine
def test_a_component_that_is_renamed_without_an_alias_is_found(
    upgrades: UpgradeStacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = components.program.create_store

    def renamed(name: str, *args: Any) -> Store:
        return make(f"{name}-renamed", *args)

    monkeypatch.setattr(components.program, "create_store", renamed)
    seen = Operations()
    # `production` protects what holds data: the engine refuses. Elsewhere it would be deleted.
    with pytest.raises(EngineFailure, match="protect"):
        upgrades.restore("production", kept("0.1.0", "production")).preview(seen)  # type: ignore[arg-type]
    seen = previewed(upgrades, "0.1.0", "local-vault")
    assert any(lost.startswith("vault:kv/secretV2:SecretV2") for lost in seen.lost)
