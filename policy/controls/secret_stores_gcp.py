"""Secrets of Google: their key, their regions, their rotation."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.model import Context, Finding, Problem, Resource, control
from ..core.values import (
    as_list,
    get_path,
)
from ..secret_types import (
    GCP_SECRET,
    stays,
)


@control(
    "ks-secret-stores-12",
    "Google secrets are encrypted with a key of the customer, or stay in named regions",
    "medium",
    risk="Automatic replication without an own key puts copies anywhere, and nobody can withdraw access.",
    steps=(
        "Set replication.userManaged with regions, or customerManagedEncryption.",
        "In production set customerManagedEncryption in both forms.",
    ),
    setting="kestra:secret.google-secret-manager",
    types=(GCP_SECRET,),
)
def known_places(secret: Resource, context: Context) -> Iterator[Finding]:
    replicas = as_list(secret.get_path("replication.userManaged.replicas"))
    path = "customerManagedEncryption"
    own = [get_path(r, f"{path}.kmsKeyName") for r in replicas]
    encrypted = all(own) if own else bool(secret.get_path(f"replication.auto.{path}.kmsKeyName"))
    if not encrypted and (context.is_production or not replicas):
        where = "each replica's" if replicas else "replication.auto's"
        yield Problem("has no key of the customer", "a KMS key", f"{where} {path}")


@control(
    "ks-secret-stores-13",
    "Google secrets rotate or end, and old versions go",
    "low",
    risk="Old versions of a secret that are destroyed by nobody stay readable.",
    steps=(
        "Set rotation, expireTime or ttl, or the label rotation to external or none.",
        "Set versionDestroyTtl.",
    ),
    setting="kestra:declared-secrets",
    types=(GCP_SECRET,),
)
def old_versions_go(secret: Resource, _: Context) -> Iterator[Finding]:
    ends = (
        secret.get_path("rotation.rotationPeriod")
        or secret.get_path("expireTime")
        or secret.get_path("ttl")
    )
    if not ends and not stays(secret, "labels"):
        yield Problem("neither rotates nor ends", "rotation, expireTime or ttl", "rotation")
    if not secret.get_path("versionDestroyTtl"):
        yield Problem("destroys versions at once", "a time to go back", "versionDestroyTtl")
