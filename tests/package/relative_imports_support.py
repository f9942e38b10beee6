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
#: What is shared with the policy pack comes from one module, which the installed package has too.
_POLICY = re.compile(r"^\s*from policy[. ]", re.MULTILINE)
_SHARED = "policy_tables.py"
_FROM_POLICY = re.compile(r"^(\s*)from policy\.\w+ import ", re.MULTILINE)


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

    text = file.read_text(encoding="utf-8")
    if file.name != _SHARED:
        text = _FROM_POLICY.sub(r"\1from components.policy_tables import ", text)
    return _IMPORT.sub(replace, text)


def stale(folder: Path = FOLDER) -> Iterator[Path]:
    """Files with an import that names the package."""
    for file in sorted(folder.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        of_policy = file.name != _SHARED and _POLICY.search(text)
        if _IMPORT.search(text) or _OTHER.search(text) or of_policy:
            yield file


def main() -> int:
    for file in stale():
        file.write_text(rewritten(file), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
