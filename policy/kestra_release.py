"""Kestra: the release that its pods run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy.advisories import Holes, first_without_holes, holes
from policy.model import Context, Finding, Problem, Resource, control
from policy.pods import WORKLOADS, Container, containers
from policy.releases import Image, Releases, releases_of, undecided_tag
from policy.values import Undecided, per

_MOST = 3
"""Advisories that a message names; a release of long ago has many."""


@control(
    "ks-kestra-20",
    "The release of Kestra has no known hole",
    "critical",
    risk="What is published about a hole is what an attacker needs; some let anybody run code.",
    steps=(
        "Run a release without known holes (docs/advisories.md), by its tag or by its digest.",
        "A digest alone does not say which release it is: name the tag beside it (name:tag@sha256:…), or"
        " its release in imageReleases.",
    ),
    setting="kestra:deployment.image.tag (the default has none)",
    types=WORKLOADS,
)
def known_holes(workload: Resource, context: Context) -> Iterator[Finding]:
    judged: set[str] = set()

    def judge(container: Container) -> Iterator[Finding]:
        reference = str(container.at("image") or "")
        image = Image.of(reference)
        if reference in judged or not (image.is_kestra or image.is_derived):
            return
        judged.add(reference)
        releases = _releases(image, container, context.releases)
        matches = holes(releases)
        if matches.known:
            yield Problem(
                f"container {container.name} runs {releases}, which has {_named(matches)}",
                f"a release without them, v{first_without_holes(releases)} or later",
                f"{container.path}.image",
            )
        elif matches.possible:
            raise Undecided(f"{container.path}.image ({releases} may have known holes)")

    yield from per(containers(workload), judge)


def _releases(image: Image, container: Container, named: Mapping[str, str]) -> Releases:
    """The releases that a container may run. Raises Undecided where nothing says it."""
    where = f"{container.path}.image"
    if image.is_derived:
        raise Undecided(f"{where} (an image built on Kestra does not say on which release)")
    releases = releases_of(image.tag) or releases_of(named.get(image.digest, ""))
    if releases is not None:
        return releases
    if image.digest and not image.tag:
        raise Undecided(f"{where} (a digest alone does not say which release it is)")
    raise Undecided(f"{where} ({undecided_tag(image.tag)})")


def _named(matches: Holes) -> str:
    """`9 known holes: GHSA-… (critical), … and 6 more`."""
    names = [f"{advisory.name}, {advisory.severity}" for advisory in matches.known[:_MOST]]
    more = len(matches.known) - len(names)
    count = f"{len(matches.known)} known hole{'s' if len(matches.known) > 1 else ''}"
    return f"{count}: {'; '.join(names)}{f'; and {more} more' if more else ''}"
