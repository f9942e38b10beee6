"""What Vault allows of a secret's metadata. Source: Vault API, KV version 2, custom_metadata."""

from __future__ import annotations

import re

from ...settings.tag_rules import TagLimits

VAULT_METADATA = TagLimits(
    "Vault custom metadata",
    64,
    re.compile(r".{1,128}"),
    "1 to 128 bytes on one line",
    re.compile(r".{1,512}"),
    "1 to 512 bytes on one line",
    most_bytes=(128, 512),
)
