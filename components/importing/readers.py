"""What a reader of one kind of input is, and what it is handed.

`inputs.READERS` lists them; the first that recognizes a document reads it. A reader puts what it reads into an
`Assembly`, which knows how Kestra and Micronaut merge it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .installation import Origin

if TYPE_CHECKING:
    from .assembly import Assembly


class ImportRefused(Exception):
    """Nothing can be imported. Its text is one plain sentence or more, without a line of an input."""


@dataclass(frozen=True)
class Part:
    """One YAML document of an input, or a whole input that is not YAML.

    Texts and documents may hold secrets: `repr` does not show them, and no message may.
    """

    file: str
    """The name of the input as it was given; `-` for standard input."""
    text: str = field(repr=False)
    """The whole file, with line feeds only and without a byte order mark."""
    document: Any = field(default=None, repr=False)
    """The document: mappings, lists, texts, numbers, flags and None; None where the file is not YAML."""
    index: int = 0
    """Which document of the file it is."""
    path: Path | None = None
    """Where the file lies; None for standard input."""
    problem: str = ""
    """Why the file is not YAML, in words that do not quote it; empty where it is."""
    remarks: tuple[str, ...] = ()
    """What is odd about its YAML, in words that do not quote it."""
    is_of_directory: bool = False
    """Whether a directory was given, and not the file itself."""

    @property
    def name(self) -> str:
        """The last part of the file's name, in lower case."""
        return self.file.replace("\\", "/").rsplit("/", 1)[-1].lower()

    @property
    def folder(self) -> str:
        """The folder of the file, as the name was given."""
        return self.file.replace("\\", "/").rpartition("/")[0]

    def origin(self, place: str = "") -> Origin:
        """An origin in this file."""
        return Origin(self.file, place)


class Reader(Protocol):
    """Reads one kind of input."""

    def recognizes(self, part: Part) -> bool:
        """Whether the part is of this kind: by its content first, then by its name. Never raises."""
        ...

    def kind(self, part: Part) -> str:
        """What the part is, for the report: `values of the Helm chart 1.x`."""
        ...

    def read(self, parts: Sequence[Part], assembly: Assembly) -> None:
        """Reads all parts of this kind, in the order in which they were given (later ones win).

        Raises:
            ImportRefused: where nothing of it can be imported; the other kinds are read all the same.
        """
        ...
