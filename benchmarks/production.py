"""The production stack against a bare program, and what the policy pack costs on it."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from benchmarks.measure import Pair, in_turns, run
from benchmarks.results import Result, result
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
        yield from figures(f"production.{figure}", pair, RATIO)


def figures(name: str, pair: Pair, target: float | None) -> Iterator[Result]:
    """Time, with the target; processor time and peak memory beside it."""
    yield result(name, *_both(pair, "seconds", "s"), target=target)
    yield result(f"{name}.cpu", *_both(pair, "cpu", "s cpu"))
    yield result(f"{name}.memory", *_both(pair, "mebibytes", "MiB"))


def _both(pair: Pair, what: str, unit: str) -> tuple[float, str, float]:
    value, floor = pair.median(what)
    return value, unit, floor


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
        yield result(f"pack.{figure}", *_both(pair, "seconds", "s"))
        yield result(f"pack.{figure}.cpu", *_both(pair, "cpu", "s cpu"))
    pair = in_turns(
        times,
        lambda _: run(
            [sys.executable, "-c", "from policy.adapter import Pack; Pack('production')"], cwd=ROOT
        ),
        lambda _: run([sys.executable, "-c", "import pulumi_policy"], cwd=ROOT),
    )
    yield result("pack.start", *_both(pair, "seconds", "s"))
