"""Types of secret stores, and what several of their controls ask."""

from __future__ import annotations

import re

from .core.model import Resource

AWS_SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - types, here and below
AWS_ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
AWS_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
KEY_VAULT = "azure-native:keyvault:Vault"
KEY_VAULT_SECRET = "azure-native:keyvault:Secret"  # noqa: S105
KEY_VAULT_KEY = "azure-native:keyvault:Key"
GCP_SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105
PROTECT_SETTING = "kestra:tags.environment (production protects)"
_NOT_ROTATED = ("none", "external", "manual", "never")


def stays(secret: Resource, tags: str) -> bool:
    """Whether a secret must not change by itself: it says so, or it is Kestra's encryption key.

    Kestra has one key and no way to encrypt anew: another key makes everything unreadable.
    """
    says_so = str(secret.get_path(f"{tags}.rotation") or "").lower() in _NOT_ROTATED
    return says_so or re.search("encryption", secret.name, re.IGNORECASE) is not None
