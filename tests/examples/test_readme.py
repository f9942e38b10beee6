"""The README: its first example has the one problem that it prints, and a reader finds every way and every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.__main__ import main
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
TEXT = README.partition("## In 30 seconds")[2]
STACK_FILE, OUTPUT = re.findall(r"```(?:yaml)?\n(.+?)```", TEXT, re.DOTALL)[:2]
NAME = "stacks/Pulumi.company.yaml"


def write(folder: Path, text: str) -> None:
    (folder / NAME).parent.mkdir()
    (folder / NAME).write_text(text)


def test_the_example_has_the_problem_that_the_readme_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, STACK_FILE)
    monkeypatch.chdir(tmp_path)
    assert main(["check", NAME]) == 1
    printed = capsys.readouterr().err
    command, *lines = OUTPUT.strip().splitlines()
    assert command == f"$ python -m components check {NAME}"
    for line in lines:
        assert line.removesuffix(" …") in printed


def test_the_example_is_valid_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, STACK_FILE.replace("timeout: 60}", "timeout: 60s}"))
    monkeypatch.chdir(tmp_path)
    assert main(["check", NAME]) == 0
    assert "valid for Kestra" in capsys.readouterr().out


def test_the_first_screen_links_every_way_to_use_it() -> None:
    first_screen = "\n".join(README.splitlines()[:25])
    ways = README.partition("## Three ways to use it")[2].partition("\n## ")[0]
    titles = re.findall(r"^### (.+)$", ways, re.MULTILINE)
    assert titles
    for title in titles:
        anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        assert f"](#{anchor})" in first_screen, title


def test_every_page_is_linked_from_the_readme_or_the_guide_for_contributors() -> None:
    linked = README + (ROOT / "CONTRIBUTING.md").read_text()
    pages = [str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")]
    assert pages
    assert [page for page in pages if f"]({page}" not in linked] == []
