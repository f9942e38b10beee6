"""What lets the default API version of Azure's provider move without a vault, a secret or a key being replaced."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from pulumi_azure_native import keyvault

from components.backends.azure import management_api
from tests.components.recording_support import run
from tests.conftest import ROOT, stack_document

STATES = ROOT / "tests" / "upgrade" / "states"
KEY_VAULT = "azure-native:keyvault:"


@pytest.fixture(scope="module")
def resources() -> list[tuple[str, dict[str, Any]]]:
    """Type and inputs of what the program registers of key vaults."""
    recorded = run(stack_document("example-azure-key-vault"))
    return [(t, inputs) for t, inputs in recorded.resources.values() if ":keyvault" in t]


def test_the_sdk_says_which_api_version_it_uses() -> None:
    """When this fails, the default has moved: docs/backends/azure-key-vault.md says what to do then."""
    assert management_api.sdk_api_version() == "2024-11-01"
    assert management_api.is_retired("2024-11-01")
    assert not management_api.is_retired("2026-02-01")


def test_no_type_names_an_api_version(resources: list[tuple[str, dict[str, Any]]]) -> None:
    types = {t for t, _ in resources}
    assert types == {f"{KEY_VAULT}Vault", f"{KEY_VAULT}Secret"}


def test_no_state_of_a_released_version_names_an_api_version() -> None:
    states = [json.loads(file.read_text()) for file in STATES.glob("*/*azure*.json")]
    assert states
    for state in states:
        types = {r["type"] for r in state["deployment"]["resources"] if ":keyvault" in r["type"]}
        assert types == {f"{KEY_VAULT}Vault", f"{KEY_VAULT}Secret"}


@pytest.mark.parametrize("name", ["Vault", "Secret", "Key"])
def test_the_sdk_takes_a_resource_of_the_later_api_for_the_same_one(name: str) -> None:
    source = inspect.getsource(getattr(keyvault, name))
    version = management_api.OLDEST_SERVED.replace("-", "")
    for token in ("v20241101", f"v{version}"):
        assert f'Alias(type_="azure-native:keyvault/{token}:{name}")' in source
    assert f"'azure-native:keyvault:{name}'" in source


def test_a_vault_leaves_nothing_to_the_default_that_the_later_api_changes(
    resources: list[tuple[str, dict[str, Any]]],
) -> None:
    """Since 2026-02-01 Azure RBAC is the default of new vaults."""
    vaults = [inputs["properties"] for t, inputs in resources if t == f"{KEY_VAULT}Vault"]
    assert vaults
    assert {vault["enableRbacAuthorization"] for vault in vaults} == {True}
