"""One sandbox for all tests of the stack files: starting its servers takes longer than a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.policy.stacks_support import JudgedStacks


@pytest.fixture(scope="session")
def judged_stacks(
    tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JudgedStacks]:
    """The stack files in a sandbox of the tests' own."""
    judged = JudgedStacks(tmp_path_factory.mktemp("stacks"))
    try:
        yield judged
    finally:
        judged.end()
