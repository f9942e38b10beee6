"""What Acorn asks of the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.settings.findings import Finding
from components.settings.model import Settings
from components.settings.tag_rules import TagLimits
from tests.backends.acorn.blocks import AcornBlock

TAGS = TagLimits("Acorn tags", 5, re.compile(r"[a-z-]+"), "letters", re.compile(r"\w+"), "a word")


def block_of(settings: Settings) -> AcornBlock:
    """The block of a stack whose manager is Acorn."""
    block = settings.secret and settings.secret.backend
    assert isinstance(block, AcornBlock)
    return block


def shelf(s: Settings) -> Iterator[Finding]:
    """A shelf is one word."""
    block = s.secret and s.secret.block("acorn")
    if isinstance(block, AcornBlock) and " " in block.shelf:
        at = ("secret", "acorn", "shelf")
        yield Finding(at, "is no word", "a shelf is one word", "write it without spaces")
