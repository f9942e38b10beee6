"""A stack as tutorials show it is full of problems, and the pack names them."""

from __future__ import annotations

from policy import controls
from tests.policy.naive_support import COMMAND, FOLDER, GOLDEN, problems


def test_the_problems_of_the_naive_stack_are_the_recorded_ones() -> None:
    assert GOLDEN.read_text().splitlines() == problems(), f"look at the change, then run: {COMMAND}"


def test_there_are_many_distinct_problems_of_every_area() -> None:
    lines = problems()
    named = {line.split()[0] for line in lines}
    assert len(set(lines)) == len(lines) >= 25
    assert len(named) >= 25
    areas = {control.area for control in controls.ALL if control.id in named}
    assert areas == set(controls.AREAS)


def test_no_message_quotes_a_value_that_was_planted() -> None:
    assert (FOLDER / "stack.yaml").read_text().count("planted-") == 6
    assert "planted" not in "\n".join(problems())
