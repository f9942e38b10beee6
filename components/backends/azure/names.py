"""Names in Azure Key Vault; pure."""

from __future__ import annotations

from ...settings.declared import DeclaredSecret
from ...settings.model import Settings
from ..secret_naming import filtered_name

TYPE = "azure-key-vault"


def secret_name(settings: Settings, name: str, declared: DeclaredSecret) -> str:
    """Key Vault has hyphens in place of underscores; the name of a secret that others made is its own."""
    if declared.existing is not None and declared.existing.name is not None:
        return declared.existing.name
    return filtered_name(settings, name).replace("_", "-")


def recovery_vault_name(settings: Settings) -> str:
    """The key vault of the encryption key's copy: in Kestra's own, its role would hold for the copy too."""
    block, store = settings.secret and settings.secret.azure_key_vault, settings.store.azure
    chosen = store.recovery_vault_name if store else None
    return chosen or f"{(block and block.vault_name) or ''}-rec"
