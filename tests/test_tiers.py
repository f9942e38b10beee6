"""The tiers: nothing is left to the long one without a sample of its kind in the others."""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.tiers import COLLECTED, LONG, PARTS, Long, pytest_configure


@pytest.fixture
def collected(pytestconfig: pytest.Config) -> dict[str, str | None]:
    """Every test of the project, to its part of the long tier."""
    tests = pytestconfig.stash[COLLECTED]
    if not any("stores/test_conformance.py" in name for name in tests):
        pytest.skip("only a part of the tests was collected")
    return tests


@pytest.mark.parametrize("row", LONG, ids=lambda row: row.tests)
def test_every_row_of_the_table_is_of_tests_that_exist_and_keeps_a_sample_of_them(
    collected: dict[str, str | None], row: Long
) -> None:
    left = {name for name in collected if row.includes(name)}
    assert left
    assert all(collected[name] in PARTS for name in left)
    assert bool(row.keep) != bool(row.sample)
    sample = (
        {name for name in collected if re.search(row.tests, name)} - left
        if row.keep
        else {name for name in collected if re.search(row.sample, name)} - left
    )
    assert {name for name in sample if collected[name] is None}


def test_every_part_has_tests_and_marks_name_no_other(collected: dict[str, str | None]) -> None:
    assert set(collected.values()) - {None} == set(PARTS)


def test_a_tier_that_needs_nothing_refuses_to_start_a_server() -> None:
    code = "import tests.tiers as t, sys, subprocess as s; sys.addaudithook(t._refuse_programs); s.run(['go', 'version'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "the unit tier does not start go: the test lacks a marker" in done.stderr


def test_a_part_goes_with_the_long_tier_only() -> None:
    for tier in ("unit", "test", None):
        options = {"--part": "kills", "--tier": tier}
        config: Any = SimpleNamespace(getoption=options.get, addinivalue_line=lambda *_: None)
        with pytest.raises(pytest.UsageError, match="--part goes with --tier long"):
            pytest_configure(config)
