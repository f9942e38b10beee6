"""The production stack against a bare program, and what the policy pack costs on it."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from benchmarks.measure import in_turns, run
from benchmarks.results import Result, of_pair, one_of, result
from benchmarks.rig import Prepared, Rig
from sandbox.state import ROOT

RATIO = 1.15
PACK_SECONDS = 1.0
OPERATIONS = {"preview": "preview", "up": "up", "up-again": "up"}
"""Figure to the engine's operation, in this order on each new stack."""


def production(rig: Rig, times: int) -> Iterator[Result]:
    """Preview, first update and update without a change, each round on stacks of their own."""
    rounds = [
        (
            rig.prepare(f"bench-ours-{n}", "production", bare=False),
            rig.prepare(f"bench-bare-{n}", "production", bare=True),
        )
        for n in range(times)
    ]
    for figure, operation in OPERATIONS.items():
        pair = in_turns(
            times,
            lambda n, operation=operation: rounds[n][0].operate(operation),
            lambda n, operation=operation: rounds[n][1].operate(operation),
        )
        yield from of_pair(f"production.{figure}", pair, RATIO)


def pack(rig: Rig, times: int) -> Iterator[Result]:
    """What a preview, and an update without a change, take more under the pack; and the start of the pack."""
    stack: Prepared = rig.prepare("bench-judged", "production", bare=False)
    stack.operate("up")
    for figure, operation in (("preview", "preview"), ("up-again", "up")):
        pair = in_turns(
            times,
            lambda _, operation=operation: stack.operate(operation, pack=True),
            lambda _, operation=operation: stack.operate(operation),
        )
        more = [a.seconds - b.seconds for a, b in zip(pair.value, pair.floor, strict=True)]
        yield result(f"pack.{figure}.cost", statistics.median(more), "s", None, PACK_SECONDS)
        yield one_of(pair, f"pack.{figure}")
        yield one_of(pair, f"pack.{figure}", ".cpu")
    pair = in_turns(
        times,
        lambda _: run(
            [sys.executable, "-c", "from policy.core.analyzer import Analyzer; Analyzer()"],
            cwd=ROOT,
        ),
        lambda _: run([sys.executable, "-c", "import pulumi"], cwd=ROOT),
    )
    yield one_of(pair, "pack.start")
