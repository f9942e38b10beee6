"""Who Kestra's pods are to Azure Blob Storage, and where that is; pure."""

from __future__ import annotations

import re

from ...backends.azure.names import TYPE
from ...settings.model import Settings
from ..interface import default_identity_name, hostname, reads_store_itself

#: Source: Azure documentation, storage account overview (standard endpoints, Azure DNS zone endpoints).
_HOST = re.compile(
    r"([a-z0-9]{3,24})"
    r"(?:\.blob\.core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)"
    r"|(?P<zone>\.z\d{1,2})\.blob\.storage\.azure\.net)"
)


def account_name(settings: Settings) -> str | None:
    """Name of the storage account, from its endpoint; None where that is no address of Azure."""
    match = _host(settings)
    return match[1] if match else None


def is_in_dns_zone(settings: Settings) -> bool:
    """Whether the endpoint names a DNS zone of Azure, which Azure chooses when it makes the account."""
    match = _host(settings)
    return match is not None and match["zone"] is not None


def _host(settings: Settings) -> re.Match[str] | None:
    block = settings.storage.azure if settings.storage else None
    return _HOST.fullmatch(hostname(block.endpoint) or "") if block else None


def _is_azure(settings: Settings) -> bool:
    return settings.secret is not None and settings.secret.type == TYPE


def shares_identity(settings: Settings) -> bool:
    """Whether Kestra's pods have a managed identity by which they read their secrets, too."""
    is_made = settings.identity.azure.oidc_issuer_url is not None
    return reads_store_itself(settings) and _is_azure(settings) and is_made


def operator_has_identity(settings: Settings) -> bool:
    """Whether `kestra:identity.azure` is, first of all, that of External Secrets."""
    return settings.uses_external_secrets and _is_azure(settings)


def own_identity_name(settings: Settings) -> str:
    """Name of the managed identity that is made for the container alone."""
    bucket = settings.storage_bucket
    named = (
        bucket.azure.identity_name
        if bucket is not None and operator_has_identity(settings)
        else settings.identity.azure.name
    )
    return named or default_identity_name(settings)
