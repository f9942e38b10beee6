"""Kestra's published advisories (advisories.yaml), and what they say of a release. Nothing here needs Pulumi.

The program's settings are checked with the same table: it is the pack's, since the pack imports nothing of the
program and is used without it too.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from .releases import Releases

TABLE = Path(__file__).with_name("advisories.yaml")
#: From best known to worst; `unknown` is taken for high until somebody has read the advisory.
SEVERITIES = ("low", "medium", "unknown", "high", "critical")


@dataclass(frozen=True)
class Range:
    """Releases from one up to another, which is no longer in it."""

    first: Version
    before: Version

    def holds(self, releases: Releases) -> bool:
        """Whether all of them are in it."""
        if releases.end is None:
            return self.first <= releases.first < self.before
        return self.first <= releases.first and releases.end <= self.before

    def touches(self, releases: Releases) -> bool:
        """Whether some of them are in it."""
        if releases.end is None:
            return self.holds(releases)
        return self.first < releases.end and releases.first < self.before


@dataclass(frozen=True)
class ClosedBy:
    """What closes a hole whatever the release is."""

    control: str
    """The control that judges it."""
    what: str
    settings: str
    """What of `kestra:` closes it."""


@dataclass(frozen=True)
class Advisory:
    """A published hole."""

    id: str
    cve: Sequence[str]
    address: str
    title: str
    severity: str
    published: datetime.date
    affected: Sequence[Range]
    fixed: Sequence[Version]
    sources: Sequence[str]
    cvss: float | None = None
    exploited: datetime.date | None = None
    """Since when it is known to be used by attackers."""
    uncertain: Sequence[Range] = ()
    """Releases of which the sources do not say whether they have the hole."""
    closed_by: ClosedBy | None = None
    """Set for a hole that configuration opens and closes: the release alone is not refused for it."""
    note: str = ""

    @property
    def name(self) -> str:
        """Its id and its CVE numbers."""
        others = [number for number in self.cve if number != self.id]
        return f"{self.id} ({', '.join(others)})" if others else self.id

    @property
    def fixed_text(self) -> str:
        """`fixed in 1.0.45 and 1.3.21`."""
        if not self.fixed:
            return "no fixed release is named"
        *first, last = map(str, self.fixed)
        return f"fixed in {', '.join(first)} and {last}" if first else f"fixed in {last}"


@dataclass(frozen=True)
class Unread:
    """An advisory that is named somewhere and could not be read, so that nothing is judged by it."""

    id: str
    address: str
    title: str
    sources: Sequence[str]
    note: str


@dataclass(frozen=True)
class Table:
    """The table of advisories."""

    as_of: datetime.date
    """The day on which the sources were last read."""
    address: str
    """Kestra's own list."""
    advisories: Sequence[Advisory]
    unread: Sequence[Unread]


@dataclass(frozen=True)
class Holes:
    """What the table says of some releases, the worst first."""

    known: tuple[Advisory, ...]
    """Every one of the releases has them."""
    possible: tuple[Advisory, ...] = ()
    """Some of the releases have them, or the sources do not say which."""
    of_configuration: tuple[Advisory, ...] = ()
    """The releases have them where the configuration leaves them open."""


@cache
def table() -> Table:
    """The table of this pack."""
    return read(yaml.safe_load(TABLE.read_text(encoding="utf-8")))


def read(document: Mapping[str, Any]) -> Table:
    """A table from its document.

    Raises:
        ValueError, KeyError, TypeError: for a row that is malformed.
    """
    return Table(
        document["as-of"],
        document["list"],
        tuple(sorted(map(_advisory, document["advisories"]), key=_rank)),
        tuple(Unread(**row) for row in document.get("unread", ())),
    )


def _advisory(row: Mapping[str, Any]) -> Advisory:
    fields = {key.replace("-", "_"): value for key, value in row.items()}
    for key in ("affected", "uncertain"):
        fields[key] = tuple(map(_range, fields.get(key, ())))
    fields["fixed"] = tuple(Version(text) for text in fields["fixed"])
    if "closed_by" in fields:
        fields["closed_by"] = ClosedBy(**fields["closed_by"])
    advisory = Advisory(**fields)
    if advisory.severity not in SEVERITIES:
        raise ValueError(f"{advisory.id}: {advisory.severity} is no severity")
    return advisory


def _range(entry: Mapping[str, str]) -> Range:
    first, before = Version(entry["from"]), Version(entry["before"])
    if first >= before or len(entry) != 2:
        raise ValueError(f"{dict(entry)} is no range")
    return Range(first, before)


def _rank(advisory: Advisory) -> tuple[int, float, str]:
    return -SEVERITIES.index(advisory.severity), -(advisory.cvss or 0), advisory.id


def holes(releases: Releases) -> Holes:
    """The advisories that concern some releases."""
    touched = [
        a
        for a in table().advisories
        if any(r.touches(releases) for r in (*a.affected, *a.uncertain))
    ]
    configurable = tuple(a for a in touched if a.closed_by)
    by_release = [a for a in touched if not a.closed_by]
    known = tuple(a for a in by_release if any(r.holds(releases) for r in a.affected))
    return Holes(known, tuple(a for a in by_release if a not in known), configurable)


def first_without_holes(releases: Releases) -> Version:
    """The first release, of those that fix something, that comes after some releases and has no known hole."""
    fixes = sorted({version for a in table().advisories for version in a.fixed})
    later = [version for version in fixes if version >= releases.first]
    return next((v for v in later if not _concerned(v)), fixes[-1])


def _concerned(version: Version) -> bool:
    matches = holes(Releases(str(version), version))
    return bool(matches.known or matches.possible)
