"""`python -m policy.advisory_page`: writes docs/advisories.md from the table of advisories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from policy.advisories import Advisory, Range, table

TARGET = Path(__file__).parents[1] / "docs" / "advisories.md"

_INTRODUCTION = """# Known holes of Kestra

Written from `policy/advisories.yaml` by `python -m policy.advisory_page`; do not edit.

The table of Kestra's published security advisories: which releases have a hole, how bad it is, and which release has
the fix. **As of {as_of}.** It has {count} advisories, each with its address and with the sources of its row, from
[Kestra's own list]({list}) and from the public records of its entries.

## Who reads it

| Who | What it says |
|---|---|
| `python -m components check`, and every `pulumi preview` and `up` | a warning for each known hole of the release that the settings name, or that runs by default: id, severity, address, fixed releases, and what to run instead |
| the policy pack, [ks-kestra-20](policies.md#ks-kestra-20) | a violation for a container, or values of the official chart, that run such a release: mandatory in staging and production, advice in development |
| `python -m sandbox doctor` | the release and its holes; that the table is more than 90 days old |
| `python -m sandbox report` | the release, and its holes with their addresses |

## Which release an image is

- **A tag** (`v1.3.5`, `1.3.5`, `v1.3.5-no-plugins`, `v2.0.0-rc6`) is one release, in whatever registry or mirror. What
  follows the number (`-no-plugins`, `-debian12`, `-2`) is the same release; a snapshot comes before its release.
- **A tag and a digest** (`v1.3.5@sha256:…`) is judged by the tag. The settings can name both:
  `kestra:deployment.image.tag` beside `digest`. The digest decides what runs, and the rendered image has the digest
  alone; the pack finds the tag beside it in the stack's configuration.
- **A digest alone** says nothing about the release. That is reported as undecided, and never taken for good. Write the tag
  beside it, or give the pack `imageReleases` ([policies.md](policies.md#configuration)).
- **A line** (`v1.3`, `v1`) is decided where all of its releases are alike, and undecided otherwise.
- **A tag that moves or names no release** (`latest`, `develop`, `build-77`) is undecided, and so is an image that was
  built on Kestra's under another name (`kestra-with-plugins`).

Both editions are judged by the same rows. The records speak of the open-source edition, which the Enterprise Edition
contains; where an advisory concerns code that only one of them runs is not certain.

## What is not refused by its release

Some holes are opened and closed by the configuration, and the later release only has other defaults. They are
warned of where the settings leave them open, and the pack judges the configuration, not the release.

"""

_UPKEEP = """
## How it is kept current

Whoever maintains this project does so before each release of it and at least once a month; `doctor` says when more
than 90 days have passed. Users get the table with a release of this project, or edit their copy in the same way.

1. Read [Kestra's list]({list}), the entries of `kestra-io/kestra` in the [OSV database](https://osv.dev/list?q=kestra)
   and Kestra in [CISA's catalog](https://www.cisa.gov/known-exploited-vulnerabilities-catalog?search_api_fulltext=kestra).
2. Put a row into `policy/advisories.yaml` for each advisory that is new, with the ranges in the words of its record and
   with every address that was read. What no source says is left out, and `note` says so.
3. Move an entry of `unread` to the rows when its text can be read.
4. Set `as-of`, run `python -m policy.advisory_page` and
   `python -m pytest tests/policy/test_advisories.py tests/settings/test_advisories.py`.
5. When the test of the default releases fails, raise `DEFAULT_TAGS` in `components/settings/deployment.py`.

Everything here was collected on {as_of} from stored copies of these sources, since Kestra's list itself could not be
opened: advisories that stand only there may be missing.

## What it is not

It is no scan of images. What is in an image besides Kestra (its operating system, Java, plugins, libraries) has
advisories of its own, and a scanner such as Trivy or Grype in the registry or the pipeline finds them by the image's
content. The table knows Kestra's own advisories, by the number of the release.
"""


def page() -> str:
    """The page as Markdown."""
    known = table()
    values = {"as_of": str(known.as_of), "count": str(len(known.advisories)), "list": known.address}
    configurable = [a for a in known.advisories if a.closed_by]
    return "".join(
        (
            _INTRODUCTION.format(**values),
            "| Advisory | Closed by | Setting | Judged by |\n|---|---|---|---|\n",
            *(_configurable(a) for a in configurable),
            "\n## The table\n\n",
            "| Advisory | Severity | What | Affected | Fixed in |\n|---|---|---|---|---|\n",
            *(_row(a) for a in known.advisories),
            "\n## What is not certain, and where each row comes from\n\n",
            *(line for a in known.advisories for line in _sources(a)),
            "\n## Named, but not read\n\n",
            "Nothing is judged by these: only their addresses and what pull requests of Kestra say of them are known.\n\n",
            *(
                f"- [{u.id}]({u.address}): {u.title}. {u.note} ({_links(u.sources)})\n"
                for u in known.unread
            ),
            _UPKEEP.format(**values),
        )
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
    return f"| {name}{others} | {advisory.severity}{score}{used} | {advisory.title} | {affected} | {fixed} |\n"


def _range(releases: Range) -> str:
    return (
        f"before {releases.before}"
        if str(releases.first) == "0"
        else f"{releases.first} to before {releases.before}"
    )


def _configurable(advisory: Advisory) -> str:
    assert advisory.closed_by is not None
    closed = advisory.closed_by
    link = f"[{closed.control}](policies.md#{closed.control})"
    return f"| {advisory.name} | {closed.what} | {closed.settings} | {link} |\n"


def _sources(advisory: Advisory) -> Iterator[str]:
    note = f" {advisory.note}" if advisory.note else ""
    yield f"- {advisory.name}, published {advisory.published}.{note} Sources: {_links(advisory.sources)}.\n"


def _links(addresses: Iterable[str]) -> str:
    return ", ".join(f"<{address}>" for address in addresses)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
