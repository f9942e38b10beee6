"""Stack files of real installations: `check` and the program under Pulumi's engine give each its verdict.

The first line of a file says which: `# expected: accepted`, or `warned` or `refused` with words that stand in the
report, ` | ` between them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from components.rendering.configuration import render
from components.validation import load_file
from tests.settings.engine_support import by_check, by_engine, lines, project

FILES = sorted((Path(__file__).parent / "field").glob("*.yaml"))


def expected(text: str) -> tuple[str, list[str]]:
    """Verdict of a file, and the words that its report has."""
    head = text.splitlines()[0].removeprefix("# expected:")
    verdict, _, words = head.partition(":")
    return verdict.strip(), [word.strip() for word in words.split(" | ") if word.strip()]


def _compare(text: str, accepted: bool, warned: bool, report: str) -> None:
    verdict, words = expected(text)
    assert verdict in ("accepted", "warned", "refused")
    assert accepted == (verdict != "refused"), report
    assert warned or verdict != "warned"
    for word in words:
        assert word in report


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_check_gives_a_case_its_verdict(file: Path, tmp_path: Path) -> None:
    text = file.read_text()
    loaded, said = by_check(project(tmp_path, text))
    _compare(text, loaded is not None, bool(said), "\n".join(lines(said)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_a_case_sets_stands_in_kestras_file(file: Path) -> None:
    text = file.read_text()
    lines_of_head = [line for line in text.splitlines() if line.startswith("# renders: ")]
    if lines_of_head:
        rendered = render(load_file(file).settings).yaml()
        assert all(line.removeprefix("# renders: ") in rendered for line in lines_of_head)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_program_under_the_engine_gives_a_case_its_verdict(file: Path, tmp_path: Path) -> None:
    text = file.read_text()
    project(tmp_path, text)
    loaded, report = by_engine(tmp_path, text)
    warnings = loaded.warnings if loaded else ()
    full_report = "\n".join([report, *(warning.line() for warning in warnings)])
    _compare(text, loaded is not None, bool(warnings), full_report)
