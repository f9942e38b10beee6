"""One way to an identity in AWS, for whatever Kestra reaches by it."""

from __future__ import annotations

from collections.abc import Iterator

from ...settings.findings import Finding
from ...settings.model import Settings
from .principals import makes_role


def ways(s: Settings) -> list[str]:
    """Keys of `kestra:identity.aws` that each name an identity."""
    identity = s.identity.aws
    return [
        name
        for name, is_set in (
            ("irsa", identity.irsa),
            ("pod-identity", identity.pod_identity),
            ("role-arn", identity.role_arn),
        )
        if is_set is not None
    ]


def is_described(s: Settings) -> bool:
    """Whether the settings describe a role that is made."""
    return bool(s.identity.aws.role_name or s.identity.aws.permissions_boundary)


def one_identity(s: Settings, name: str) -> Iterator[Finding]:
    """At most one way, and a role that is made or exists already.

    Args:
        s: the settings.
        name: of the role, where it is made.
    """
    identity, named = s.identity.aws, ways(s)
    if len(named) > 1:
        yield Finding(
            ("identity", "aws"),
            f"has {' and '.join(named)}",
            "at most one of irsa, pod-identity and role-arn",
            "keep one of them",
        )
    if identity.role_arn and is_described(s):
        yield Finding(
            ("identity", "aws", "role-arn"),
            "stands beside settings of a role that is made",
            "an existing role keeps its own name and boundary",
            "remove role-name and permissions-boundary",
        )
    if makes_role(s) and len(name) > 64:
        yield Finding(
            ("identity", "aws", "role-name"),
            "is missing",
            "<namespace>-<service account> is longer than the 64 characters of a role's name",
            "add a shorter one",
            kind="missing",
        )
    if not named and is_described(s):
        yield Finding(
            ("identity", "aws"),
            "describes a role that is not made",
            "role-name and permissions-boundary belong to irsa or pod-identity",
            "add one of them, or remove these",
        )
