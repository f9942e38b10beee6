"""The schemas of the releases, by which a change that breaks programs is found.

`python -m tests.package.schemas_support` writes that of the current version; those of earlier ones are never written
again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components import __version__
from components.package.schema import package_schema
from components.package.schema_changes import released_form

FOLDER = Path(__file__).parent / "fixtures" / "schemas"


def released() -> dict[str, dict[str, Any]]:
    """Version to its schema."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def main() -> None:
    text = json.dumps(released_form(package_schema()), separators=(",", ":"), sort_keys=True)
    (FOLDER / f"{__version__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
