"""Results by name: kept after each, merged with what is there, judged by their targets."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Pair

FOLDER = Path(__file__).parent
RESULTS, MACHINE = FOLDER / "results.json", FOLDER / "machine.json"
#: Results of `--quick`, which say too little to be kept.
QUICK = FOLDER / "quick.json"


@dataclass(frozen=True)
class Result:
    """One figure."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    """The same of a bare program, in the same run."""
    target: float | None = None
    """The most that the ratio may be, or the value where there is no floor."""

    @property
    def ratio(self) -> float | None:
        """The value in multiples of the floor."""
        return None if self.floor is None else round(self.value / self.floor, 4)

    @property
    def judged(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.target

    def row(self) -> dict[str, Any]:
        """As `results.json` has it."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "floor": self.floor,
            "ratio": self.ratio,
            "target": self.target,
            "pass": self.judged,
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Result:
        """From a row of `results.json`."""
        return cls(row["name"], row["value"], row["unit"], row["floor"], row["target"])


def result(
    name: str, value: float, unit: str, floor: float | None = None, target: float | None = None
) -> Result:
    """A result, rounded to what was measured."""
    rounded = None if floor is None else round(floor, 4)
    return Result(name, round(value, 4), unit, rounded, target)


_WHAT = {"": ("seconds", "s"), ".cpu": ("cpu", "s cpu"), ".memory": ("mebibytes", "MiB")}
"""Figure's suffix to what of a pair it is, and in which unit."""


def of_pair(
    name: str, pair: Pair, target: float | None = None, *, judged: Collection[str] = ("",)
) -> Iterator[Result]:
    """Time, processor time and peak memory of a pair.

    Args:
        name: of the time; the others have a suffix.
        pair: what was measured.
        target: the most that the ratio may be.
        judged: suffixes of those that the target is for.
    """
    for suffix in _WHAT:
        yield one_of(pair, name, suffix, target if suffix in judged else None)


def one_of(pair: Pair, name: str, suffix: str = "", target: float | None = None) -> Result:
    """One figure of a pair: its time, or what the suffix says."""
    what, unit = _WHAT[suffix]
    value, floor = pair.median(what)
    return result(f"{name}{suffix}", value, unit, floor, target)


def read(file: Path = RESULTS) -> list[Result]:
    """The results of a file; none when there is no file."""
    return [Result.of(row) for row in json.loads(file.read_text())] if file.exists() else []


def merge(measured: Iterable[Result], file: Path = RESULTS) -> None:
    """Puts results in place of those of the same names; the file is whole at every moment."""
    rows = {result.name: result for result in read(file)} | {
        result.name: result for result in measured
    }
    write_whole(file, [rows[name].row() for name in sorted(rows, key=_order)])


def write_whole(file: Path, document: Any) -> None:
    """Writes JSON so that an interruption leaves the old file or the new one."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    os.replace(partial, file)


_GROUPS = ("settings", "imports", "production", "growth", "teams", "pack", "sandbox", "tests")


def _order(name: str) -> tuple[Any, ...]:
    first, *rest = name.split(".")
    group = _GROUPS.index(first) if first in _GROUPS else len(_GROUPS)
    return group, [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in rest]


@dataclass(frozen=True)
class Measured:
    """When a benchmark was measured, and of which commit."""

    date: str
    commit: str


def measured(file: Path = MACHINE) -> dict[str, Measured]:
    """Benchmark to its last measurement."""
    if not file.exists():
        return {}
    return {
        name: Measured(**fields)
        for name, fields in json.loads(file.read_text()).get("measured", {}).items()
    }


def note(name: str, when: Measured, machine: Mapping[str, Any], file: Path = MACHINE) -> None:
    """Notes that a benchmark was measured, and on what machine."""
    known = {k: asdict(v) for k, v in measured(file).items()} | {name: asdict(when)}
    write_whole(file, {**machine, "measured": dict(sorted(known.items()))})
