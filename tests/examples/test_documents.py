"""What the pages refer to exists: links, files, tests, controls, commands, settings."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from components.validation.key_hints import first_level
from policy.controls import ALL
from sandbox.arguments import parser
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob(".github/*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FILE = re.compile(
    r"`((?:tests|components|sandbox|policy|stacks|docs|benchmarks|examples)/[\w./-]+\.\w+)`"
)
_CONTROL = re.compile(r"\bks-[a-z]+(?:-[a-z]+)*-\d\d\b")
_COMMAND = re.compile(r"python -m sandbox ([a-z]+)")
_TARGET = re.compile(r"`make ([a-z]+)")
_SETTING = re.compile(r"(?<!/)kestra:([a-z][a-z-]*)")
_ANCHOR = re.compile(r"[^\w\- ]")


@cache
def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#{1,6} (.+)$", page.read_text(), re.MULTILINE)
    return {_ANCHOR.sub("", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for link in _LINK.findall(page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in _anchors(target), link


@pytest.mark.parametrize("name", NAMES)
def test_files_and_tests_that_are_named_exist(name: str) -> None:
    for path in _FILE.findall((ROOT / name).read_text()):
        if "<" not in path and "*" not in path:
            assert (ROOT / path).exists(), path


@cache
def _named() -> dict[re.Pattern[str], set[str]]:
    """What a page may name, by the pattern that finds it."""
    commands = next(a for a in parser()._actions if a.dest == "command").choices
    assert commands is not None
    makefile = (ROOT / "Makefile").read_text()
    return {
        _CONTROL: {control.id for control in ALL},
        _COMMAND: set(commands),
        _TARGET: set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)),
        _SETTING: set(first_level()) | {"stores", "kestra", "generated"},
    }


@pytest.mark.parametrize("name", NAMES)
def test_controls_commands_and_settings_that_are_named_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for pattern, known in _named().items():
        assert set(pattern.findall(text)) <= known


def test_every_threat_is_answered_and_every_answer_shown() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text()
    rows = re.findall(r"^\| (T\d+) \|(.*)\|$", text, re.MULTILINE)
    assert len(rows) >= 15
    assert [name for name, _ in rows] == [f"T{n}" for n in range(1, len(rows) + 1)]
    for name, row in rows:
        cells = [cell.strip() for cell in row.split("|")]
        assert len(cells) == 6, name
        assert _FILE.findall(cells[5]), name
