"""What a stack of secrets alone needs of others: the grant in the stack of Kestra, and its deployer's permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from .backends.interface import Store
from .backends.registry import backend_of
from .settings.model import Settings
from .settings.secrets_alone import team_of


def team_block(settings: Settings, key: Any = None) -> Mapping[str, Any]:
    """`kestra:store.teams` as the stack of Kestra has it, to read the secrets of this stack.

    Args:
        settings: of a stack of secrets alone.
        key: ARN of the key that it makes in AWS, or an output of it; None where it makes none.
    """
    named = team_of(settings)
    if named is None:
        return {}
    name, team = named
    block: dict[str, Any] = {"namespaces": list(team.namespaces)} if team.namespaces else {}
    if team.tenant != "main":
        block["tenant"] = team.tenant
    if team.name_prefix is not None:
        block["name-prefix"] = team.name_prefix
    if settings.uses_external_secrets:
        block["secrets"] = sorted(settings.declared_secrets)
    store = settings.store.aws
    if key is not None and store is not None and store.kms.arn is None:
        block["kms-key-arn"] = key
    return {name: block}


def key_for_teams(settings: Settings, store: Store) -> Mapping[str, Any]:
    """The key that the stacks of teams name, as an output of Kestra's stack; nothing where none shares the store.

    Args:
        settings: of Kestra's stack.
        store: its store.
    """
    key = getattr(store, "key_arn", None)
    return {"kmsKeyArn": key} if settings.is_shared_with_teams and key is not None else {}


def as_text(settings: Settings) -> str:
    """Both, for people."""
    backend, store = backend_of(settings), settings.store.aws
    makes_key = store is not None and store.kms.arn is None
    block = team_block(settings, "<ARN of the key, output `team`>" if makes_key else None)
    return "\n".join(
        [
            "# kestra:store.teams of the stack whose Kestra reads these secrets:",
            yaml.safe_dump(dict(block), sort_keys=False),
            f"# What whoever deploys this stack needs in {backend.title}, and no more:",
            backend.team_deployer_policy(settings),
        ]
    )
