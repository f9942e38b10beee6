"""Names in AWS Secrets Manager; pure."""

from __future__ import annotations

from ...settings.declared import DeclaredSecret
from ...settings.model import Settings
from ..secret_naming import RECOVERY, prefix

SECRETS, PARAMETERS = "aws-secret-manager", "aws-ssm-parameter-store"
"""`kestra:secret.type` of the two managers of AWS."""
RECOVERY_TEXT = "Encryption key of Kestra, to recover from"
"""Description of the encryption key's copy in AWS."""


def secret_name(settings: Settings, name: str, declared: DeclaredSecret) -> str:
    """`<prefix>/<tenant>/<namespace>/<NAME>`: Kestra finds secrets by tags, so the name says where one belongs.

    In open source a secret may have no namespace.
    """
    parts = (prefix(settings).rstrip("/"), declared.tenant, declared.namespace, name)
    return "/".join(part for part in parts if part)


def namespace_name(settings: Settings, tenant: str, namespace: str) -> str:
    """How the names of a namespace's secrets begin, before the next `/`."""
    return "/".join(p for p in (prefix(settings).rstrip("/"), tenant, namespace) if p)


def recovery_name(settings: Settings) -> str:
    """The name of the encryption key's copy: beside Kestra's secrets, never below their prefix."""
    return f"stack-{settings.deployment.namespace}/{RECOVERY}"
