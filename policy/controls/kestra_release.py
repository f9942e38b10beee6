"""Kestra: the release that its pods, or those of its chart, run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..advisories import Holes, first_without_holes, holes
from ..core.model import Context, Finding, Problem, Resource, control
from ..core.values import OutOfView, Undecided, check_each, get_path
from ..pods import WORKLOADS, Container, containers
from ..releases import Image, Releases, releases_of, undecided_tag
from ..task_definitions import TASK_DEFINITION, task_containers
from .kestra_containers import serves
from .kestra_servers import HELM, chart_values

_MOST = 3
"""Advisories that a message names; a release of long ago has many."""
_UNNAMED = "an image built on Kestra does not say on which release"


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
    types=(*WORKLOADS, *HELM, TASK_DEFINITION),
)
def known_holes(resource: Resource, context: Context) -> Iterator[Finding]:
    if resource.type in HELM:
        yield from _of_chart(resource, context)
        return
    references_seen: set[str] = set()

    def judge(container: Container) -> Iterator[Finding]:
        reference = str(container.get_path("image") or "")
        image = Image.of(reference)
        where = f"{container.path}.image"
        if reference in references_seen:
            return
        references_seen.add(reference)
        if not (image.is_kestra or image.is_derived):
            if serves(container):
                raise Undecided(f"{where} ({_UNNAMED})")
            return
        yield from _judge(image, f"container {container.name}", where, context)

    is_task = resource.type == TASK_DEFINITION
    every = [c for c, _ in task_containers(resource)] if is_task else containers(resource)
    yield from check_each(every, judge)


def _of_chart(release: Resource, context: Context) -> Iterator[Finding]:
    """What Kestra's chart runs. Raises Undecided."""
    chosen = chart_values(release)
    if chosen is None:
        return
    root, values = chosen
    where, tag = f"{root}.image.tag", get_path(values, "image.tag")
    if tag is None or tag == "":
        raise OutOfView(f"{where} (the release is the chart's default)")
    repository = get_path(values, "image.repository") or "kestra/kestra"
    yield from _judge(Image.of(f"{repository}:{tag}"), "the chart", where, context)


def _judge(image: Image, whose: str, where: str, context: Context) -> Iterator[Finding]:
    """What the table says of an image. Raises Undecided where it may be said of it, or nobody knows."""
    releases = _releases(image, where, context.releases)
    matches = holes(releases)
    if matches.known:
        yield Problem(
            f"{whose} runs {releases}, which has {_named(matches)}",
            f"a release without them, v{first_without_holes(releases)} or later",
            where,
        )
    elif matches.possible:
        raise Undecided(f"{where} ({releases} may have known holes)")


def _releases(image: Image, where: str, named: Mapping[str, str]) -> Releases:
    """The releases that an image may be. Raises Undecided where nothing says it."""
    if image.is_derived:
        raise Undecided(f"{where} ({_UNNAMED})")
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
