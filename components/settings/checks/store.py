"""What is provisioned in a cloud: the block of the chosen manager, and values that its cloud accepts."""

from __future__ import annotations

import ipaddress
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


def azure(s: Settings) -> Iterator[Finding]:
    """A vault that can be named and reached, and one way to an identity."""
    if s.secret is None or s.secret.type != "azure-key-vault":
        return
    block, store, identity = s.secret.azure_key_vault, s.store.azure, s.identity.azure
    at = ("store", "azure")
    if block is not None:
        yield from _azure_identity(s)
    if store is None:
        if identity.oidc_issuer_url and not identity.resource_group:
            yield Finding(
                ("identity", "azure", "resource-group"),
                "is missing",
                "the identity needs a resource group, and there is no kestra:store.azure",
                "add it",
            )
        return
    if block is not None and block.vault_name is None:
        yield Finding(
            ("secret", "azure-key-vault", "vault-name"),
            "is missing",
            "a stack that provisions names the vault",
            "write vault-name in place of key-vault-uri",
        )
    reachable = store.allowed_addresses or store.allowed_subnet_ids
    if reachable and not store.public_network:
        yield Finding(
            (*at, "public-network"),
            "is false, so allowed-addresses and allowed-subnet-ids have no effect",
            "Key Vault looks at them only while its public network is on",
            "set it to true, or remove them and use private-endpoint",
        )
    for i, address in enumerate(store.allowed_addresses):
        try:
            network = ipaddress.IPv4Network(address)
        except ValueError:
            yield Finding(
                (*at, "allowed-addresses", i),
                "is no IPv4 address or CIDR block",
                "for example 203.0.113.0/24, without host bits",
                "correct it",
            )
            continue
        if network.is_private or network.prefixlen == 0:
            yield Finding(
                (*at, "allowed-addresses", i),
                "is not a public address" if network.prefixlen else "lets everybody in",
                "Key Vault takes public IPv4 addresses",
                "write the address that your network shows outside",
            )
    if store.create_vault and not store.public_network and store.private_endpoint is None:
        yield Finding(
            (*at, "private-endpoint"),
            "is missing, and public-network is false",
            "somebody must be able to reach the vault, this stack included where it declares secrets",
            "add private-endpoint, or reach the vault through an endpoint of your own",
            warning=True,
        )


def _azure_identity(s: Settings) -> Iterator[Finding]:
    block = s.secret.azure_key_vault if s.secret else None
    if block is None:
        return
    given = next(
        (
            name
            for name in (
                "client-secret",
                "managed-identity-client-id",
                "managed-identity-resource-id",
                "workload-identity-client-id",
            )
            if getattr(block, name.replace("-", "_")) is not None
        ),
        None,
    )
    if s.identity.azure.oidc_issuer_url and given:
        yield Finding(
            ("identity", "azure", "oidc-issuer-url"),
            f"stands beside {given}",
            "Kestra would use the identity of its block and not the one that is made",
            f"remove {given}, or this",
        )
    if not s.identity.azure.oidc_issuer_url and not given:
        yield Finding(
            ("identity", "azure"),
            "names no identity",
            "Kestra uses whatever its pod or node has",
            "add oidc-issuer-url to have an identity made with the least it needs",
            warning=True,
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
