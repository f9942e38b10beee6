"""The Cloud KMS keys of the secrets: one in each location, usable by Secret Manager's service agent alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import kms, projects

from ... import tags
from ...settings import Settings
from ...settings.durations import seconds
from ...settings.store import GcpStore
from .permissions import KEY_USER
from .tag_limits import GOOGLE_LABELS

#: Where a key for automatic replication is.
GLOBAL = "global"


@dataclass(frozen=True)
class Keys:
    """The keys, and what must be there before a secret uses them."""

    names: Mapping[str, pulumi.Input[str]]
    """Location to the full name of its key; empty where Google's own keys encrypt."""
    grants: Sequence[pulumi.Resource] = ()


def locations(block: GcpStore) -> tuple[str, ...]:
    """Where keys are needed."""
    return block.regions or (GLOBAL,)


def create_keys(
    name: str,
    settings: Settings,
    block: GcpStore,
    project: str,
    parent: pulumi.Resource,
    services: Sequence[pulumi.Resource],
) -> Keys:
    """The keys of a store and their grants.

    Google Cloud deletes neither a key ring nor a key, and a destroyed key version takes with it every secret
    that it encrypted, the recovery copy included. So rings, keys and grants stay when the stack goes.
    """
    if not block.kms.enabled:
        return Keys({})
    if settings.is_secrets_alone and block.kms.name is not None:
        # Its owner has let the service agent use it.
        return Keys(dict.fromkeys(locations(block), block.kms.name))
    kept = pulumi.ResourceOptions(
        parent=parent, depends_on=services, protect=settings.protect, retain_on_delete=True
    )
    agent = projects.ServiceIdentity(
        f"{name}-agent",
        project=project,
        service="secretmanager.googleapis.com",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=services),
    )
    names: dict[str, pulumi.Input[str]] = {}
    for location in locations(block):
        names[location] = block.kms.name or _key(name, settings, block, project, location, kept)
    granted = [
        kms.CryptoKeyIAMMember(
            f"{name}-key-grant-{location}",
            crypto_key_id=key,
            role=KEY_USER,
            member=agent.member,
            opts=kept,
        )
        for location, key in names.items()
    ]
    return Keys(names, granted)


def _key(
    name: str,
    settings: Settings,
    block: GcpStore,
    project: str,
    location: str,
    kept: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    ring = kms.KeyRing(
        f"{name}-key-ring-{location}",
        name=settings.deployment.namespace,
        location=location,
        project=project,
        opts=kept,
    )
    return kms.CryptoKey(
        f"{name}-key-{location}",
        name="secrets",
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=f"{seconds(block.kms.rotation_period)}s",
        destroy_scheduled_duration=f"{seconds(block.kms.destroy_after)}s",
        labels=tags.translate(tags.convention(settings.tags), GOOGLE_LABELS),
        opts=kept,
    ).id
