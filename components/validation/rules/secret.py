"""The secret manager: its block, its mode, its credentials."""

from __future__ import annotations

from collections.abc import Iterator

from components.backends.vault.rules import vault_methods
from components.settings.durations import milliseconds
from components.settings.findings import Finding
from components.settings.managers import CloudManager, FlatManager, Manager
from components.settings.model import Settings
from components.settings.secret import TYPES

#: Managers whose block holds nothing that Kestra cannot do without.
OPTIONAL_BLOCKS = (
    "aws-secret-manager",
    "aws-ssm-parameter-store",
    "google-secret-manager",
    "jdbc",
    "elasticsearch",
)
SINCE_2 = ("aws-ssm-parameter-store", "delinea", "bitwarden")


def secret_manager(s: Settings) -> Iterator[Finding]:
    """The block of the type, and what each mode can use."""
    manager = s.secret
    if manager is None:
        return
    block = manager.backend
    if block is None and manager.type not in OPTIONAL_BLOCKS:
        yield Finding(
            ("secret", manager.type),
            "is missing",
            f"type {manager.type} needs its block",
            "add it",
            kind="missing",
        )
    if manager.type in SINCE_2 and s.version != "2.0":
        yield Finding(
            ("secret", "type"),
            f"is {manager.type} on Kestra {s.version}",
            "no documentation of Kestra 1.3 knows it",
            "set kestra:version to 2.0, or choose another manager",
        )
    for other in TYPES:
        if other != manager.type and manager.block(other) is not None:
            yield Finding(
                ("secret", other),
                f"is not the block of type {manager.type}",
                "Kestra reads only the block of its type",
                "remove it, or change kestra:secret.type",
            )
    if manager.type in ("jdbc", "elasticsearch"):
        if manager.read_only:
            yield Finding(
                ("secret", "read-only"),
                f"does not exist for {manager.type}",
                "only external managers can be read-only; this store belongs to Kestra",
                "remove it",
            )
        return
    if not isinstance(block, Manager):
        return
    at = ("secret", manager.type)
    if not manager.is_read_only:
        for name in ("filter-on-tags", "filter-on-prefix", "excluded-tags"):
            if getattr(block, name.replace("-", "_"), None):
                yield Finding(
                    (*at, name),
                    "works in read-only mode only",
                    "in managed mode Kestra finds its secrets by its own tags",
                    "set kestra:secret.read-only to true, or remove it",
                )
    elif block.tags:
        yield Finding(
            (*at, "tags"),
            "has no effect in read-only mode",
            "tags are put on secrets that Kestra creates; a read-only Kestra creates none",
            "use filter-on-tags to choose what is visible",
            warning=True,
            kind="relation",
        )


def aws(s: Settings) -> Iterator[Finding]:
    """Static keys come in pairs."""
    block = s.secret and s.secret.aws
    if not block or s.secret is None:
        return
    at = ("secret", s.secret.type)
    have = {
        "access-key-id": block.access_key_id is not None,
        "secret-key-id": block.secret_key_id is not None,
    }
    if len(set(have.values())) == 2:
        missing = next(name for name, there in have.items() if not there)
        yield Finding(
            (*at, missing),
            "is missing",
            "access-key-id and secret-key-id go together",
            "set both, or neither to use the pod's identity",
            kind="missing",
        )
    if block.session_token is not None and not all(have.values()):
        yield Finding(
            (*at, "session-token"),
            "stands without its keys",
            "a session token belongs to access-key-id and secret-key-id",
            "set both, or remove it",
            kind="missing",
        )


def azure(s: Settings) -> Iterator[Finding]:
    """Kestra's own example lacks the vault and does not start."""
    block = s.secret and s.secret.azure_key_vault
    if not block:
        return
    at = ("secret", "azure-key-vault")
    if block.vault_name is None and block.key_vault_uri is None:
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


def vault(s: Settings) -> Iterator[Finding]:
    """Exactly one way to log in; lives of tokens that Vault accepts."""
    block = s.secret and s.secret.vault
    if not block or s.secret is None:
        return
    at = ("secret", "vault")
    methods = vault_methods(block)
    if len(methods) > 1:
        yield Finding(
            at,
            f"has {len(methods)} auth methods",
            "one of password, token, app-role and kubernetes",
            "keep one; `kubernetes: {}` needs no credential",
        )
    if block.read_only is not None and block.read_only != s.secret.read_only:
        yield Finding(
            (*at, "read-only"),
            "differs from kestra:secret.read-only",
            "both places say the same, since Kestra's documentation names either",
            "set only kestra:secret.read-only",
        )
    app_role = block.app_role
    if app_role and (app_role.role_id is None) != (app_role.secret_id is None):
        missing = "role-id" if app_role.role_id is None else "secret-id"
        yield Finding(
            (*at, "app-role", missing),
            "is missing",
            "role-id and secret-id go together",
            "set both, or neither to have them provisioned",
            kind="missing",
        )
    identity = s.identity.vault
    if (milliseconds(identity.token_ttl) or 0) > (milliseconds(identity.token_max_ttl) or 0):
        yield Finding(
            ("identity", "vault", "token-ttl")
            if "token_ttl" in identity.model_fields_set
            else ("identity", "vault", "token-max-ttl"),
            "is above token-max-ttl"
            if "token_ttl" in identity.model_fields_set
            else "is below token-ttl (1h)",
            "token-ttl <= token-max-ttl",
            "shorten token-ttl or lengthen token-max-ttl",
            kind="relation",
        )
    for name, value in (
        ("token-ttl", identity.token_ttl),
        ("token-max-ttl", identity.token_max_ttl),
        ("secret-id-ttl", identity.secret_id_ttl),
    ):
        if (milliseconds(value) or 0) % 1000:
            yield Finding(
                ("identity", "vault", name),
                "is no whole second",
                "Vault counts seconds",
                "round it",
            )


def prefixes(s: Settings) -> Iterator[Finding]:
    """An empty tag name or value."""
    block = s.secret and s.secret.backend
    if s.secret is None or not isinstance(block, Manager):
        return
    nested = block.filter_on_tags if isinstance(block, CloudManager) else None
    groups = {
        ("tags",): block.tags,
        ("excluded-tags",): block.excluded_tags,
        ("filter-on-tags",): block.filter_on_tags if isinstance(block, FlatManager) else {},
        ("filter-on-tags", "tags"): nested.tags if nested else {},
    }
    for at, tags in groups.items():
        for name, value in tags.items():
            if not name.strip() or not value.strip():
                yield Finding(
                    ("secret", s.secret.type, *at, name),
                    "is empty",
                    "a tag has a name and a value",
                    "set it",
                )


def cache(s: Settings) -> Iterator[Finding]:
    """Settings of a cache that is off."""
    block = s.secret and s.secret.cache
    if block and not block.enabled and (block.maximum_size or block.expire_after_write):
        yield Finding(
            ("secret", "cache", "enabled"),
            "is off, so the cache's other settings have no effect",
            "the cache works when it is enabled",
            "set it to true, or remove the block",
            warning=True,
        )


def isolation(s: Settings) -> Iterator[Finding]:
    """Services that exist, and those that flows need."""
    block = s.secret and s.secret.isolation
    if not block:
        return
    at = ("secret", "isolation")
    for i, service in enumerate(block.denied_services):
        if service == "CONTROLLER" and s.version != "2.0":
            yield Finding(
                (*at, "denied-services", i),
                "CONTROLLER does not exist in Kestra 1.3",
                "EXECUTOR, INDEXER, SCHEDULER, WEBSERVER or WORKER",
                "remove it, or set kestra:version to 2.0",
            )
        if service in ("WORKER", "WEBSERVER"):
            what = (
                "flows cannot read secrets"
                if service == "WORKER"
                else "the user interface cannot manage secrets"
            )
            yield Finding(
                (*at, "denied-services", i),
                f"denies {service}, so {what}",
                "EXECUTOR, INDEXER and SCHEDULER can do without secrets",
                "remove it unless that is meant",
                warning=True,
            )
        if service in block.denied_services[:i]:
            yield Finding(
                (*at, "denied-services", i), "is listed twice", "each service once", "remove one"
            )
    if block.enabled and not block.denied_services:
        yield Finding(
            (*at, "denied-services"),
            "is empty while isolation is enabled",
            "isolation denies the services of this list",
            "name the services, for example [EXECUTOR, INDEXER, SCHEDULER]",
        )
    if not block.enabled and block.denied_services:
        yield Finding(
            (*at, "enabled"),
            "is off, so denied-services has no effect",
            "isolation works when it is enabled",
            "set it to true",
            warning=True,
        )
