"""`store.teams`: secrets of teams, each team with a stack of its own, in the store that one Kestra reads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import SOURCE_PROJECT, Model, key
from .managers import MANAGER

KESTRA_NAMESPACE = r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$"
KESTRA_TENANT = r"^[a-z0-9][a-z0-9_-]*$"
KMS_ARN = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"

NamespaceOfKestra = Annotated[str, Field(pattern=KESTRA_NAMESPACE, max_length=150)]
SecretName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,126}$")]


class Team(Model):
    """What is a team's. The same block stands in two stacks: in the team's own it bounds the declared secrets, in the
    stack of the Kestra that reads them it is what Kestra is granted."""

    namespaces: tuple[NamespaceOfKestra, ...] = key(
        (),
        "Kestra namespaces of the team, with those below each. Required for vault and aws-secret-manager, whose names "
        "have the namespace; in open source one.",
        source=SOURCE_PROJECT + "; Kestra namespace rules",
    )
    tenant: str = key(
        "main",
        "Kestra tenant of these namespaces.",
        pattern=KESTRA_TENANT,
        max_length=63,
        source=SOURCE_PROJECT,
    )
    name_prefix: str | None = key(
        None,
        "Beginning of the names of the team's secrets, which ends with _ (`BILLING_`). Required for "
        "aws-ssm-parameter-store, azure-key-vault and google-secret-manager, where a name has no namespace.",
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}_$",
        source=SOURCE_PROJECT,
    )
    secrets: tuple[SecretName, ...] = key(
        (),
        "Open source, in Kestra's stack: the names of the team's secrets that flows read.",
        source=SOURCE_PROJECT,
    )
    kms_key_arn: str | None = key(
        None,
        "AWS, in Kestra's stack: ARN of the key of the team's stack, where that makes one of its own.",
        pattern=KMS_ARN,
        source=MANAGER,
    )

    def has_namespace(self, tenant: str, namespace: str) -> bool:
        """Whether a namespace of a tenant is the team's: one of its own, or below one."""
        return tenant == self.tenant and any(
            namespace == own or namespace.startswith(f"{own}.") for own in self.namespaces
        )
