"""What AWS allows of tags. Source: AWS General Reference, tags."""

from __future__ import annotations

import re

from ...settings.tag_rules import TagLimits

_CHARACTERS = r"[\w\s.:/=+\-@]"
AWS_TAGS = TagLimits(
    "AWS tags",
    50,
    re.compile(rf"(?!(?i:aws):){_CHARACTERS}{{1,128}}"),
    "1 to 128 letters, digits, spaces and . : / = + - @ _, not beginning with aws:",
    re.compile(rf"{_CHARACTERS}{{0,256}}"),
    "256 letters, digits, spaces and . : / = + - @ _ at most",
)
