"""What changed between two surfaces, and what CHANGELOG.md and docs/upgrade.md lack of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from releasing import changelog
from releasing.surface import KINDS, Surface

Names = Mapping[str, Mapping[str, str]]

_COMPONENTS = re.compile(r"^deployment\.(components\.[a-z]+|worker-groups\.<name>)\.")


@dataclass(frozen=True)
class Change:
    """One name that is new, gone, or of which something else is said."""

    name: str
    """As users write it."""
    line: str
    """For the changelog."""
    accepted: frozenset[str]
    """A changelog that names one of these names the change."""
    is_breaking: bool
    """Whether users of the old release may have to act: the line itself is asked for, and an upgrade note."""


def changes(before: Surface, after: Surface) -> list[Change]:
    """All changes of what users rely on.

    Args:
        before: of a release.
        after: of a later one, or of now.
    """
    return [
        change
        for kind in KINDS
        for change in _of_kind(kind, before.get(kind, {}), after.get(kind, {}))
    ]


def _of_kind(kind: str, before: Names, after: Names) -> Iterator[Change]:
    about = KINDS[kind]
    for name, old in before.items():
        whole = _COMPONENTS.sub("deployment.", name)
        if whole != name and _is_same(before, after, name, whole):
            continue  # What every kind of pod has is one setting.
        label = f"`{about.prefix}{name}`"
        if name not in after:
            yield _change(kind, name, f"The {about.noun} {label} is removed.", is_breaking=True)
            continue
        for aspect, value in old.items():
            new = after[name].get(aspect, "")
            if new != value:
                line = f"The {aspect} of the {about.noun} {label} is {_quoted(new)}, before {_quoted(value)}."
                others = {
                    end for one in after if one != name for end in _ends(one, about.separator)
                }
                own = set(_ends(name, about.separator)) - others
                yield _change(kind, name, line, own, is_breaking=not _is_wider(aspect, value, new))
    if about.is_announced:
        yield from _added(kind, before, after)


def _is_same(before: Names, after: Names, name: str, other: str) -> bool:
    """Whether the same changed of two names."""
    return (before[name], after.get(name)) == (before.get(other), after.get(other))


def _added(kind: str, before: Names, after: Names) -> Iterator[Change]:
    about, new = KINDS[kind], [name for name in after if name not in before]
    blocks = {block for name in before for block in _beginnings(name, about.separator)}
    ends = {end for name in before for end in _ends(name, about.separator)}
    seen = set()
    for name in new:
        above = [one for one in _beginnings(name, about.separator) if one not in blocks]
        # The highest new block is what a changelog names; what every kind of pod has is one setting.
        top = _COMPONENTS.sub("deployment.", above[0])
        if top in blocks:
            top = above[0]
        if top not in seen:
            seen.add(top)
            also = {end for block in above for end in _ends(block, about.separator)} - ends
            yield _change(kind, top, f"New {about.noun}: `{about.prefix}{top}`.", also)


def _beginnings(name: str, separator: str) -> list[str]:
    parts = name.split(separator)
    return [separator.join(parts[:at]) for at in range(1, len(parts) + 1)]


def _ends(name: str, separator: str) -> list[str]:
    parts = name.split(separator)
    return [separator.join(parts[at:]) for at in range(len(parts))]


def _change(
    kind: str, name: str, line: str, also: Iterable[str] = (), *, is_breaking: bool = False
) -> Change:
    written = f"{KINDS[kind].prefix}{name}"
    accepted = {changelog.normalized(one) for one in {name, written, *also}}
    return Change(written, line, frozenset(accepted), is_breaking)


def _quoted(value: str) -> str:
    return f"`{value}`" if value else "not set"


def _is_wider(aspect: str, before: str, after: str) -> bool:
    """Whether everything that was valid is valid still, and means the same."""
    if aspect == "default":
        return before == "required"
    if aspect in ("first version", "last version"):
        return after == "" or (before != "" and (after < before) == (aspect == "first version"))
    if aspect != "type":
        return False
    if " | " in before or " | " in after:
        return set(before.split(" | ")) <= set(after.split(" | "))
    return after == f"{before} or secret" or after == before.replace("map", "map of text or secret")


def missing_notes(
    before: Surface, after: Surface, notes: str, upgrades: str
) -> tuple[list[str], list[str]]:
    """The lines that a changelog lacks, and those that the upgrade notes lack.

    Args:
        before: the surface of a release.
        after: that of now.
        notes: what the changelog says of everything after that release (`changelog.since`).
        upgrades: what docs/upgrade.md says to users of that release (`changelog.upgrade_notes`).
    """
    named, explained = changelog.names_in(notes), changelog.names_in(upgrades)
    lines, explanations = [], []
    for change in changes(before, after):
        is_named = change.line in notes if change.is_breaking else change.accepted & named
        if not is_named:
            lines.append(change.line)
        if change.is_breaking and not change.accepted & explained:
            explanations.append(f"`{change.name}`: what to do. ({change.line})")
    return lines, explanations


def report(version: str, lines: list[str], explanations: list[str]) -> str:
    """What to write and where; empty when nothing is missing."""
    parts = []
    if lines:
        parts.append(
            f"{changelog.FILE} does not say what changed since {version}. Add under {changelog.UNRELEASED}, in words of "
            "yours where the line begins with New:\n" + "\n".join(f"- {line}" for line in lines)
        )
    if explanations:
        parts.append(
            f"{changelog.UPGRADE_FILE} does not say what users of {version} do about it. Add under "
            f"`### From {version}`:\n" + "\n".join(f"- {line}" for line in explanations)
        )
    return "\n".join(parts)
