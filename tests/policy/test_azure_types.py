"""Types of Azure are judged whatever version of the API they name."""

from __future__ import annotations

import pytest

from policy.core.model import plain_type


@pytest.mark.parametrize(
    ("token", "plain"),
    [
        ("azure-native:keyvault:Vault", "azure-native:keyvault:Vault"),
        ("azure-native:keyvault/v20241101:Vault", "azure-native:keyvault:Vault"),
        ("azure-native:keyvault/v20260301preview:Vault", "azure-native:keyvault:Vault"),
        ("azure-native_keyvault_v20260201:keyvault/v20260201:Vault", "azure-native:keyvault:Vault"),
        ("azure-native_keyvault_v20260201:keyvault:Secret", "azure-native:keyvault:Secret"),
        ("kubernetes:core/v1:Secret", "kubernetes:core/v1:Secret"),
        ("azure:keyvault/keyVault:KeyVault", "azure:keyvault/keyVault:KeyVault"),
    ],
)
def test_a_type_is_the_same_in_every_version_of_the_api(token: str, plain: str) -> None:
    assert plain_type(token) == plain
