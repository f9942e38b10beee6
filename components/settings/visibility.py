"""What makes a declared secret visible to a read-only Kestra: its name and its tags in the cloud.

Kestra documents the tags `namespace`, `tenant`, `key` and `prefix` (enterprise/governance/secrets-manager); its
code is closed, so that these rules are as documented and not measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from components.settings.declared import DeclaredSecret
from components.settings.findings import Finding
from components.settings.managers import CloudManager
from components.settings.model import Settings
from components.settings.secret import Cloud
from components.settings.tag_rules import LIMITS, convention, problems

#: Tags that Kestra itself reads; nobody else may set them.
KESTRAS = ("namespace", "tenant", "key", "prefix")
DEFAULT_PREFIX = "kestra"
#: Name of the recovery copy of the encryption key, outside of what Kestra may read.
RECOVERY = "encryption-key"

_NAMES: Mapping[str, tuple[str, str]] = {
    "aws-secret-manager": (
        r"[A-Za-z0-9/_+=.@-]{1,512}",
        "512 letters, digits and / _ + = . @ - at most",
    ),
    "aws-ssm-parameter-store": (
        r"(?!(?i:aws|ssm))[A-Za-z0-9_.-]{1,1011}",
        "1,011 letters, digits and . - _ at most, not beginning with aws or ssm",
    ),
    "azure-key-vault": (r"[A-Za-z0-9-]{1,127}", "127 letters, digits and hyphens at most"),
    "google-secret-manager": (r"[A-Za-z0-9_-]{1,255}", "255 letters, digits, _ and - at most"),
}


def _block(settings: Settings) -> CloudManager | None:
    block = settings.secret.backend if settings.secret else None
    return block if isinstance(block, CloudManager) else None


def prefix(settings: Settings) -> str:
    """The prefix of this Kestra's secrets: that of the filter, of the block, or Kestra's default."""
    block = _block(settings)
    if block is not None and block.filter_on_prefix is not None:
        return block.filter_on_prefix.prefix
    return (block and block.prefix) or DEFAULT_PREFIX


def store_name(settings: Settings, name: str, declared: DeclaredSecret) -> str:
    """The declared secret's name in the secret manager of the settings.

    AWS Secrets Manager finds secrets by tags, so the name says where one belongs:
    `<prefix>/<tenant>/<namespace>/<NAME>`. Elsewhere a read-only Kestra reads by the name itself, behind the
    prefix of `filter-on-prefix`; Key Vault has hyphens in place of underscores.
    """
    kind = settings.secret.type if settings.secret else ""
    if kind == "aws-secret-manager":
        return f"{prefix(settings).rstrip('/')}/{declared.tenant}/{declared.namespace}/{name}"
    block = _block(settings)
    chosen = block.filter_on_prefix.prefix if block and block.filter_on_prefix else ""
    found = f"{chosen}{name}"
    return found.replace("_", "-") if kind == "azure-key-vault" else found


def recovery_name(settings: Settings) -> str:
    """The name of the encryption key's copy: beside Kestra's secrets, never below their prefix."""
    where = f"stack-{settings.deployment.namespace}"
    if settings.secret and settings.secret.type == "aws-secret-manager":
        return f"{where}/{RECOVERY}"
    return f"{where}-{RECOVERY}"


def recovery_vault_name(settings: Settings) -> str:
    """The key vault of that copy: in Kestra's own, its role would hold for the copy too."""
    block, store = settings.secret and settings.secret.azure_key_vault, settings.store.azure
    given = store.recovery_vault_name if store else None
    return given or f"{(block and block.vault_name) or ''}-rec"


def required_tags(settings: Settings) -> dict[str, str]:
    """The tags of `filter-on-tags`, without which Kestra would not see a secret."""
    block = _block(settings)
    return dict(block.filter_on_tags.tags) if block and block.filter_on_tags else {}


def secret_tags(settings: Settings, name: str, declared: DeclaredSecret) -> dict[str, str]:
    """All tags of a declared secret in its cloud, those that make it visible included.

    On Google Cloud there is no `key`: labels hold no upper case, and the name itself is the key.
    """
    tags = convention(settings.tags) | required_tags(settings) | declared.tags
    tags |= {"namespace": declared.namespace, "tenant": declared.tenant}
    if settings.secret and settings.secret.cloud == "gcp":
        # Label values hold no dots; Kestra's namespaces are lower case.
        return tags | {"namespace": declared.namespace.replace(".", "_")}
    return tags | {"key": name, "prefix": prefix(settings)}


def check(settings: Settings) -> Iterator[Finding]:
    """Declared secrets that the cloud cannot name, or that Kestra would not see."""
    block, manager = _block(settings), settings.secret
    if block is None or manager is None:
        return
    names: dict[str, str] = {}
    pattern, rule = _NAMES[manager.type]
    for name, declared in settings.declared_secrets.items():
        at = ("declared-secrets", name)
        full = store_name(settings, name, declared)
        if not re.fullmatch(pattern, full):
            yield Finding(
                at, f"cannot be a name of {manager.type}", rule, "rename it or the prefix"
            )
        folded = full.lower() if manager.cloud == "azure" else full
        if folded in names:
            yield Finding(
                at,
                f"is the same as {names[folded]} in {manager.type}",
                "each secret has a name of its own there",
                "rename one of them",
            )
        names.setdefault(folded, name)
        for tag in KESTRAS:
            if tag in declared.tags:
                yield Finding(
                    (*at, "tags", tag),
                    "is a tag that Kestra itself reads",
                    "this stack sets namespace, tenant, key and prefix",
                    "remove it",
                )
        own = convention(settings.tags) | declared.tags
        for tag, value in required_tags(settings).items():
            if own.get(tag, value) != value:
                yield Finding(
                    (*at, "tags", tag) if tag in declared.tags else at,
                    f"has another value for {tag} than filter-on-tags asks for",
                    "a read-only Kestra sees only secrets with all tags of filter-on-tags",
                    "use the same value",
                )
        tags = secret_tags(settings, name, declared)
        yield from _inexpressible(at, tags, own, manager.cloud)
        for tag, value in block.excluded_tags.items():
            if tags.get(tag) == value:
                yield Finding(
                    at,
                    f"is hidden by excluded-tags: {tag}",
                    "a read-only Kestra does not see secrets with a tag of excluded-tags",
                    f"change the tag, or kestra:secret.{manager.type}.excluded-tags",
                )


def _inexpressible(
    at: tuple[str, ...], tags: Mapping[str, str], own: Mapping[str, str], cloud: Cloud | None
) -> Iterator[Finding]:
    """Tags that the stack adds and the cloud cannot hold; those of the settings themselves are checked there."""
    if cloud is None:
        return
    for tag, message, rule in problems(tags, cloud):
        if (tag and tag in own) or (not tag and len(own) > LIMITS[cloud].count):
            continue
        what = f"tag {tag} {message}" if tag else f"with the stack's own tags, {message}"
        yield Finding(at, what, rule, "shorten or rename it" if tag else "remove some")
