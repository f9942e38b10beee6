"""Which pins a database knows vulnerabilities of: one finding for all records of the same vulnerability."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

from policy import advisories
from policy.releases import releases_of
from vulnerabilities.pins import KESTRA, REPOSITORIES, Pin, package_key
from vulnerabilities.records import Affected, Database, Record
from vulnerabilities.versions import judge

SEVERITIES = ("critical", "high", "medium", "low", "unknown")
_SCORES = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
_KESTRA_KEYS = {KESTRA, package_key("GIT", REPOSITORIES[KESTRA])}

Version = tuple[str, str, str]
"""Ecosystem, package and version."""


@dataclass(frozen=True)
class Match:
    """What one record says of a version."""

    ids: frozenset[str]
    """The record's own and its aliases."""
    severity: str
    summary: str = ""
    fixed: str = ""
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """A vulnerability of a pinned version."""

    ecosystem: str
    name: str
    """The package's."""
    version: str
    ids: tuple[str, ...]
    """Every number that it has, the advisory's first."""
    severity: str
    """One of `SEVERITIES`: the worst that a record gives."""
    summary: str
    fixed: tuple[str, ...]
    """The first fixed version after the pinned one, as the records name it."""
    notes: tuple[str, ...]
    places: tuple[str, ...]
    """File and line of each pin of that version."""


@dataclass(frozen=True)
class Result:
    """What a database says of pins."""

    findings: Sequence[Finding]
    """The worst first."""
    without_row: Sequence[str]
    """Kestra's advisories that the policy pack's table lacks."""
    faults: Sequence[str]
    """Why not everything could be judged."""


def search(database: Database, pins: Iterable[Pin]) -> Result:
    """Judges pins by every record, and Kestra's releases by the policy pack's table too."""
    places: dict[Version, list[str]] = defaultdict(list)
    versions: dict[tuple[str, str], set[Version]] = defaultdict(set)
    for pin in pins:
        version = (*pin.keys[0], pin.version)
        places[version].append(pin.place)
        for key in pin.keys:
            versions[key].add(version)
    matches: dict[Version, list[Match]] = defaultdict(list)
    of_kestra: list[Record] = []
    faults: list[str] = []
    for record in database.records():
        if record.withdrawn:
            continue
        for key, affected in _packages(record):
            if key in _KESTRA_KEYS:
                of_kestra.append(record)
            for version in versions.get(key, ()):
                try:
                    match = _match(record, affected, key[0], version[2])
                except ValueError as error:
                    faults.append(f"{places[version][0]}: {error}")
                    continue
                matches[version] += [match] if match else []
    for version in versions.get(KESTRA, ()):
        matches[version] += _by_table(version[2])
    faults += [
        f"The database has no records of {ecosystem}, so that nothing of it was judged."
        for ecosystem in sorted({key[0] for key in versions} - set(database.counts))
    ]
    findings = [
        _finding(version, group, places[version])
        for version, all_matches in matches.items()
        for group in _same(all_matches)
    ]
    findings.sort(key=lambda f: (SEVERITIES.index(f.severity), f.name, f.version, f.ids))
    return Result(findings, _without_row(of_kestra), [*database.faults, *dict.fromkeys(faults)])


def _packages(record: Record) -> Iterator[tuple[tuple[str, str], Affected]]:
    """What a record is about: packages, and repositories where it names no package."""
    for affected in record.affected:
        if affected.package:
            yield package_key(affected.package.ecosystem, affected.package.name), affected
        else:
            for repository in {r.repo for r in affected.ranges if r.repo}:
                yield package_key("GIT", repository), affected


def _match(record: Record, affected: Affected, ecosystem: str, version: str) -> Match | None:
    verdict = judge(affected, ecosystem, version)
    if verdict is None:
        return None
    return Match(
        frozenset((record.id, *record.aliases)),
        _severity(record, affected),
        record.summary or "",
        verdict.fixed or "",
        verdict.note,
    )


def _severity(record: Record, affected: Affected) -> str:
    """The word of the record's source, or the one of its highest score."""
    for specific in (record.database_specific, affected.database_specific):
        word = str((specific or {}).get("severity", "")).lower().replace("moderate", "medium")
        if word in SEVERITIES:
            return word
    words = []
    for score in (*record.severity, *affected.severity):
        if kind := _SCORES.get(score.type):
            try:
                words.append(str(kind(score.score).severities()[0]).lower())
            except CVSSError:
                continue
    return _worst(words)


def _worst(words: Iterable[str]) -> str:
    return min((w for w in words if w in SEVERITIES), key=SEVERITIES.index, default="unknown")


def _by_table(release: str) -> list[Match]:
    """What the policy pack's table says of a release; holes that the configuration closes are not the release's."""
    releases = releases_of(release)
    if releases is None:
        raise AssertionError(f"{release} is a pinned release of Kestra")
    holes = advisories.holes(releases)
    return [
        Match(
            frozenset((a.id, *a.cve)),
            a.severity,
            a.title,
            next((str(v) for v in sorted(a.fixed) if v > releases.first), ""),
            "" if a in holes.known else "the sources do not say whether this release has it",
        )
        for a in (*holes.known, *holes.possible)
    ]


def _same(matches: Iterable[Match]) -> list[list[Match]]:
    """Matches in groups that share a number, directly or through another one."""
    groups: list[tuple[set[str], list[Match]]] = []
    for match in matches:
        ids, group = set(match.ids), [match]
        for other in [g for g in groups if g[0] & ids]:
            groups.remove(other)
            ids |= other[0]
            group = other[1] + group
        groups.append((ids, group))
    return [group for _, group in groups]


def _finding(version: Version, matches: Sequence[Match], places: Iterable[str]) -> Finding:
    ids = sorted({i for m in matches for i in m.ids}, key=lambda i: (not i.startswith("GHSA"), i))
    return Finding(
        *version,
        tuple(ids),
        _worst(m.severity for m in matches),
        next((m.summary for m in matches if m.summary), ""),
        tuple(sorted({m.fixed for m in matches if m.fixed})),
        tuple(sorted({m.note for m in matches if m.note})),
        tuple(sorted(set(places))),
    )


def _without_row(records: Iterable[Record]) -> list[str]:
    """Ids of records about Kestra that share no number with the rows of the policy pack's table."""
    table = advisories.table()
    rows = {i for a in table.advisories for i in (a.id, *a.cve)} | {u.id for u in table.unread}
    return sorted({r.id for r in records if not rows & {r.id, *r.aliases}})
