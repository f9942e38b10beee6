"""What every test of the import begins with: no passphrase of the machine's."""

from __future__ import annotations

import pytest

from components import stack_encryption

PASSPHRASE = "a passphrase of the tests"


@pytest.fixture(autouse=True)
def _no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def passphrase(monkeypatch: pytest.MonkeyPatch) -> str:
    """A passphrase at hand. Its key is derived in a few rounds: a million take half a second."""
    monkeypatch.setattr(stack_encryption, "_ITERATIONS", 3)
    stack_encryption.key_of.cache_clear()
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    return PASSPHRASE
