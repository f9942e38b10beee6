"""Whole documents, compared with files that a person has read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from components.rendering.configuration import render
from components.validation import load

from . import golden_support as golden
from .documents_fixtures import document

PARAMETERS = pytest.mark.parametrize(("like", "version", "edition"), golden.CASES)


@PARAMETERS
def test_a_document_renders_to_its_golden_file(like: str, version: str, edition: str) -> None:
    path = golden.path(like, version, edition)
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    assert golden.text(like, version, edition) == expected, (
        f"{path.name} differs; if the change is meant, run: {golden.REWRITE}"
    )


def test_every_golden_file_belongs_to_a_case() -> None:
    assert set(golden.FOLDER.iterdir()) == {golden.path(*case) for case in golden.CASES}


@PARAMETERS
def test_rendering_twice_gives_the_same_bytes(like: str, version: str, edition: str) -> None:
    settings = document(like, version, edition)
    first = render(load(settings, source="test").settings)
    reordered = dict(reversed(settings.items()))
    second = render(load(reordered, source="test").settings)
    assert first.yaml().encode() == second.yaml().encode()
    assert list(first.environment) == list(second.environment)


def test_another_process_renders_the_same_bytes() -> None:
    # Another hash seed would show any dependence on the order of sets.
    case = ("production", "2.0", "enterprise")
    program = f"from tests.configuration import golden_support as golden; print(golden.text(*{case!r}), end='')"
    other = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "4711", "PYTHONPATH": str(golden.FOLDER.parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout == golden.text(*case)
