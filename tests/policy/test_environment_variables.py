"""The pack has the program's rules of what a variable sets, in a copy, so that it works without the program."""

from __future__ import annotations

import pytest

from policy.environment_variables import __file__ as copy
from tests.conftest import ROOT

ORIGINAL = ROOT / "components" / "validation" / "environment_variables.py"


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the program has no such module")
def test_the_packs_rules_of_variables_are_the_programs() -> None:
    with open(copy, "rb") as file:
        assert file.read() == ORIGINAL.read_bytes(), f"run: cp {ORIGINAL} {copy}"
