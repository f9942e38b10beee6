"""What makes a declared secret visible to a read-only Kestra: its name and its tags in the cloud.

Kestra documents the tags `namespace`, `tenant`, `key` and `prefix` (enterprise/governance/secrets-manager); its
code is closed, so that these rules are as documented and not measured.
"""

from __future__ import annotations

from ..settings.declared import DeclaredSecret
from ..settings.managers import CloudManager
from ..settings.model import Settings
from ..settings.tag_rules import convention

#: Tags that Kestra itself reads; nobody else may set them.
RESERVED_TAGS = ("namespace", "tenant", "key", "prefix")
DEFAULT_PREFIX = "kestra"
#: Name of the recovery copy of the encryption key, outside of what Kestra may read.
RECOVERY = "encryption-key"


def cloud_block(settings: Settings) -> CloudManager | None:
    """The block of the chosen manager, where that is one of a cloud."""
    block = settings.secret.backend if settings.secret else None
    return block if isinstance(block, CloudManager) else None


def filter_prefix(settings: Settings) -> str | None:
    """The beginning of the names to which a read-only Kestra is restricted."""
    block = cloud_block(settings)
    return block.filter_on_prefix.prefix if block and block.filter_on_prefix else None


def prefix(settings: Settings) -> str:
    """The prefix of this Kestra's secrets: that of the filter, of the block, or Kestra's default."""
    block = cloud_block(settings)
    return filter_prefix(settings) or (block and block.prefix) or DEFAULT_PREFIX


def filtered_name(settings: Settings, name: str) -> str:
    """The name by which a read-only Kestra reads a secret, behind the prefix of `filter-on-prefix`."""
    return f"{filter_prefix(settings) or ''}{name}"


def recovery_name(settings: Settings) -> str:
    """The name of the encryption key's copy: beside Kestra's secrets, never below their prefix."""
    return f"stack-{settings.deployment.namespace}-{RECOVERY}"


def required_tags(settings: Settings) -> dict[str, str]:
    """The tags of `filter-on-tags`, without which Kestra would not see a secret."""
    block = cloud_block(settings)
    return dict(block.filter_on_tags.tags) if block and block.filter_on_tags else {}


def place_tags(settings: Settings, declared: DeclaredSecret) -> dict[str, str]:
    """Tags of a declared secret that say whose it is."""
    tags = convention(settings.tags) | required_tags(settings) | declared.tags
    # In open source a secret may have no namespace.
    place = {"namespace": declared.namespace} if declared.namespace else {}
    return tags | place | {"tenant": declared.tenant}


def secret_tags(settings: Settings, name: str, declared: DeclaredSecret) -> dict[str, str]:
    """All tags of a declared secret, those that make it visible included."""
    return place_tags(settings, declared) | {"key": name, "prefix": prefix(settings)}
