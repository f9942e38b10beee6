"""`python -m components.package schema [--check]`: the committed schema; with an engine's address, the plugin."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence

from .. import __version__
from .component import PACKAGE
from .provider import serve
from .schema import FILE, package_schema

COMMAND = f"pulumi-resource-{PACKAGE}"
"""What the engine looks for on PATH."""


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(package_schema(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str], prog: str = COMMAND) -> int:
    """Returns the exit code.

    Args:
        arguments: of the command line.
        prog: what the usage names as the command.
    """
    if arguments[:1] == ["schema"]:
        options = _schema_parser(prog).parse_args(arguments[1:])
        return write_schema(only_check=options.check)
    # The engine hands on options of its own (`--logflow`), which change nothing here.
    options, _ = _plugin_parser(prog).parse_known_args(arguments)
    serve(options.engine)
    return 0


def write_schema(*, only_check: bool) -> int:
    """Writes the schema where it is stale, or says that it is; returns the exit code."""
    current = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if current == schema_text():
        return 0
    if only_check:
        print(f"{FILE.name} is stale: run `python -m components.package schema`")
        return 1
    FILE.write_text(schema_text(), encoding="utf-8")
    return 0


def _plugin_parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        usage="%(prog)s [-h] [--version] HOST:PORT | schema [--check]",
        description="Pulumi's plugin of the component package. The engine starts it by itself, for a program that uses the package.",
        epilog=f"`schema [--check]` writes {FILE.name} from the models of the settings. Other languages: docs/package.md.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "engine", metavar="HOST:PORT", type=_address, help="where the engine that starts it listens"
    )
    parser.add_argument("--tracing", help=argparse.SUPPRESS)
    return parser


def _schema_parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{prog} schema", description=f"Writes {FILE.name} from the models of the settings."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where it is stale"
    )
    return parser


def _address(text: str) -> str:
    if not re.fullmatch(r"\S+:\d+", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address of an engine (HOST:PORT), and no command"
        )
    return text


def command() -> None:
    """The command of the installed package, which the engine runs."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], f"python -m {__package__}"))
