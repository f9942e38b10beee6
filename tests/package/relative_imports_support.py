"""Imports within `components` are relative, since the installed package has another name (docs/package.md).

`python -m tests.package.relative_imports_support` rewrites those that are not; it may be run again at any time.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Nothing of the project is imported: it runs in the middle of a merge too.
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "components"
_IMPORT = re.compile(
    r"^(?P<before>\s*from )components(?P<module>(?:\.\w+)*)(?P<after> import )", re.MULTILINE
)
_OTHER = re.compile(r"^\s*import components\b", re.MULTILINE)


def relative(file: Path, module: str) -> str:
    """A module of the package as a file imports it.

    Args:
        file: within the package.
        module: `.settings.base`, or empty for the package itself.
    """
    own = file.parent.relative_to(FOLDER).parts
    other = tuple(filter(None, module.split(".")))
    # Up to the nearest common package, no further.
    common = 0
    while common < min(len(own), len(other)) and own[common] == other[common]:
        common += 1
    return "." * (len(own) - common + 1) + ".".join(other[common:])


def rewritten(file: Path) -> str:
    """The text of a file with relative imports."""

    def replace(match: re.Match[str]) -> str:
        return f"{match['before']}{relative(file, match['module'])}{match['after']}"

    return _IMPORT.sub(replace, file.read_text(encoding="utf-8"))


def stale(folder: Path = FOLDER) -> Iterator[Path]:
    """Files with an import that names the package."""
    for file in sorted(folder.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if _IMPORT.search(text) or _OTHER.search(text):
            yield file


def main() -> int:
    for file in stale():
        file.write_text(rewritten(file), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
