"""`python -m components.package schema [--check]`: the committed schema; with an engine's address, the plugin."""

from __future__ import annotations

import json
import sys

from .provider import serve
from .schema import FILE, package_schema


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(package_schema(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    if arguments[:1] != ["schema"]:
        serve(arguments)
        return 0
    current = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if current == schema_text():
        return 0
    if "--check" in arguments:
        print(f"{FILE.name} is stale: run `python -m components.package schema`")
        return 1
    FILE.write_text(schema_text(), encoding="utf-8")
    return 0


def command() -> None:
    """The command of the installed package, which the engine runs."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    command()
