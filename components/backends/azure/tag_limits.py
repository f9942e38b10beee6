"""What Azure allows of tags. Source: Azure Resource Manager, tag limits."""

from __future__ import annotations

import re

from ...settings.tag_rules import TagLimits

AZURE_TAGS = TagLimits(
    "Azure tags",
    50,
    re.compile(r"(?!(?i:microsoft|azure|windows))[^<>%&\\?/]{1,512}"),
    r"512 characters at most without < > % & \ ? /, not beginning with microsoft, azure or windows",
    re.compile(r".{0,256}", re.DOTALL),
    "256 characters at most",
    ignores_case="Azure ignores the case of tag names",
)
