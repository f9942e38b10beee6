"""`python -m benchmarks [NAME…]`: measures, keeps each result at once, draws chart and page, judges the targets."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import (
    growth,
    machine,
    page,
    production,
    results,
    sandbox_commands,
    settings,
    teams,
)
from benchmarks.results import Result
from benchmarks.rig import Rig, rig
from sandbox.errors import SandboxError
from sandbox.progress import Progress


class Session:
    """One run of the benchmarks: how thorough, and the servers that they share."""

    def __init__(self, stack: ExitStack, progress: Progress, *, quick: bool) -> None:
        self._stack, self.progress, self.quick = stack, progress, quick
        self._rig: Rig | None = None

    def times(self, whole: int) -> int:
        """Rounds: one when it is quick."""
        return 1 if self.quick else whole

    @property
    def rig(self) -> Rig:
        """The servers, started when they are first asked for."""
        if self._rig is None:
            self._rig = self._stack.enter_context(rig(self.progress))
        return self._rig


@dataclass(frozen=True)
class Benchmark:
    """What is measured under one name."""

    title: str
    act: Callable[[Session], Iterable[Result]]
    is_quick: bool = True
    """Whether `--quick` has it."""


def _growth(size: int) -> Benchmark:
    def act(session: Session) -> Iterator[Result]:
        return growth.growth(session.rig, size, rounds=1 if session.quick else None)

    return Benchmark(f"Growth: {size:,} declared secrets", act, is_quick=size <= 100)


def _imports(name: str) -> Benchmark:
    return Benchmark(
        f"Imports of a stack: {name}",
        lambda s: settings.imports(name, s.times(9 if name == "aws" else 5)),
    )


BENCHMARKS: dict[str, Benchmark] = {
    "settings": Benchmark(
        "Settings: load, check, render",
        lambda s: settings.load_check_render(5 if s.quick else 100),
    ),
    **{f"imports.{name}": _imports(name) for name in settings.STACKS},
    "production": Benchmark(
        "The production stack against a bare program",
        lambda s: production.production(s.rig, s.times(5)),
    ),
    "pack": Benchmark(
        "The policy pack on production", lambda s: production.pack(s.rig, s.times(5))
    ),
    **{f"growth.{size}": _growth(size) for size in growth.SIZES},
    "teams": Benchmark(
        "Ten stacks of 100 secrets against one of 1,000",
        lambda s: teams.teams(s.rig, *(teams.QUICK if s.quick else (teams.TEAMS, teams.SECRETS))),
    ),
    "sandbox": Benchmark(
        "The sandbox's commands", lambda s: sandbox_commands.commands(), is_quick=False
    ),
}


def chosen(names: Sequence[str], *, quick: bool) -> list[str]:
    """The benchmarks of some names: `growth` means all of its sizes; none: all.

    Raises:
        SandboxError: for a name that there is not.
    """
    for name in names:
        if not any(known == name or known.startswith(f"{name}.") for known in BENCHMARKS):
            raise SandboxError(f"There is no benchmark {name}. Known are {', '.join(BENCHMARKS)}.")
    return [
        known
        for known, benchmark in BENCHMARKS.items()
        if (benchmark.is_quick or not quick or known in names)
        and (not names or any(known == name or known.startswith(f"{name}.") for name in names))
    ]


class Kept:
    """Where results go as soon as they are made."""

    def __init__(self, progress: Progress, *, quick: bool) -> None:
        self._progress, self._quick = progress, quick
        self.file = results.QUICK if quick else results.RESULTS
        self._machine: dict[str, Any] = machine.machine()
        self.missed: list[Result] = []

    def keep(self, name: str, measured: Iterable[Result]) -> None:
        """Keeps what a benchmark yields, one by one."""
        for result in measured:
            results.merge([result], self.file)
            self._progress.note(page.line(result))
            if result.judged is False:
                self.missed.append(result)
        if not self._quick:
            results.note(name, machine.now(), self._machine)


def measure(options: argparse.Namespace, progress: Progress) -> int:
    """Runs the chosen benchmarks; 1 when one misses its target."""
    record = Kept(progress, quick=options.quick)
    names = chosen(options.names, quick=options.quick)
    if options.cold or options.tests:
        names = names if options.names else []
    if options.resume:
        commit, done = machine.now().commit, results.measured()
        names = [n for n in names if n not in done or done[n].commit != commit]
    with ExitStack() as stack:
        session = Session(stack, progress, quick=options.quick)
        for n, name in enumerate(names, 1):
            with progress.step(BENCHMARKS[name].title, n, len(names)):
                record.keep(name, BENCHMARKS[name].act(session))
        if any(name.startswith("growth.") for name in names):
            record.keep("growth", growth.exponents(results.read(record.file)))
    if options.cold:
        with progress.step("The sandbox with an empty cache"):
            record.keep("sandbox.cold", sandbox_commands.commands(cold=True))
    if options.tests:
        record.keep("tests", sandbox_commands.slowest(options.tests))
    if not options.quick:
        page.write()
    for result in record.missed:
        progress.console.print(f"Missed: {page.line(result)}", style="red", markup=False)
    return 1 if record.missed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures what the project costs, against a floor in the same run (docs/benchmarks.md).",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one round, small sizes; results are shown and not kept",
    )
    parser.add_argument(
        "--resume", action="store_true", help="leave out what was measured of this commit already"
    )
    parser.add_argument(
        "--cold",
        action="store_true",
        help="`make up` with an empty cache, which builds every tool (about half an hour); alone, unless named",
    )
    parser.add_argument(
        "--tests",
        type=Path,
        metavar="FILE",
        help="note the slowest tests of a pytest run's log or junit file",
    )
    parser.add_argument(
        "--draw", action="store_true", help="only draw chart and page from the results"
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if options.draw:
        page.write()
        return 0
    try:
        return measure(options, Progress(Console(highlight=False, soft_wrap=True)))
    except SandboxError as error:
        print(f"Error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(
            "Interrupted. What was measured is kept; --resume goes on with the rest.",
            file=sys.stderr,
        )
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
