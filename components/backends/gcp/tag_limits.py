"""What Google Cloud allows of labels. Source: Google Cloud documentation, label requirements."""

from __future__ import annotations

import re

from ...settings.tag_rules import TagLimits

GOOGLE_LABELS = TagLimits(
    "Google Cloud labels",
    64,
    re.compile(r"[a-z][a-z0-9_-]{0,62}"),
    "a lower-case letter, then 62 lower-case letters, digits, _ and - at most",
    re.compile(r"[a-z0-9_-]{0,63}"),
    "63 lower-case letters, digits, _ and - at most",
)
