"""Which principals of AWS are Kestra; pure."""

from __future__ import annotations

from ...settings.managers import AwsManager
from ...settings.model import Settings

#: Annotation of a service account that has a role by OIDC token.
ROLE_ARN = "eks.amazonaws.com/role-arn"


def aws_block(settings: Settings) -> AwsManager | None:
    """The block of the chosen manager, where that is one of AWS."""
    block = settings.secret.backend if settings.secret else None
    return block if isinstance(block, AwsManager) else None


def role_name(settings: Settings) -> str:
    """Name of the role that is made."""
    default = f"{settings.deployment.namespace}-{settings.store_account}"
    return settings.identity.aws.role_name or default


def makes_role(settings: Settings) -> bool:
    """Whether the stack makes Kestra's role."""
    return bool(settings.identity.aws.irsa or settings.identity.aws.pod_identity)


def has_role(settings: Settings) -> bool:
    """Whether Kestra's pods have a role of their own, made or existing."""
    return makes_role(settings) or settings.identity.aws.role_arn is not None


def principals(settings: Settings) -> tuple[str, ...]:
    """The roles that Kestra has: name of the one that is made, ARNs of those that exist already."""
    block = aws_block(settings)
    own = role_name(settings) if makes_role(settings) else settings.identity.aws.role_arn
    assumed = block.sts_role_arn if block else None
    return tuple(principal for principal in (own, assumed) if principal)


def known_account(settings: Settings) -> str:
    """The account that the settings name in an ARN; empty where they name none."""
    store, identity = settings.store.aws, settings.identity.aws
    arns = (
        store and store.kms.arn,
        identity.role_arn,
        identity.irsa and identity.irsa.oidc_provider_arn,
    )
    return next((arn.split(":")[4] for arn in arns if arn), "")
