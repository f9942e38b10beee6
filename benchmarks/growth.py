"""Growth with the number of declared secrets: time and peak memory of preview and first update."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.measure import in_turns
from benchmarks.results import Result, of_pair, result
from benchmarks.rig import Change, Rig

SIZES = (10, 100, 1000, 2000, 3000)
JUDGED = 1000
"""The size that the target holds for."""
RATIO = 1.1
ROUNDS: Mapping[int, int] = {10: 3, 100: 3}
"""Rounds of a size; others: one of each, save previews of `JUDGED`."""
OPERATIONS = ("preview", "up")


def declaring(count: int) -> Change:
    """Has a stack declare so many secrets with values of their own, one resource each."""

    def change(config: dict[str, Any]) -> None:
        one = {**config["kestra:declared-secrets"]["DATABASE_PASSWORD"]}
        del one["generate"]
        config["kestra:declared-secrets"] = {
            f"SECRET_{n:05d}": one | {"value": f"of-no-worth-{n:05d}"} for n in range(count)
        }

    return change


def growth(rig: Rig, size: int, *, rounds: int | None = None) -> Iterator[Result]:
    """Preview and first update with so many declared secrets, each round on stacks of their own."""
    times = rounds or ROUNDS.get(size, 1)
    stacks = [
        tuple(
            rig.prepare(
                f"grown-{kind}-{size}-{n}", "production", declaring(size), bare=kind == "bare"
            )
            for kind in ("ours", "bare")
        )
        for n in range(times)
    ]
    previews = 3 if size == JUDGED and rounds is None else times
    for operation, count in zip(OPERATIONS, (previews, times), strict=True):
        pair = in_turns(
            count,
            lambda n, operation=operation: stacks[n % times][0].operate(operation),
            lambda n, operation=operation: stacks[n % times][1].operate(operation),
        )
        target = RATIO if size == JUDGED else None
        yield from of_pair(f"growth.{operation}.{size}", pair, target, judged=("", ".memory"))


def exponents(known: Sequence[Result]) -> Iterator[Result]:
    """How time grows: the exponent of what is above the smallest size; 1 is linear.

    The target is that of the bare program: where the engine itself is not linear, we are not either.
    """
    by_name = {by_size.name: by_size for by_size in known}
    for operation in OPERATIONS:
        by_size = [(size, by_name.get(f"growth.{operation}.{size}")) for size in SIZES]
        points = [(size, r.value, r.floor) for size, r in by_size if r is not None and r.floor]
        if len(points) < 3:
            continue
        ours = exponent([(size, value) for size, value, _ in points])
        bare = exponent([(size, floor) for size, _, floor in points])
        if ours and bare:
            yield result(f"growth.{operation}.exponent", ours, "exponent", bare, RATIO)


def exponent(points: Sequence[tuple[int, float]]) -> float | None:
    """Slope of the logarithms of what comes with each size above the first; None when nothing does."""
    (first, base), *rest = points
    above = [
        (math.log(size - first), math.log(seconds - base))
        for size, seconds in rest
        if seconds > base
    ]
    if len(above) < 2:
        return None
    middle_x = sum(x for x, _ in above) / len(above)
    middle_y = sum(y for _, y in above) / len(above)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in above)
    return slope / sum((x - middle_x) ** 2 for x, _ in above)
