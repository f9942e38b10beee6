"""A store that another component or program made, as far as an identity and Kestra need to know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pulumi


@dataclass
class ExistingStore:
    """What a store of any backend gives (`Store`), and what the identities of single backends need besides."""

    environment: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """What the store provides: settings path to secret output."""
    secret_ids: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    version_ids: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    key_arn: pulumi.Output[str] | None = None
    """Of AWS: the key of the secrets."""
    vault_id: pulumi.Input[str] = ""
    """Of Azure: the vault."""
    policy: pulumi.Input[str] = ""
    """Of Vault: the policy of Kestra's role."""
    declared: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Of Google: declared secret to its short id."""
    services: Sequence[pulumi.Resource] = ()
    first: Sequence[pulumi.Resource] = ()
