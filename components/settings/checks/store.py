"""What is provisioned in a cloud: the block of the chosen manager, and values that its cloud accepts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from components.settings.findings import Finding
from components.settings.model import Settings

BLOCKS = {
    "aws": "aws-secret-manager or aws-ssm-parameter-store",
    "azure": "azure-key-vault",
    "gcp": "google-secret-manager",
}


def blocks(s: Settings) -> Iterator[Finding]:
    """Blocks of another cloud than the secret manager's, which would do nothing."""
    cloud = s.secret.cloud if s.secret else None
    for name, types in BLOCKS.items():
        for room, used in (("store", s.clouds), ("identity", {cloud})):
            if name in used:
                continue
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
