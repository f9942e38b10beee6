"""CHANGELOG.md and the notes of docs/upgrade.md as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from releasing.versions import as_numbers

FILE = "CHANGELOG.md"
UPGRADE_FILE = "docs/upgrade.md"
UNRELEASED = "Unreleased"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_RELEASED = re.compile(r"(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})")
_QUOTED = re.compile(r"`([^`\n]+)`")
#: `ks-storage-01 to 06`
_RANGE = re.compile(r"\b(ks-[a-z-]+-)(\d\d) to (?:\1)?(\d\d)\b")


@dataclass(frozen=True)
class Section:
    """What a version changes."""

    version: str
    """`Unreleased`, or three numbers."""
    day: str
    """`YYYY-MM-DD`; empty for what is not released."""
    text: str
    """Below the heading."""


def sections(text: str) -> list[Section]:
    """The sections of a changelog, the newest first.

    Raises:
        ValueError: for a heading that is neither `Unreleased` nor `VERSION - DAY`.
    """
    parts = _SECTION.split(text)
    return [
        _section(head.strip(), body.strip())
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
    ]


def _section(head: str, body: str) -> Section:
    if head == UNRELEASED:
        return Section(head, "", body)
    match = _RELEASED.fullmatch(head)
    if match is None:
        raise ValueError(
            f"{FILE}: the heading {head!r} is neither {UNRELEASED} nor VERSION - YYYY-MM-DD"
        )
    return Section(match[1], match[2], body)


def since(text: str, version: str) -> str:
    """What a changelog says of everything after a version, in one paragraph: lines are not broken there."""
    newer = [
        section.text
        for section in sections(text)
        if section.version == UNRELEASED or as_numbers(section.version) > as_numbers(version)
    ]
    return " ".join(" ".join(newer).split())


def upgrade_notes(text: str, version: str) -> str:
    """What docs/upgrade.md says to users of a version: under `### From` that version or a later one, in one paragraph."""
    parts = re.split(r"^### From (\d+\.\d+\.\d+)$", text, flags=re.MULTILINE)
    below = [
        re.split(r"^##", body, maxsplit=1, flags=re.MULTILINE)[0]
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
        if as_numbers(head) >= as_numbers(version)
    ]
    return " ".join(" ".join(below).split())


def released(text: str, version: str, day: str) -> str:
    """A changelog whose unreleased entries are those of a version from now on."""
    head = f"## {UNRELEASED}\n"
    return text.replace(head, f"{head}\n## {version} - {day}\n", 1)


def names_in(text: str) -> frozenset[str]:
    """What a text names: everything in backticks, with each of the words there, and ids of controls."""
    quoted = _QUOTED.findall(text)
    words = [word.strip("(),;:") for part in quoted for word in part.split()]
    ids = re.findall(r"\bks-[a-z-]+-\d\d\b", text)
    ranges = [
        f"{prefix}{number:02d}"
        for prefix, first, last in _RANGE.findall(text)
        for number in range(int(first), int(last) + 1)
    ]
    return frozenset(map(normalized, [*quoted, *words, *ids, *ranges]))


def normalized(name: str) -> str:
    """A name as texts and tables agree on it: without `kestra:`, and placeholders in small letters."""
    return re.sub(r"<[^>]*>", "<name>", name.strip().removeprefix("kestra:"))


def read(root: Path) -> str:
    """The changelog of a source tree."""
    return (root / FILE).read_text(encoding="utf-8")


def read_upgrade(root: Path) -> str:
    """The page of upgrades of a source tree."""
    return (root / UPGRADE_FILE).read_text(encoding="utf-8")
