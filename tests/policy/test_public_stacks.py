"""Kestra stacks that are not this project's: what is wrong with them is found, and nothing where nothing is wrong."""

from __future__ import annotations

import re

import pytest

from tests.policy.public_stacks_support import COMMAND, FOLDER, STACKS, findings, golden


@pytest.mark.parametrize("name", STACKS)
def test_the_findings_in_a_naive_stack_are_the_recorded_ones(name: str) -> None:
    recorded = golden(f"{name}.naive").read_text().splitlines()
    assert findings(f"{name}.naive") == recorded, f"look at the change, then run: {COMMAND}"


@pytest.mark.parametrize("name", STACKS)
def test_a_hardened_stack_raises_no_alarm_and_leaves_nothing_undecided(name: str) -> None:
    assert findings(f"{name}.hardened") == []


@pytest.mark.parametrize("name", STACKS)
def test_no_finding_quotes_a_value_that_was_planted(name: str) -> None:
    assert len(re.findall("(?i)planted", (FOLDER / f"{name}.naive.yaml").read_text())) >= 4
    assert "planted" not in golden(f"{name}.naive").read_text().lower()
