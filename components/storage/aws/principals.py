"""Who Kestra's pods are to Amazon S3; pure."""

from __future__ import annotations

from ...backends.aws.principals import aws_block, has_role, makes_role
from ...settings.model import Settings
from ..interface import default_identity_name, reads_store_itself


def shares_role(settings: Settings) -> bool:
    """Whether Kestra's pods have a role by which they read their secrets in AWS too."""
    return reads_store_itself(settings) and aws_block(settings) is not None and has_role(settings)


def operator_has_role(settings: Settings) -> bool:
    """Whether `kestra:identity.aws` is, first of all, that of External Secrets."""
    return settings.uses_external_secrets and aws_block(settings) is not None


def makes_own_role(settings: Settings) -> bool:
    """Whether the stack makes a role for the bucket alone."""
    return makes_role(settings) and not shares_role(settings)


def own_role_name(settings: Settings) -> str:
    """Name of the role that is made for the bucket alone."""
    bucket = settings.storage_bucket
    named = (
        bucket.aws.role_name
        if bucket is not None and operator_has_role(settings)
        else settings.identity.aws.role_name
    )
    return named or default_identity_name(settings)
