"""Findings that somebody looked at and accepted until a day (accepted.yaml)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vulnerabilities.findings import Finding

FILE = Path(__file__).with_name("accepted.yaml")


class AcceptedError(Exception):
    """The list of accepted vulnerabilities cannot be read."""


class AcceptedRisk(BaseModel):
    """A vulnerability that is accepted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: str = Field(min_length=1)
    """Any of the finding's numbers."""
    package: str = Field(min_length=1)
    """The package's name as findings print it."""
    reason: str = Field(min_length=20)
    """Why it does not matter here, or what it waits for."""
    until: datetime.date
    """The last day on which it counts."""


@dataclass(frozen=True)
class Triage:
    """Findings, with and without the accepted ones."""

    open: Sequence[Finding]
    accepted: Sequence[tuple[Finding, AcceptedRisk]]
    expired: Sequence[AcceptedRisk]
    """These fail, whether a finding is left or not: somebody has to look again."""
    unused: Sequence[AcceptedRisk]
    """No finding has these any more."""


def read(text: str) -> list[AcceptedRisk]:
    """The entries of a document.

    Raises:
        AcceptedError: with every fault of it.
    """
    try:
        rows = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise AcceptedError(f"no YAML: {error}") from error
    if not isinstance(rows, list):
        raise AcceptedError("a list of entries is expected ([] for none)")
    entries, faults = [], []
    for number, row in enumerate(rows, 1):
        try:
            entries.append(AcceptedRisk.model_validate(row))
        except ValidationError as error:
            faults += [
                f"entry {number}: {'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}"
                for fault in error.errors(include_url=False)
            ]
    if faults:
        raise AcceptedError("\n".join(faults))
    return entries


def triage(
    findings: Iterable[Finding], entries: Sequence[AcceptedRisk], today: datetime.date
) -> Triage:
    """Separates the findings that an entry accepts, where its day has not passed.

    Args:
        findings: all of them.
        entries: all of them.
        today: the day that they are compared with.
    """
    valid = [e for e in entries if e.until >= today]
    open_, accepted = [], []
    for finding in findings:
        entry = next((e for e in valid if e.id in finding.ids and e.package == finding.name), None)
        if entry:
            accepted.append((finding, entry))
        else:
            open_.append(finding)
    used = {id(entry) for _, entry in accepted}
    unused = [e for e in valid if id(e) not in used]
    return Triage(open_, accepted, [e for e in entries if e not in valid], unused)
