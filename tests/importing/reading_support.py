"""Inputs written to a folder, and what the import reads from them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from components.importing.inputs import read
from components.importing.installation import Installation
from components.importing.key_tree import dotted, leaves


class Inputs:
    """Files of a folder that are inputs of one import."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str | bytes) -> str:
        """Writes a file (a text is dedented), and gives its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return str(path)

    def read(self, **files: str | bytes) -> Result:
        """Writes files and imports them in this order; `__` in a name is a dot, a leading `_` too."""
        paths = [self.write(_file_name(name), text) for name, text in files.items()]
        return Result(read(paths))


def _file_name(name: str) -> str:
    return name.replace("__", ".").replace("_", "-") if not name.startswith("_") else f".{name[1:]}"


class Result:
    """An installation, by paths as people write them."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.keys: dict[str, Any] = {
            dotted(path): leaf.value for path, leaf in leaves(installation.configuration)
        }
        self.settings: dict[str, Any] = {
            dotted(path): leaf.value for path, leaf in leaves(installation.settings)
        }
        self.variables = {n: v.value for n, v in installation.environment.items()}
        self.notes = installation.notes
        self.missing = {dotted(m.path): m.variables for m in installation.missing}

    def lines(self, kind: str = "") -> list[str]:
        """The notes as the report has them."""
        return [f"{n.what}: {n.why}; {n.fix}" for n in self.notes if not kind or n.kind == kind]

    def says(self, *words: str, kind: str = "") -> bool:
        """Whether one line of the report holds all words."""
        return any(all(word in line for word in words) for line in self.lines(kind))

    @property
    def shown(self) -> str:
        """Everything that can be shown of an installation."""
        return f"{self.installation!r} {self.lines()} {[str(n.origin) for n in self.notes]}"
