"""A copy of the OSV database: ZIP archives or folders of JSON records, as osv.dev publishes them (ossf.github.io/osv-schema)."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)


class DatabaseError(Exception):
    """The database, or some of its records, cannot be read; nothing may be concluded from it."""


def _empty(value: Any) -> Any:
    return [] if value is None else value


#: No number, which would be one too.
Timestamp = Annotated[datetime, Field(strict=True)]


class Event(BaseModel):
    """A version at which something begins or ends."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None

    @model_validator(mode="after")
    def _has_a_version(self) -> Event:
        # Read as nothing, it would take a version for unaffected.
        if self.introduced is self.fixed is self.last_affected is self.limit is None:
            raise ValueError("an event has introduced, fixed, last_affected or limit")
        return self


class VersionRange(BaseModel):
    """Events in the order of an ecosystem's versions, or of a repository's commits."""

    type: Literal["ECOSYSTEM", "GIT", "SEMVER"]
    repo: str | None = None
    events: Annotated[list[Event], BeforeValidator(_empty)] = []


class Package(BaseModel):
    """A package by ecosystem and name."""

    ecosystem: str
    name: str


class Score(BaseModel):
    """A severity as a vector, mostly."""

    type: str
    score: str


class Affected(BaseModel):
    """Which versions of one package a record is about."""

    package: Package | None = None
    ranges: Annotated[list[VersionRange], BeforeValidator(_empty)] = []
    versions: Annotated[list[str], BeforeValidator(_empty)] = []
    severity: Annotated[list[Score], BeforeValidator(_empty)] = []
    database_specific: dict[str, Any] | None = None


class Record(BaseModel):
    """A vulnerability or a malicious package."""

    id: str = Field(min_length=1)
    modified: Timestamp
    withdrawn: Timestamp | None = None
    aliases: Annotated[list[str], BeforeValidator(_empty)] = []
    summary: str | None = None
    affected: Annotated[list[Affected], BeforeValidator(_empty)] = []
    severity: Annotated[list[Score], BeforeValidator(_empty)] = []
    database_specific: dict[str, Any] | None = None


_LIST = TypeAdapter(list[Record])


class Database:
    """A database's files, read once by `records`."""

    def __init__(self, path: Path) -> None:
        """Looks for the files.

        Args:
            path: a ZIP archive or JSON file (a record, or a list of them), or a folder with such files at any depth.

        Raises:
            DatabaseError: when there are none.
        """
        self.counts: Counter[str] = Counter()
        """Records of each ecosystem; GIT for those of repositories without a package."""
        self.newest: datetime | None = None
        """The last change of a record."""
        self.faults: list[str] = []
        """Records that could not be read, with the reason."""
        self.path = path
        if path.is_dir():
            self.files = sorted(f for f in path.rglob("*") if f.suffix in (".zip", ".json"))
        elif path.is_file():
            self.files = [path]
        else:
            raise DatabaseError(f"{path} does not exist.")
        if not self.files:
            raise DatabaseError(f"{path} has neither ZIP archives nor JSON files.")

    def records(self) -> Iterator[Record]:
        """Every record that can be read; `counts`, `newest` and `faults` are complete afterwards."""
        for place, text in self._documents():
            try:
                is_list = text.lstrip()[:1] == b"["
                records = (
                    _LIST.validate_json(text) if is_list else [Record.model_validate_json(text)]
                )
            except ValidationError as error:
                self.faults.append(f"{place}: {_reason(error)}")
                continue
            for record in records:
                self._count(record)
                yield record

    def _documents(self) -> Iterator[tuple[str, bytes]]:
        for file in self.files:
            try:
                if file.suffix == ".zip" or zipfile.is_zipfile(file):
                    with zipfile.ZipFile(file) as archive:
                        for name in archive.namelist():
                            if name.endswith(".json"):
                                yield f"{file}/{name}", archive.read(name)
                else:
                    yield str(file), file.read_bytes()
            except (OSError, RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
                self.faults.append(f"{file}: {error}")

    def _count(self, record: Record) -> None:
        modified = record.modified.replace(tzinfo=None)
        self.newest = max(self.newest or modified, modified)
        ecosystems = {
            a.package.ecosystem.partition(":")[0] if a.package else "GIT" for a in record.affected
        }
        self.counts.update(ecosystems)


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"no OSV record: {where + ': ' if where else ''}{first['msg']}"
