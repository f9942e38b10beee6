"""The tiers of the tests, in one place: what `--tier` runs, and the parts of the long tier.

A test says by its markers what it needs; a tier says which needs it serves.

`unit`: nothing but Python. No server, no build, no Node.js, no browser (`make unit`, 2 minutes at most).
`test`: every kind of behaviour once, with all of these (`make test`, 12 minutes at most).
`long`: every row of the tables of which `test` has a sample (`make test-long`, 120 minutes at most).

Without `--tier` everything is run.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

#: What a test needs beside Python; each is a marker.
NEEDS = {
    "engine": "runs the real Pulumi engine or real servers",
    "kestra": "boots a real Kestra (Java, Maven)",
    "node": "runs a program from npm",
    "browser": "opens pages in Chromium",
}
#: Parts of the long tier, each runs alone: `make test-long PART=kills`.
PARTS = {
    "hostile": "every hostile document and the real Kestra that binds those that are valid",
    "kills": "every moment at which the engine is killed",
    "faults": "every failing server, every interrupted hook",
    "conformance": "every backend through the whole life of a stack",
    "stacks": "every stack file under the policy pack, its update, its judges, its released states",
    "access": "every request that a store allows or denies",
    "plugins": "every provider's stand-in through the engine",
    "many": "a stack of 3,000 secrets",
}
#: Programs that no test of the unit tier starts, save one that the test itself wrote.
_REFUSED = re.compile(
    r"go|java|javac|mvn|node|npm|npx|chromium.*|google-chrome.*|pulumi.*|etcd|kube.*|kwok|vault"
)


def long(part: str) -> pytest.MarkDecorator:
    """The marker of a test that only the long tier runs.

    Raises:
        KeyError: for a part that `PARTS` does not have.
    """
    assert PARTS[part]
    return pytest.mark.long(part)


def sampled(
    rows: Iterable[Any], keep: Callable[[Any], bool], part: str, *, ids: Callable[[Any], str] = str
) -> list[Any]:
    """Rows for `parametrize`: those of the sample in every tier, the others in the long one only.

    Args:
        rows: all of them; more than one value a row as a tuple.
        keep: whether a row is in the sample.
        part: of the long tier.
        ids: the name of a row.

    Raises:
        ValueError: when the sample is empty or is everything, since it then is none.
    """
    every = list(rows)
    kept = [keep(row) for row in every]
    if all(kept) or not any(kept):
        raise ValueError(f"the sample of {len(every)} rows has {sum(kept)}")
    return [
        pytest.param(
            *(row if isinstance(row, tuple) else (row,)),
            id=ids(row),
            marks=() if is_kept else long(part),
        )
        for row, is_kept in zip(every, kept, strict=True)
    ]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tiers")
    group.addoption("--tier", choices=("unit", "test", "long"), help="run one tier of the tests")
    group.addoption("--part", choices=sorted(PARTS), help="with --tier long: one part of it")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in NEEDS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "long(part): only in the long tier (tests/tiers.py)")
    if config.getoption("--part") and config.getoption("--tier") != "long":
        raise pytest.UsageError("--part goes with --tier long")
    if config.getoption("--tier") == "unit":
        sys.addaudithook(_refuse_programs)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tier, part = config.getoption("--tier"), config.getoption("--part")
    if tier is None:
        return
    chosen = [item for item in items if _belongs(item, tier, part)]
    dropped = [item for item in items if not _belongs(item, tier, part)]
    config.hook.pytest_deselected(items=dropped)
    items[:] = chosen


def _belongs(item: pytest.Item, tier: str, part: str | None) -> bool:
    marker = item.get_closest_marker("long")
    if tier == "long":
        return marker is not None and part in (None, marker.args[0])
    if marker is not None:
        return False
    return tier == "test" or not any(item.get_closest_marker(need) for need in NEEDS)


def _refuse_programs(event: str, arguments: tuple[Any, ...]) -> None:
    """A test of the unit tier that starts a server, a build or a browser fails: it lacks a marker."""
    if event != "subprocess.Popen":
        return
    name = os.fsdecode(arguments[0] or arguments[1][0])
    environment = arguments[3] if arguments[3] is not None else os.environ
    program = Path(shutil.which(name, path=environment.get("PATH")) or name).resolve()
    if _REFUSED.fullmatch(program.name) and not program.is_relative_to(tempfile.gettempdir()):
        raise RuntimeError(f"the unit tier does not start {program.name}: the test lacks a marker")
