"""Ten thousand documents over the keys of the catalogue: each gives a report without a secret, or renders exactly."""

from __future__ import annotations

import random

import pytest

from tests.faults.hostile_catalogue_support import hostile
from tests.faults.hostile_judge_support import Tally
from tests.tiers import long

AT_LEAST = 10_000
FEW = 160


@pytest.mark.parametrize(
    "amount",
    [pytest.param(FEW, id="sample"), pytest.param(AT_LEAST * 11 // 10, id="all", marks=long("hostile"))],
)  # fmt: skip
def test_a_document_over_keys_of_the_catalogue_is_reported_or_renders_exactly(amount: int) -> None:
    tally = Tally()
    for seed in range(amount):
        tally.judge(hostile(random.Random(seed)))
    print(f"{len(tally.seen)} documents: {len(tally.valid)} valid, {len(tally.rules)} problems")
    assert len(tally.seen) > amount * 9 // 10
    assert len(tally.valid) > amount // 10
    assert len(tally.invalid) > amount // 10
    assert len(tally.rules) >= 20
