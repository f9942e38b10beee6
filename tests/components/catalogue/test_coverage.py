"""How much of Kestra's documentation is a setting: each documented key, and each block of its pages."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.components.catalogue.coverage_support import (
    NOT_RENDERED,
    Documented,
    Outcome,
    blocks,
    documented,
    of_block,
    of_key,
)

#: Keys of the documentation: the denominator, which may only grow.
KEYS = 635
#: Why a documented key may be refused, by words of the report.
REASONS = {
    "removed": " ended with ",
    "wrong version": " came with ",
    "wrong edition": "of the Enterprise Edition",
    "owned": "is set by this stack",
}


def _reason(result: Outcome) -> str:
    return next((name for name, words in REASONS.items() if words in result.report), "unexplained")


def _refused() -> dict[str, str]:
    results: dict[Documented, Outcome] = {row: of_key(row) for row in documented()}
    return {
        row.key: _reason(result)
        for row, result in results.items()
        if result.missing and row.key not in NOT_RENDERED
    }


def test_95_of_100_documented_keys_are_settings_and_the_others_are_refused_for_a_reason() -> None:
    keys = [row.key for row in documented()]
    assert len(keys) == len(set(keys)) >= KEYS
    refused = _refused()
    accepted = len(keys) - len(refused)
    print(
        f"{accepted} of {len(keys)} documented keys are settings ({accepted / len(keys):.1%}); refused: "
        + ", ".join(f"{count} {reason}" for reason, count in Counter(refused.values()).items())
    )
    assert "unexplained" not in refused.values(), refused
    assert accepted >= 0.95 * len(keys)


BLOCKS = dict(blocks())


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_of_the_documentation_is_a_stack_of_its_own(name: str) -> None:
    result = of_block(name, BLOCKS[name])
    # Pages of old releases show keys that are gone; the report names them.
    if result.missing:
        assert _reason(result) == "removed", result
