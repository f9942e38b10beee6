"""What is provisioned in a cloud: the block of the chosen manager, and values that its cloud accepts."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.durations import milliseconds
from components.settings.findings import Finding
from components.settings.model import Settings

DAY = 24 * 60 * 60 * 1000
BLOCKS = {
    "aws": "aws-secret-manager or aws-ssm-parameter-store",
    "azure": "azure-key-vault",
    "gcp": "google-secret-manager",
}


def blocks(s: Settings) -> Iterator[Finding]:
    """Blocks of another cloud than the secret manager's, which would do nothing."""
    cloud = s.secret.cloud if s.secret else None
    for name, types in BLOCKS.items():
        if name == cloud:
            continue
        for room in ("store", "identity"):
            if name in getattr(s, room).model_fields_set:
                yield Finding(
                    (room, name),
                    "has no secret manager that it belongs to",
                    f"it works with kestra:secret.type {types}",
                    "remove it, or change kestra:secret.type",
                )


def aws(s: Settings) -> Iterator[Finding]:
    """Windows that AWS accepts, one way to an identity, and what Parameter Store lacks."""
    if s.secret is None or s.secret.cloud != "aws":
        return
    yield from _aws_identity(s)
    store = s.store.aws
    if store is None:
        return
    at = ("store", "aws")
    days = store.recovery_window_days
    if days is not None and 0 < days < 7:
        yield Finding(
            (*at, "recovery-window-days"),
            "is not between 7 and 30",
            "AWS waits 7 to 30 days, or not at all with 0",
            "write 7 or more",
        )
    if days == 0 and s.tags.environment != "development":
        yield Finding(
            (*at, "recovery-window-days"),
            f"is 0 in {s.tags.environment}",
            "a secret deleted by mistake could not be recovered",
            "write 7 or more; 0 is for kestra:tags.environment development",
        )
    if s.secret.type == "aws-ssm-parameter-store":
        for name, given in (
            ("recovery-window-days", days is not None),
            ("replicas", bool(store.replicas)),
        ):
            if given:
                yield Finding(
                    (*at, name),
                    "does not exist for Parameter Store",
                    "it belongs to AWS Secrets Manager",
                    "remove it",
                )
    seen: set[str] = set()
    block = s.secret.aws
    for i, replica in enumerate(store.replicas):
        if replica.region in seen:
            yield Finding(
                (*at, "replicas", i), "is listed twice", "one replica a region", "remove one"
            )
        seen.add(replica.region)
        if block is not None and replica.region == block.region:
            yield Finding(
                (*at, "replicas", i, "region"),
                "is the region of the secrets themselves",
                "a replica is in another region",
                "remove it or change it",
            )


def _aws_identity(s: Settings) -> Iterator[Finding]:
    identity, block = s.identity.aws, s.secret and s.secret.aws
    ways = [
        name
        for name, given in (
            ("irsa", identity.irsa),
            ("pod-identity", identity.pod_identity),
            ("role-arn", identity.role_arn),
        )
        if given is not None
    ]
    if len(ways) > 1:
        yield Finding(
            ("identity", "aws"),
            f"has {' and '.join(ways)}",
            "at most one of irsa, pod-identity and role-arn",
            "keep one of them",
        )
    if identity.role_arn and (identity.role_name or identity.permissions_boundary):
        yield Finding(
            ("identity", "aws", "role-arn"),
            "stands beside settings of a role that is made",
            "an existing role keeps its own name and boundary",
            "remove role-name and permissions-boundary",
        )
    static = block is not None and block.access_key_id is not None
    if static and ways:
        yield Finding(
            ("identity", "aws", ways[0]),
            "stands beside static keys",
            "Kestra would use the keys of its block and not this identity",
            "remove access-key-id and secret-key-id, or this block",
        )
    if not static and not ways:
        yield Finding(
            ("identity", "aws"),
            "names no identity",
            "without keys Kestra uses whatever its pod or node has",
            "add irsa or pod-identity to have a role made with the least it needs",
            warning=True,
        )
    if block is not None and block.sts_role_arn is None:
        for name in ("external-id", "session-name", "session-duration"):
            if getattr(block, f"sts_role_{name.replace('-', '_')}") is not None:
                yield Finding(
                    ("secret", s.secret.type if s.secret else "", f"sts-role-{name}"),
                    "stands without sts-role-arn",
                    "it belongs to the role that Kestra assumes",
                    "add sts-role-arn, or remove it",
                )


def gcp(s: Settings) -> Iterator[Finding]:
    """A project, times that Google accepts, and a key where the secrets are."""
    if s.secret is None or s.secret.type != "google-secret-manager":
        return
    block, store, identity = s.secret.google_secret_manager, s.store.gcp, s.identity.gcp
    if (store or identity.workload_pool) and (block is None or block.project is None):
        yield Finding(
            ("secret", "google-secret-manager", "project"),
            "is missing",
            "a stack that provisions names the project",
            "add it",
        )
    key = block is not None and block.service_account is not None
    if key and identity.workload_pool:
        yield Finding(
            ("identity", "gcp", "workload-pool"),
            "stands beside a service-account key",
            "Kestra would use the key of its block and not this identity",
            "remove service-account, or this",
        )
    if not key and not identity.workload_pool:
        yield Finding(
            ("identity", "gcp"),
            "names no identity",
            "without a key Kestra uses whatever its pod or node has",
            "add workload-pool to have a service account made with the least it needs",
            warning=True,
        )
    if store is None:
        return
    at = ("store", "gcp")
    for i, region in enumerate(store.regions):
        if region in store.regions[:i]:
            yield Finding(
                (*at, "regions", i), "is listed twice", "one replica a region", "remove one"
            )
    if store.kms.name is not None:
        location = store.kms.name.split("/")[3]
        if (store.regions or ("global",)) != (location,):
            yield Finding(
                (*at, "kms", "name"),
                f"is a key in {location}",
                "the key is where the secrets are: their one region, or global for automatic replication",
                "name a key there, or leave it out to have one made in each region",
            )
    for place, value, least, most in (
        (("kms", "rotation-period"), store.kms.rotation_period, 1, 36500),
        (("kms", "destroy-after"), store.kms.destroy_after, 1, 120),
        (("destroy-ttl",), store.destroy_ttl or "24h", 1, 1000),
    ):
        if not least * DAY <= (milliseconds(value) or 0) <= most * DAY:
            yield Finding((*at, *place), "is out of range", f"{least} to {most} days", "correct it")
