"""Azure: vaults that can be named and reached, tags that secrets can hold, and one way to an identity."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime

from ...settings.findings import Finding
from ...settings.managers import VAULT_NAME, AzureKeyVault
from ...settings.model import Settings
from ...settings.placeholders import is_placeholder
from ...settings.store import AzureStore
from ...settings.tag_rules import convention, problems
from ..secret_naming import secret_tags
from .names import TYPE, recovery_vault_name
from .tag_limits import AZURE_TAGS

#: Tags of a secret; other resources take 50. Azure documentation, About Azure Key Vault secrets.
SECRET_TAGS = 15
_AT = ("store", "azure")
#: Not `is_private`, which holds for the addresses of examples too.
_INSIDE = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
)
_NETWORK = ("public_network", "allowed_addresses", "allowed_subnet_ids")


def vault(s: Settings) -> Iterator[Finding]:
    """Kestra's own example lacks the vault and does not start."""
    block = s.secret and s.secret.azure_key_vault
    if not block:
        return
    at = ("secret", TYPE)
    if block.vault_name is None and block.key_vault_uri is None and not s.uses_external_secrets:
        yield Finding(
            (*at, "vault-name"),
            "is missing",
            "one of vault-name and key-vault-uri names the vault",
            "add vault-name",
            kind="missing",
        )
    if block.vault_name is not None and block.key_vault_uri is not None:
        yield Finding(
            (*at, "vault-name"),
            "stands beside key-vault-uri",
            "exactly one of vault-name and key-vault-uri",
            "keep one of them",
        )
    if block.vault_name is not None and "--" in block.vault_name:
        yield Finding(
            (*at, "vault-name"),
            "has two hyphens in a row",
            "letters, digits and single hyphens, 3 to 24 characters",
            "correct it",
        )
    if block.managed_identity_client_id and block.managed_identity_resource_id:
        yield Finding(
            (*at, "managed-identity-client-id"),
            "stands beside managed-identity-resource-id",
            "a managed identity is named once",
            "keep one of them",
        )


def store(s: Settings) -> Iterator[Finding]:
    """Vaults that can be named and reached."""
    block, chosen = s.secret and s.secret.azure_key_vault, s.store.azure
    if s.secret is None or s.secret.type != TYPE or block is None or chosen is None:
        return
    if block.vault_name is None:
        yield Finding(
            ("secret", TYPE, "vault-name"),
            "is missing",
            "a stack that provisions names the vault",
            "add it" if s.uses_external_secrets else "write vault-name in place of key-vault-uri",
            kind="missing",
        )
    else:
        yield from _recovery(s, block)
    if chosen.create_vault:
        yield from _network(s, chosen)
        return
    for name in _NETWORK:
        if name in chosen.model_fields_set:
            yield Finding(
                (*_AT, name.replace("_", "-")),
                "has no vault to work on: create-vault is false",
                "the stack leaves the network of an existing vault alone",
                "remove it",
                kind="relation",
            )


def _recovery(s: Settings, block: AzureKeyVault) -> Iterator[Finding]:
    key = s.encryption.secret_key
    if s.is_secrets_alone:
        return
    if key is not None and is_placeholder(key.get_secret_value()):
        return
    name = recovery_vault_name(s)
    at = (*_AT, "recovery-vault-name")
    if name.lower() == (block.vault_name or "").lower():
        yield Finding(
            at,
            "is Kestra's own vault",
            "Kestra's role there would let it read the copy of the encryption key",
            "write another name, or leave it out",
        )
    elif not re.fullmatch(VAULT_NAME, name) or "--" in name:
        yield Finding(
            at,
            f"would be {name}, which is no name of a vault",
            "3 to 24 letters, digits and single hyphens",
            "write another name here",
        )


def _network(s: Settings, chosen: AzureStore) -> Iterator[Finding]:
    allowed = chosen.allowed_addresses or chosen.allowed_subnet_ids
    if allowed and not chosen.public_network:
        yield Finding(
            (*_AT, "public-network"),
            "is false, so allowed-addresses and allowed-subnet-ids have no effect",
            "Key Vault looks at them only while its public network is on",
            "set it to true, or remove them and use private-endpoint",
        )
    for i, address in enumerate(chosen.allowed_addresses):
        try:
            network = ipaddress.IPv4Network(address)
        except ValueError:
            yield Finding(
                (*_AT, "allowed-addresses", i),
                "is no IPv4 address or CIDR block",
                "for example 203.0.113.0/24, without host bits",
                "correct it",
            )
            continue
        if network.prefixlen == 0 or any(network.overlaps(inside) for inside in _INSIDE):
            yield Finding(
                (*_AT, "allowed-addresses", i),
                "is not a public address" if network.prefixlen else "lets everybody in",
                "Key Vault takes public IPv4 addresses",
                "write the address that your network shows outside",
            )
    reader = "External Secrets Operator" if s.uses_external_secrets else "Kestra"
    if chosen.private_endpoint is None and not (chosen.public_network and allowed):
        yield Finding(
            (*_AT, "private-endpoint"),
            "is missing, and no network is let in",
            f"{reader} must reach the vault",
            "add private-endpoint, or public-network with allowed-subnet-ids, or an endpoint of your own",
            warning=True,
            kind="missing",
        )


def secrets(s: Settings) -> Iterator[Finding]:
    """Tags and dates that secrets of Key Vault can hold."""
    if s.secret is None or s.secret.type != TYPE or s.store.azure is None:
        return
    stack = convention(s.tags)
    if len(stack) > SECRET_TAGS:
        yield Finding(
            ("tags",),
            f"are {len(stack)}, too many for secrets of Key Vault",
            f"{SECRET_TAGS} at most",
            "remove some",
        )
    for name, declared in s.declared_secrets.items():
        at = ("declared-secrets", name)
        tags = secret_tags(s, name, declared)
        if len(tags) > SECRET_TAGS >= len(stack):
            yield Finding(
                (*at, "tags"),
                f"are {len(tags)} with those of the stack and of Kestra, too many for a secret of Key Vault",
                f"{SECRET_TAGS} at most",
                "remove some",
            )
        # Those of the stack and of the declaration alone are reported where they are written.
        alone = {(t, m) for own in (stack, declared.tags) for t, m, _ in problems(own, AZURE_TAGS)}
        for tag, message, rule in problems(tags, AZURE_TAGS):
            if tag and (tag, message) not in alone:
                yield Finding((*at, "tags"), f"with {tag}: {message}", rule, "rename or remove it")
        if declared.expires is not None and not _is_date(declared.expires):
            yield Finding(
                (*at, "expires"),
                "is no date that exists",
                "for example 2027-01-31T00:00:00Z",
                "correct it",
            )


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return False
    return True


def identity(s: Settings) -> Iterator[Finding]:
    """One way to an identity, and a vault that its role can be given on."""
    block = s.secret.azure_key_vault if s.secret and s.secret.type == TYPE else None
    if block is None:
        return
    chosen = s.identity.azure
    own = next(
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
    if chosen.oidc_issuer_url and own:
        yield Finding(
            ("identity", "azure", "oidc-issuer-url"),
            f"stands beside {own}",
            "Kestra would use the identity of its block and not the one that is made",
            f"remove {own}, or this",
        )
    if not chosen.oidc_issuer_url and not own and not s.uses_external_secrets:
        yield Finding(
            ("identity", "azure"),
            "names no identity",
            "Kestra uses whatever its pod or node has",
            "add oidc-issuer-url to have an identity made with the least it needs",
            warning=True,
        )
    if chosen.oidc_issuer_url and s.store.azure is None:
        if not chosen.resource_group:
            yield Finding(
                ("identity", "azure", "resource-group"),
                "is missing",
                "the identity needs a resource group, and there is no kestra:store.azure",
                "add it",
                kind="missing",
            )
        yield Finding(
            ("identity", "azure", "oidc-issuer-url"),
            "makes an identity without a role",
            "where the vault is, is not known without kestra:store.azure",
            "add kestra:store.azure with resource-group and create-vault false, or give it the role yourself",
            warning=True,
        )
