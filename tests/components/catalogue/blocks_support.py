"""The blocks of YAML on Kestra's pages, as lists of their keys."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

_BLOCKS = Path(__file__).parent / "fixtures" / "documented-blocks.tsv"


@dataclass(frozen=True)
class DocumentedBlock:
    """A block: its page, its number there from 1, and its leaf keys as the catalogue spells them."""

    page: str
    number: int
    keys: tuple[str, ...]


def documented_blocks() -> list[DocumentedBlock]:
    """The blocks of all pages, in the order of the file."""
    with _BLOCKS.open(encoding="utf-8", newline="") as file:
        return [
            DocumentedBlock(
                row["page"], int(row["block"]), tuple(filter(None, row["leaf-keys"].split(",")))
            )
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]
