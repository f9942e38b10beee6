"""The order of versions of each ecosystem, and which versions a record is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import Version as PythonVersion
from semantic_version import Version as SemanticVersion
from univers.maven import Version as MavenVersion

from vulnerabilities.records import Affected, Event


def _semantic(text: str) -> SemanticVersion:
    # What follows a plus is not compared (v2.0.0+incompatible); bounds of records may have one or two numbers.
    return SemanticVersion.coerce(text.removeprefix("v").partition("+")[0])


#: Ecosystem to its order. Pseudo-versions of Go are semantic versions, too.
ORDERS: Mapping[str, Callable[[str], Any]] = {
    "PyPI": PythonVersion,
    "Go": _semantic,
    "npm": _semantic,
    "Maven": MavenVersion,
    "GitHub Actions": _semantic,
    "GIT": _semantic,
}


@dataclass(frozen=True)
class Verdict:
    """That a version is affected."""

    fixed: str | None = None
    """The first version after it that is not, where the record names one."""
    note: str = ""
    """Why it is taken for affected though the record does not say so."""


def judge(affected: Affected, ecosystem: str, version: str) -> Verdict | None:
    """Whether a version is among those that a part of a record is about; None when it is not.

    A bound that is no version of the ecosystem counts as affected: somebody has to look.

    Args:
        affected: the part of the record about the package.
        ecosystem: of `ORDERS`.
        version: the pinned one.

    Raises:
        ValueError: when the pinned version is none of the ecosystem.
    """
    order = ORDERS[ecosystem]
    try:
        own = order(version)
    except ValueError as error:
        raise ValueError(f"{version!r} is no version of {ecosystem}") from error
    verdict = Verdict() if _is_listed(affected.versions, version) else None
    for item in affected.ranges:
        if item.type not in ("SEMVER", "ECOSYSTEM"):
            continue
        try:
            within, fixed = _within(item.events, order, own)
        except ValueError as error:
            verdict = verdict or Verdict(note=f"a bound of the record cannot be compared: {error}")
            continue
        if within:
            return Verdict(fixed)
    return verdict


def _is_listed(versions: Sequence[str], version: str) -> bool:
    bare = version.removeprefix("v")
    return any(listed.removeprefix("v") == bare for listed in versions)


def _within(
    events: Sequence[Event], order: Callable[[str], Any], own: Any
) -> tuple[bool, str | None]:
    """Whether a version is in a range, and the first fixed version after it."""
    fixes: list[str] = []
    # A limit of * is none.
    bounds = [
        (order(text), name, text)
        for event in events
        for name, text in event
        if text not in (None, "0", "*")
    ]
    # Everything before the first bound is in it when the record begins at 0.
    inside = any(event.introduced == "0" for event in events)
    for bound, name, text in sorted(bounds, key=lambda item: item[0]):
        if name == "introduced" and own >= bound:
            inside = True
        elif own > bound if name == "last_affected" else own >= bound:
            inside = False
        elif name == "fixed":
            fixes.append(text)
    return inside, fixes[0] if fixes else None
