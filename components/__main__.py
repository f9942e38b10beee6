"""`python -m components check FILE…` and `python -m components render FILE`: no engine, no cloud."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from components.settings import SettingsError, load_file, report


def check(files: Sequence[str]) -> int:
    """Checks stack files; prints a report for each. 0 when all are valid, else 1."""
    status = 0
    for file in files:
        try:
            loaded = load_file(file)
        except SettingsError as error:
            print(error.report(), file=sys.stderr)
            status = 1
            continue
        print(f"{file}: valid for Kestra {loaded.settings.version}, {loaded.settings.edition}")
        if loaded.warnings:
            print(report(loaded.warnings), file=sys.stderr)
    return status


def render(file: str, *, environment: bool) -> int:
    """Prints the application.yaml of a stack file, or the names of the variables that it needs."""
    from components.configuration import render as render_settings

    try:
        loaded = load_file(file)
        configuration = render_settings(loaded.settings)
    except SettingsError as error:
        print(error.report(), file=sys.stderr)
        return 1
    if loaded.warnings:
        print(report(loaded.warnings), file=sys.stderr)
    if environment:
        print("\n".join(configuration.environment))
    else:
        print(configuration.yaml(), end="")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m components", description="Checks and renders the settings of a stack."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser(
        "check", help="report every problem of stack files; exit 1 if any"
    )
    checking.add_argument("files", nargs="+", metavar="FILE", help="stacks/Pulumi.<stack>.yaml")
    rendering = commands.add_parser("render", help="print the application.yaml of a stack file")
    rendering.add_argument("file", metavar="FILE", help="stacks/Pulumi.<stack>.yaml")
    rendering.add_argument(
        "--environment", action="store_true", help="print the names of the variables that it needs"
    )
    chosen = parser.parse_args(arguments)
    if chosen.command == "check":
        return check(chosen.files)
    return render(chosen.file, environment=chosen.environment)


if __name__ == "__main__":
    sys.exit(main())
