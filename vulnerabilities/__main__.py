"""`python -m vulnerabilities`: known vulnerabilities of everything that this repository pins.

Exit codes: 0, none; 1, some, or an accepted one whose day has passed; 2, not everything could be judged.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.command_line import INTERRUPTED, run_command
from sandbox.tools import cache_folder
from vulnerabilities import accepted, report
from vulnerabilities.downloads import ADDRESS, download
from vulnerabilities.findings import search
from vulnerabilities.pins import ROOT, file_pins, kestra_pins
from vulnerabilities.records import Database, DatabaseError
from vulnerabilities.versions import ORDERS

NONE, SOME, UNDECIDED = 0, 1, 2
_PACKAGED = [name for name in ORDERS if name != "GIT"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and judges."""
    parser = argparse.ArgumentParser(
        prog="python -m vulnerabilities",
        description="Known vulnerabilities of everything that this repository pins (docs/vulnerabilities.md).",
    )
    parser.add_argument(
        "database",
        nargs="?",
        type=Path,
        help=f"a copy of the OSV database: a ZIP archive, a JSON file or a folder with such files;"
        f" without it, {ADDRESS} is downloaded",
    )
    parser.add_argument(
        "--only", action="append", choices=_PACKAGED, help="judge the pins of this ecosystem"
    )
    options = parser.parse_args(arguments)
    pins = file_pins(ROOT) | kestra_pins()
    if options.only:
        pins = {pin for pin in pins if pin.ecosystem in options.only}
    try:
        entries = accepted.read(accepted.FILE.read_text("utf-8"))
        path = options.database or _downloaded()
        database = Database(path)
        result = search(database, pins)
    except (DatabaseError, accepted.AcceptedError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return UNDECIDED
    except KeyboardInterrupt:
        return INTERRUPTED
    triage = accepted.triage(result.findings, entries, _today())
    if options.only:
        triage = replace(triage, unused=())
    for line in report.lines(triage, result, database, pins):
        print(line)
    if result.faults:
        return UNDECIDED
    return SOME if triage.open or triage.expired or result.without_row else NONE


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _downloaded() -> Path:
    folder = cache_folder() / "osv"
    download(folder, print)
    return folder


if __name__ == "__main__":
    sys.exit(run_command(main))
