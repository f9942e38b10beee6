"""The sandbox's commands as a person runs them, and the slowest tests of a run of the suite."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.measure import run
from benchmarks.results import Result, result
from sandbox.state import ROOT

COMMANDS = {
    "up-warm": (("up", "local"), ("verify", "local")),
    "up-again": (("up", "local"), ("verify", "local")),
    "verify": (("verify", "local"),),
    "down": (("down",),),
}
"""Figure to the commands of `python -m sandbox`, in this order. The first two are `make up`: tools are built,
servers run not yet, then they do."""
SLOWEST = 10


def commands(*, cold: bool = False) -> Iterator[Result]:
    """`make up` on servers that do not run yet, again, `verify`, and `down`; `cold`: with an empty cache first."""
    folder = Path(tempfile.mkdtemp(prefix="kestra-benchmarks-"))
    environment = {k: v for k, v in os.environ.items() if k != "KESTRA_SANDBOX_STATE"}
    cache = {"KESTRA_SANDBOX_CACHE": str(folder / "cache")} if cold else {}
    figures = {"up-cold": COMMANDS["up-warm"]} if cold else COMMANDS
    try:
        for figure, several in figures.items():
            seconds = sum(
                run(
                    [sys.executable, "-m", "sandbox", *command, "--state", str(folder / "state")],
                    cwd=ROOT,
                    env=environment | cache,
                ).seconds
                for command in several
            )
            yield result(f"sandbox.{figure}", seconds, "s")
    finally:
        end = [sys.executable, "-m", "sandbox", "down", "--purge", "--state", str(folder / "state")]
        if (folder / "state").exists():
            run(end, cwd=ROOT, env=environment)
        # What Go puts into its cache of modules is read-only.
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def slowest(file: Path) -> Iterator[Result]:
    """The slowest tests by a run's own account.

    Args:
        file: what `pytest --junitxml=FILE` wrote, or the text of a run with `--durations=…`.
    """
    text = file.read_text(errors="replace")
    durations = _junit(text) if text.lstrip().startswith("<") else _lines(text)
    for name, seconds in sorted(durations.items(), key=lambda item: -item[1])[:SLOWEST]:
        yield result(f"tests.{name}", seconds, "s")


def _junit(text: str) -> dict[str, float]:
    cases = ElementTree.fromstring(text).iter("testcase")  # noqa: S314 - our own run's file
    return {
        _short(f"{c.get('classname')}::{c.get('name')}"): float(c.get("time", 0)) for c in cases
    }


def _lines(text: str) -> dict[str, float]:
    durations: dict[str, float] = {}
    for seconds, test in re.findall(
        r"^\s*([\d.]+)s (?:call|setup|teardown)\s+(\S.*?)\s*$", text, re.MULTILINE
    ):
        name = _short(test)
        durations[name] = durations.get(name, 0) + float(seconds)
    return durations


def _short(test: str) -> str:
    """`test_file::test_name[case]`, whatever wrote it; no dots, which separate the parts of a figure's name."""
    file, _, name = test.partition("::")
    stem = re.split(r"[./]", file.removesuffix(".py"))[-1]
    return f"{stem}::{name}".replace(".", "·")
