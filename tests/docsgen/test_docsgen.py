"""One command writes the pages that come from data, and says which of them are stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from docsgen import __main__ as docsgen


def test_no_page_is_stale() -> None:
    assert not docsgen.stale(docsgen.pages()), "run: .venv/bin/python -m docsgen"


@pytest.fixture
def one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page in a folder of its own, written long ago."""
    monkeypatch.setattr(docsgen, "ROOT", tmp_path)
    page = tmp_path / "docs" / "page.md"
    monkeypatch.setattr(docsgen, "pages", lambda: {page: "# Page\n\nnew\n"})
    page.parent.mkdir()
    page.write_text("# Page\n\nold\n")
    return page


def test_check_shows_what_differs_and_writes_nothing(
    one_page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docsgen.main(["--check"]) == 1
    output = capsys.readouterr()
    assert "--- docs/page.md" in output.out
    assert "-old\n+new" in output.out
    assert "Run `python -m docsgen`" in output.err
    assert "old" in one_page.read_text()


def test_the_command_writes_what_differs_and_then_the_check_is_silent(
    one_page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docsgen.main([]) == 0
    assert capsys.readouterr().out == "wrote docs/page.md\n"
    assert docsgen.main(["--check"]) == 0
    assert docsgen.main([]) == 0
    assert capsys.readouterr() == ("", "")


def test_every_module_of_golden_files_says_which_they_are() -> None:
    import importlib

    for module in docsgen.GOLDEN_MODULES:
        assert callable(importlib.import_module(module).files)
