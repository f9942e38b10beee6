"""Azure Blob Storage by identity: one managed identity, an account that can be named, and a container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ...backends.azure.workload_identity import CLIENT_ID
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.placeholders import find_placeholders
from ..interface import hostname
from ..rules import AT, annotation_of_account, of_a_new_bucket, read_here
from .principals import account_name, is_in_dns_zone, operator_has_identity

_SUBNET = r"(?i)/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers/Microsoft\.Network/virtualNetworks/[^/\s]+/subnets/[^/\s]+"
_CONTAINER = r"[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]"


def identity(s: Settings) -> Iterator[Finding]:
    """A managed identity that Kestra's own service account takes."""
    bucket, chosen = s.storage_bucket, s.identity.azure
    assert bucket is not None
    if chosen.oidc_issuer_url is None:
        yield Finding(
            ("identity", "azure"),
            "names no identity",
            f"kestra:{AT} gives the container to the managed identity of Kestra's pods",
            "add oidc-issuer-url, the issuer of the AKS cluster, to have one made with the least it needs",
            kind="missing",
        )
    if bucket.azure.identity_name is not None and not operator_has_identity(s):
        yield Finding(
            (AT, "azure", "identity-name"),
            "names an identity that is not made",
            "Kestra's pods have one in Azure, which kestra:identity.azure.name names",
            "remove it",
        )
    yield from annotation_of_account(
        s,
        CLIENT_ID,
        "the managed identity of Kestra's pods is the one that kestra:identity.azure describes",
    )


def names(s: Settings) -> Iterator[Finding]:
    """An address that names the storage account, and a container of it."""
    block = s.storage.azure if s.storage else None
    assert block is not None
    yield from read_here(s, "endpoint", "container")
    at = ("storage", "azure")
    if not any(find_placeholders(block.endpoint)) and (
        account_name(s) is None or not block.endpoint.startswith("https://")
    ):
        yield Finding(
            (*at, "endpoint"),
            "does not name a storage account",
            "https://<account>.blob.core.windows.net, or of an account in a DNS zone "
            "https://<account>.z<number>.blob.storage.azure.net, where the account has 3 to 24 lower-case letters and digits",
            f"correct it, or remove kestra:{AT}",
        )
    elif urlsplit(block.endpoint).query or urlsplit(block.endpoint).path not in ("", "/"):
        yield Finding(
            (*at, "endpoint"),
            "names more than the storage account",
            "Kestra's client takes a path for a container, and a signature for its credential, before the identity",
            f"write https://{hostname(block.endpoint)} and no more",
        )
    elif s.storage_bucket and s.storage_bucket.create and is_in_dns_zone(s):
        yield Finding(
            (*at, "endpoint"),
            "is in a DNS zone of Azure's choice",
            "the account is made with its standard endpoint; of one in a zone the number is known when it is there",
            f"write https://{account_name(s)}.blob.core.windows.net, or create: false for an account that exists",
        )
    if not any(find_placeholders(block.container)) and not re.fullmatch(
        _CONTAINER, block.container
    ):
        yield Finding(
            (*at, "container"),
            "is no name of a container",
            "3 to 63 lower-case letters, digits and single hyphens, beginning and ending with a letter or digit",
            "correct it",
        )


def container(s: Settings) -> Iterator[Finding]:
    """Where the account is, and nothing about one of others."""
    bucket = s.storage_bucket
    assert bucket is not None
    yield from of_a_new_bucket(
        s, "azure", "location", "sku", "noncurrent-days", "allowed-subnet-ids"
    )
    if bucket.azure.resource_group is None:
        yield Finding(
            (AT, "azure", "resource-group"),
            "is missing",
            "the role of Kestra's identity is given at the container, whose id names the resource group",
            "add it",
            kind="missing",
        )
    for i, subnet in enumerate(bucket.azure.allowed_subnet_ids):
        if not re.fullmatch(_SUBNET, subnet):
            yield Finding(
                (AT, "azure", "allowed-subnet-ids", i),
                "is no id of a subnet",
                "/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…/subnets/…",
                "write the subnet's resource id",
            )
