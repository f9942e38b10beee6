"""Who Kestra's pods are to Google Cloud Storage; pure."""

from __future__ import annotations

from ...backends.gcp.names import TYPE
from ...settings.model import Settings
from ..interface import default_identity_name, reads_store_itself


def _is_google(settings: Settings) -> bool:
    return settings.secret is not None and settings.secret.type == TYPE


def shares_account(settings: Settings) -> bool:
    """Whether Kestra's pods have a Google service account by which they read their secrets, too."""
    has_account = settings.identity.gcp.workload_pool is not None
    return reads_store_itself(settings) and _is_google(settings) and has_account


def operator_has_account(settings: Settings) -> bool:
    """Whether `kestra:identity.gcp` is, first of all, that of External Secrets."""
    return settings.uses_external_secrets and _is_google(settings)


def own_account_id(settings: Settings) -> str:
    """Id of the service account that is made for the bucket alone."""
    bucket = settings.storage_bucket
    named = (
        bucket.gcp.account_id
        if bucket is not None and operator_has_account(settings)
        else settings.identity.gcp.account_id
    )
    return named or default_identity_name(settings)


def key_location(location: str) -> str:
    """Where Cloud KMS has the keys of a bucket's location: its multi-region of Europe has another name."""
    place = location.lower()
    return "europe" if place == "eu" else place
