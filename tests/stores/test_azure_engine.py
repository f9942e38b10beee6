"""What only Azure Key Vault has, through the real engine; what every store has is in test_conformance.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.backends.azure.permissions import ROLES
from components.backends.interface import StoreArgs
from components.backends.registry import create_identity, create_store
from components.validation import load
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects
from tests.components.azure_fixtures import azure, managed
from tests.plugins.cloud_support import CloudStack, Program

pytestmark = pytest.mark.engine

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/example-kestra-prod"
VAULTS = f"{GROUP}/providers/Microsoft.KeyVault/vaults"
KEY, VALUE = "Pl4nted-Key-Zq81", "Pl4nted-Value-Zq82"


@pytest.fixture
def azure_state(tmp_path: Path) -> Path:
    return tmp_path / "azure.json"


@pytest.fixture
def stack(tmp_path: Path, azure_state: Path, tools: dict[str, Path]) -> CloudStack:
    environment = {
        "KESTRA_SANDBOX_AZURE_STATE": str(azure_state),
        "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
        "ARM_TENANT_ID": "66666666-7777-8888-9999-000000000000",
    }
    return CloudStack(tmp_path / "stack", tools["pulumi"], ["azure-native"], environment)


def _program(document: dict[str, Any]) -> Program:
    def program() -> None:
        settings = load(document, source="test").settings
        secrets = {name: pulumi.Output.secret(VALUE) for name in settings.declared_secrets}
        store = create_store(
            "store", StoreArgs(settings, secrets, encryption_key=pulumi.Output.secret(KEY))
        )
        create_identity("identity", settings, store)

    return program


def test_another_mode_is_another_role_on_the_same_vault(stack: CloudStack) -> None:
    document = managed()
    document["deployment"]["protect"] = False
    stack.up(_program(document))
    inputs = stack.resource("identity-role")["inputs"]
    assert inputs["roleDefinitionId"].endswith(ROLES["managed"].id)
    document["secret"] = document["secret"] | {"read-only": True}
    assert stack.up(_program(document))[0] == {"replace": 1}
    after = stack.resource("identity-role")["inputs"]
    assert after["roleDefinitionId"].endswith(ROLES["read-only"].id)
    assert after["scope"] == inputs["scope"]
    assert after["roleAssignmentName"] != inputs["roleAssignmentName"]


def test_drift_behind_the_engine_s_back_is_seen_and_mended(
    stack: CloudStack, azure_state: Path
) -> None:
    document = azure()
    stack.up(_program(document))
    role = stack.resource("identity-role")["id"]
    vault = f"{VAULTS}/example-kestra-prod".lower()
    with FileBackedObjects(azure_state).open() as objects:
        objects[vault]["properties"]["publicNetworkAccess"] = "Enabled"
        objects[f"{vault}/secrets/api-token"]["tags"] = {}
        del objects[role.lower()]
    assert stack.refresh(_program(document)) == {"update": 2, "delete": 1}
    assert stack.up(_program(document))[0] == {"update": 2, "create": 1}
    with FileBackedObjects(azure_state).open() as objects:
        assert objects[vault]["properties"]["publicNetworkAccess"] == "Disabled"
        assert objects[f"{vault}/secrets/api-token"]["tags"]["key"] == "API_TOKEN"


def test_destroy_takes_the_vault_with_its_secrets_and_leaves_the_recovery_copy(
    stack: CloudStack, azure_state: Path
) -> None:
    document = azure("development")
    stack.up(_program(document))
    stack.destroy(_program(document))
    with FileBackedObjects(azure_state).open() as objects:
        left = {id_ for id_ in objects if not id_.startswith("deleted/")}
        deleted = {id_ for id_ in objects if id_.startswith("deleted/")}
    recovery = f"{VAULTS}/example-kestra-prod-rec".lower()
    audit = f"{recovery}/providers/microsoft.insights/diagnosticsettings/kestra-audit"
    assert left == {recovery, f"{recovery}/secrets/stack-kestra-azure-encryption-key", audit}
    # Deleted by the vault's own deletion: no secret was deleted one by one.
    assert deleted == {"deleted/vaults/example-kestra-prod"}
