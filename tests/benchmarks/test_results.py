"""The results file is whole and consistent, and chart and page are drawn from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import growth, page, results
from benchmarks.__main__ import BENCHMARKS
from benchmarks.figures import TARGETS, TOLD, missing
from benchmarks.results import Measured, Result, result

ROWS = json.loads(results.RESULTS.read_text())
BY_NAME = {row["name"]: row for row in ROWS}


def test_a_figure_is_there_with_its_target_or_is_told_to_be_missing() -> None:
    judged = {name: target for name, target in TARGETS.items() if name in BY_NAME}
    assert {n: BY_NAME[n]["target"] for n in judged} == judged
    assert {row["name"] for row in ROWS if row["target"] is not None} == set(judged)
    assert len(BY_NAME) == len(ROWS)
    _, _, section = page.PAGE.read_text().partition("## Not measured")
    assert re.findall(r"^- `([^`]+)`$", section.partition("\n## ")[0], re.MULTILINE) == missing(
        BY_NAME
    )


def test_the_targets_are_those_that_were_set() -> None:
    assert {
        "settings.load-check-render": 50,
        "imports.aws": 1.2,
        **{f"production.{name}": 1.15 for name in ("preview", "up", "up-again")},
        **{f"growth.{n}.1000{what}": 1.1 for n in ("preview", "up") for what in ("", ".memory")},
        **{f"growth.{name}.exponent": 1.1 for name in ("preview", "up")},
        "pack.preview.cost": 1,
        "pack.up-again.cost": 1,
    } == TARGETS


def test_what_is_missing_is_everything_that_was_not_measured() -> None:
    everything = missing([])
    assert len(everything) == len(set(everything)) > 50
    assert set(everything) == {*TARGETS, *TOLD}
    assert missing(everything) == []
    assert "pack.start" in page.page([], {})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_figure_is_consistent(row: dict[str, float | None]) -> None:
    assert list(row) == ["name", "value", "unit", "floor", "ratio", "target", "pass"]
    value, floor, ratio, target = row["value"], row["floor"], row["ratio"], row["target"]
    assert value is not None
    assert (floor is None) == (ratio is None)
    if floor is not None:
        assert ratio == pytest.approx(value / floor, abs=1e-4)
    judged = value if ratio is None else ratio
    assert row["pass"] == (None if target is None else judged <= target)


def test_a_change_of_the_project_is_measured_against_a_floor() -> None:
    without = {row["name"] for row in ROWS if row["floor"] is None}
    assert {n for n in without if n.startswith(("imports.", "production.", "growth."))} == set()


def test_chart_and_page_are_drawn_from_the_results(tmp_path: Path) -> None:
    for file in (results.RESULTS, results.MACHINE):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    drawn = tmp_path / "benchmarks.md"
    page.write(tmp_path, drawn)
    assert (tmp_path / page.CHART.name).read_text() == page.CHART.read_text(), page.COMMAND
    assert drawn.read_text() == page.PAGE.read_text(), page.COMMAND


def test_the_page_names_every_figure_and_the_machine() -> None:
    text = page.PAGE.read_text()
    machine = json.loads(results.MACHINE.read_text())
    assert [row["name"] for row in ROWS if f"`{row['name']}`" not in text] == []
    for name in ("cpu", "cores", "memory GiB", "kernel", "python", "pulumi"):
        assert f"| {name} | {machine[name]} |" in text
    assert set(machine["measured"]) <= set(BENCHMARKS) | {"growth", "sandbox.cold", "tests"}
    if not missing(BY_NAME):
        assert set(BENCHMARKS) <= set(machine["measured"])


def test_a_missed_target_shows_in_chart_and_page() -> None:
    missed = result("production.up", 3, "s", 2, 1.15)
    assert "**missed**" in page.page([missed], {})
    assert "#b3261e" in page.chart([missed])
    assert "#b3261e" not in page.chart([result("production.up", 2, "s", 2, 1.15)])


def test_the_ratio_is_judged_where_there_is_a_floor_and_the_value_where_there_is_none() -> None:
    assert Result("a", 2.3, "s", 2.0, 1.15).judged is True
    assert Result("a", 2.4, "s", 2.0, 1.15).judged is False
    assert Result("a", 49, "ms", None, 50).judged is True
    assert Result("a", 51, "ms", None, 50).judged is False
    assert Result("a", 51, "ms").judged is None


def test_results_take_the_place_of_those_of_the_same_name_and_leave_the_others(
    tmp_path: Path,
) -> None:
    file = tmp_path / "results.json"
    results.merge([result("growth.up.1000", 1, "s"), result("growth.up.100", 2, "s")], file)
    results.merge([result("growth.up.1000", 3, "s"), result("settings.a", 4, "ms")], file)
    assert [(r.name, r.value) for r in results.read(file)] == [
        ("settings.a", 4),
        ("growth.up.100", 2),
        ("growth.up.1000", 3),
    ]
    assert [f.name for f in tmp_path.iterdir()] == ["results.json"]


def test_what_was_measured_is_noted_benchmark_by_benchmark(tmp_path: Path) -> None:
    file = tmp_path / "machine.json"
    results.note("pack", Measured("2026-01-01", "a"), {"cpu": "x"}, file)
    results.note("settings", Measured("2026-01-02", "b"), {"cpu": "y"}, file)
    assert results.measured(file) == {
        "pack": Measured("2026-01-01", "a"),
        "settings": Measured("2026-01-02", "b"),
    }
    assert json.loads(file.read_text())["cpu"] == "y"


@pytest.mark.parametrize(("power", "fixed"), [(1.0, 5.0), (2.0, 40.0)])
def test_the_exponent_is_that_of_the_growth_whatever_the_fixed_cost(
    power: float, fixed: float
) -> None:
    points = [(10, fixed), *((n, fixed + 0.01 * (n - 10) ** power) for n in (100, 1000, 3000))]
    assert growth.exponent(points) == pytest.approx(power)
