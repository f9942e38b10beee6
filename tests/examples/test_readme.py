"""The example at the top of the README: its problem is the one that is printed there, and it is the only one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.__main__ import main
from tests.conftest import ROOT

TEXT = (ROOT / "README.md").read_text().partition("## In 30 seconds")[2]
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
