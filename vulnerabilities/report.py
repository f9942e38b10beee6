"""What the command prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from vulnerabilities.accepted import Triage
from vulnerabilities.findings import SEVERITIES, Finding, Result
from vulnerabilities.pins import Pin
from vulnerabilities.records import Database

#: Faults that are printed one by one.
_FAULTS = 20


def lines(
    triage: Triage, result: Result, database: Database, pins: Collection[Pin]
) -> Iterator[str]:
    """The findings, the worst first, with what else asks for an answer, and a summary.

    Texts of records are others': nothing of them moves a terminal's cursor or begins a line.
    """
    for line in _lines(triage, result, database, pins):
        yield "".join(filter(str.isprintable, line))


def _lines(
    triage: Triage, result: Result, database: Database, pins: Collection[Pin]
) -> Iterator[str]:
    for finding in triage.open:
        yield from _finding(finding)
    for finding, entry in triage.accepted:
        yield f"Accepted until {entry.until}: {finding.ids[0]} of {finding.name} {finding.version}: {entry.reason}"
    for entry in triage.expired:
        yield (
            f"Error: vulnerabilities/accepted.yaml: {entry.id} of {entry.package} was accepted until"
            f" {entry.until}. Look again: remove the entry, or give it a new reason and day."
        )
    for entry in triage.unused:
        yield (
            f"vulnerabilities/accepted.yaml: {entry.id} of {entry.package} is no finding any more:"
            " remove the entry."
        )
    for number in result.without_row:
        yield (
            f"Error: policy/advisories.yaml has no row for Kestra's {number}"
            f" (https://osv.dev/vulnerability/{number}); docs/advisories.md says how to add one."
        )
    for fault in result.faults[:_FAULTS]:
        yield f"Error: {fault}"
    if len(result.faults) > _FAULTS:
        yield f"Error: and {len(result.faults) - _FAULTS} more"
    yield _summary(triage, database, pins)


def _finding(finding: Finding) -> Iterator[str]:
    first, *others = finding.ids
    aliases = f" ({', '.join(others)})" if others else ""
    fixed = (
        f"fixed in {' or '.join(finding.fixed)}" if finding.fixed else "no fixed version is named"
    )
    yield f"{finding.severity}: {finding.name} {finding.version} ({finding.ecosystem}): {first}{aliases}"
    # A line of a workflow's log that begins with another's words could be a command to it.
    yield f"  {fixed}; {finding.summary or 'without a summary'}"
    for note in finding.notes:
        yield f"  {note}"
    for place in finding.places:
        yield f"  {place}"
    yield f"  https://osv.dev/vulnerability/{first}"


def _summary(triage: Triage, database: Database, pins: Collection[Pin]) -> str:
    by_severity = Counter(finding.severity for finding in triage.open)
    parts = [f"{by_severity[word]} {word}" for word in SEVERITIES if by_severity[word]]
    severities = f" ({', '.join(parts)})" if parts else ""
    versions = len({(*pin.keys[0], pin.version) for pin in pins})
    records = ", ".join(f"{count} of {name}" for name, count in sorted(database.counts.items()))
    files = len({pin.file for pin in pins})
    newest = f", the last changed on {database.newest:%Y-%m-%d}" if database.newest else ""
    return (
        f"{len(triage.open) or 'No'} known vulnerabilities{severities} of {versions} versions"
        f" in {files} files; judged by {sum(database.counts.values())} records ({records or 'none'}){newest}."
    )
