"""`python -m docsgen [--tests] [--check]`: writes what is generated, or says what is stale.

Without options the pages of `docs/` that come from the models, the permissions, the controls and the advisories.
`--tests` writes the golden files of the tests, and the page that shows their conformance table.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

from docsgen import advisories, permissions, policies, settings

ROOT = Path(__file__).parents[1]

#: Modules of the tests with a function `files`: file to text. By name, since nothing here needs the tests.
GOLDEN_MODULES = (
    "tests.components.inventory_support",
    "tests.configuration.golden_support",
    "tests.policy.naive_support",
    "tests.policy.public_stacks_support",
    "tests.stores.conformance_support",
)


def pages() -> dict[Path, str]:
    """File of `docs/` to its text."""
    docs = ROOT / "docs"
    return {
        docs / "settings.md": settings.page(),
        docs / "policies.md": policies.page(),
        docs / "advisories.md": advisories.page(),
        **{
            file: permissions.filled(file.read_text(encoding="utf-8"))
            for file in permissions.files()
        },
    }


def golden_files() -> dict[Path, str]:
    """File of the tests' expectations to its text."""
    return {
        file: text
        for module in GOLDEN_MODULES
        for file, text in importlib.import_module(module).files().items()
    }


def stale(files: Mapping[Path, str]) -> dict[Path, str]:
    """The files that differ from their text, or do not exist."""
    return {
        file: text
        for file, text in files.items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str] | None = None) -> int:
    """Writes, or with `--check` shows the differences; 1 when there are some."""
    parser = argparse.ArgumentParser(prog="python -m docsgen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    parser.add_argument("--tests", action="store_true", help="the golden files of the tests")
    options = parser.parse_args(arguments)
    changed = stale(golden_files() if options.tests else pages())
    for file, text in changed.items():
        name = str(file.relative_to(ROOT))
        if options.check:
            old = file.read_text(encoding="utf-8") if file.exists() else ""
            lines = (old.splitlines(), text.splitlines())
            print("\n".join(difflib.unified_diff(*lines, name, "as generated", lineterm="", n=0)))
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    if options.check and changed:
        again = "python -m docsgen --tests" if options.tests else "python -m docsgen"
        print(f"{len(changed)} stale. Run `{again}`, and read what it changes.", file=sys.stderr)
    return int(options.check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
