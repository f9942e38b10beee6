"""docs/advisories.md, from the table of advisories."""

from __future__ import annotations

from collections.abc import Iterable

from docsgen.templates import render
from policy.advisories import Advisory, Range, table


def page() -> str:
    """The page as Markdown."""
    known = table()
    return render(
        "advisories.md.jinja",
        known=known,
        as_of=known.as_of,
        count=len(known.advisories),
        list=known.address,
        row=_row,
        links=_links,
    )


def _row(advisory: Advisory) -> str:
    score = f" ({advisory.cvss})" if advisory.cvss else ""
    used = f"; used by attackers since {advisory.exploited}" if advisory.exploited else ""
    affected = ", ".join(map(_range, advisory.affected))
    if advisory.uncertain:
        affected += f"; not certain: {', '.join(map(_range, advisory.uncertain))}"
    fixed = ", ".join(map(str, advisory.fixed)) or "not named"
    name = f"[{advisory.id}]({advisory.address})"
    others = "".join(f"<br>{number}" for number in advisory.cve if number != advisory.id)
    return f"| {name}{others} | {advisory.severity}{score}{used} | {advisory.title} | {affected} | {fixed} |"


def _range(releases: Range) -> str:
    return (
        f"before {releases.before}"
        if str(releases.first) == "0"
        else f"{releases.first} to before {releases.before}"
    )


def _links(addresses: Iterable[str]) -> str:
    return ", ".join(f"<{address}>" for address in addresses)
