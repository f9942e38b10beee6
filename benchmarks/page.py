"""Chart and page, drawn from the results alone."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from benchmarks import results
from benchmarks.figures import missing
from benchmarks.growth import OPERATIONS, SIZES
from benchmarks.results import FOLDER, Result
from sandbox.state import ROOT

CHART, PAGE = FOLDER / "chart.svg", ROOT / "docs" / "benchmarks.md"
COMMAND = "python -m benchmarks --draw"


def line(result: Result) -> str:
    """A result as a person reads it in the console."""
    text = f"{result.name}: {_number(result.value)} {result.unit}"
    if result.ratio is not None and result.floor is not None:
        text += f", floor {_number(result.floor)}, ratio {result.ratio:.2f}"
    if result.target is not None:
        text += f" (target {result.target:g}: {'met' if result.judged else 'missed'})"
    return text


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def chart(all_results: Sequence[Result]) -> str:
    """The chart as SVG: ratios against their targets, and growth on logarithmic scales."""
    ratios = [r for r in all_results if r.ratio is not None and r.target is not None]
    widest = max([1.5, *(r.ratio or 0 for r in ratios)])
    panels = [_panel(all_results, operation) for operation in OPERATIONS]
    return _template("chart.svg.jinja").render(
        ratios=ratios, scale=300 / widest, panels=[p for p in panels if p], line=line
    )


def _panel(all_results: Sequence[Result], operation: str) -> dict[str, Any] | None:
    known = {r.name: r for r in all_results}
    points = [
        (n, known[f"growth.{operation}.{n}"]) for n in SIZES if f"growth.{operation}.{n}" in known
    ]
    values = [v for _, r in points for v in (r.value, r.floor) if v]
    if not values:
        return None
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(size: int) -> float:
        return round(60 + 240 * (math.log10(size) - 1) / (math.log10(SIZES[-1]) - 1), 1)

    def y(seconds: float) -> float:
        return round(180 - 150 * (math.log10(seconds) - low) / (high - low), 1)

    return {
        "title": operation,
        # A label needs some room before the next.
        "ticks_x": [
            (x(size), f"{size:,}")
            for size, after in zip(SIZES, (*SIZES[1:], 10 * SIZES[-1]), strict=True)
            if x(after) - x(size) > 20
        ],
        "ticks_y": [(y(10.0**power), f"{10.0**power:g} s") for power in range(low, high + 1)],
        "ours": [(x(n), y(r.value), line(r)) for n, r in points],
        "bare": [(x(n), y(r.floor), line(r)) for n, r in points if r.floor],
    }


def page(all_results: Sequence[Result], machine: dict[str, Any]) -> str:
    """docs/benchmarks.md."""
    by_group: dict[str, list[Result]] = {}
    for one in all_results:
        by_group.setdefault(one.name.split(".")[0], []).append(one)
    described = {k: v for k, v in machine.items() if k != "measured"}
    return _template("page.md.jinja").render(
        groups=by_group,
        judged=[r for r in all_results if r.judged is not None],
        machine=described,
        measured=machine.get("measured", {}),
        missing=missing({r.name for r in all_results}),
        number=_number,
        command=COMMAND,
    )


def write(folder: Path = FOLDER, file: Path = PAGE) -> None:
    """Draws both from `results.json` and `machine.json`."""
    all_results = results.read(folder / results.RESULTS.name)
    described = folder / results.MACHINE.name
    machine = json.loads(described.read_text()) if described.exists() else {}
    (folder / CHART.name).write_text(chart(all_results))
    file.write_text(page(all_results, machine))


def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(FOLDER / "templates")
    environment = jinja2.Environment(
        loader=loader,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=name.endswith(".svg.jinja"),
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)
