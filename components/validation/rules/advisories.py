"""Published holes of the release that runs: the table of the policy pack (`policy/advisories.yaml`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ...policy_tables import (
    Advisory,
    Holes,
    Image,
    Releases,
    first_without_holes,
    holes,
    releases_of,
    undecided_tag,
)
from ...settings.deployment import DEFAULT_TAGS
from ...settings.findings import Finding
from ...settings.model import Settings
from . import endpoints
from .deployment import MOVING_TAGS

_IMAGE = ("deployment", "image")
#: Where Kestra itself publishes its images; another repository needs a copy first.
_PUBLISHED = (
    "kestra/kestra",
    "registry.kestra.io/docker/kestra",
    "registry.kestra.io/docker/kestra-ee",
)
_LIST = "docs/advisories.md lists the published holes of Kestra"


def known_holes(s: Settings) -> Iterator[Finding]:
    """What the table says of the image's tag; where a digest stands beside it, it says which release that is."""
    image = s.deployment.image
    if image.digest and not image.tag:
        yield Finding(
            (*_IMAGE, "digest"),
            "does not say which release of Kestra it is, so known holes are not looked for",
            _LIST,
            f"write the release of the digest beside it (tag: {DEFAULT_TAGS[s.version]}); the digest decides what runs",
            warning=True,
        )
        return
    tag = image.tag or DEFAULT_TAGS[s.version]
    if not Image(image.repository or "kestra/kestra", tag, "").has_release_tag:
        if image.digest or not MOVING_TAGS.fullmatch(tag):
            yield _own_image()
        return
    releases = releases_of(tag)
    if releases is None:
        # A tag that moves is refused where no digest says what runs (checks/deployment.py).
        if image.digest or not MOVING_TAGS.fullmatch(tag):
            yield from _undecided(s, f"{undecided_tag(tag)}, so known holes are not looked for")
        return
    matches = holes(releases)
    for advisory in matches.known:
        yield _hole(s, advisory, releases)
    if matches.possible and not matches.known:
        names = ", ".join(advisory.name for advisory in matches.possible)
        yield from _undecided(s, f"{releases} may have known holes: {names}")
    for advisory in opened(s, matches):
        yield _opened(advisory, releases)


def opened(s: Settings, matches: Holes) -> tuple[Advisory, ...]:
    """The holes that configuration closes, and that these settings leave open."""
    return tuple(
        advisory
        for advisory in matches.of_configuration
        if advisory.closed_by and OPEN[advisory.closed_by.control](s)
    )


def _hole(s: Settings, advisory: Advisory, releases: Releases) -> Finding:
    exploited = ", used by attackers" if advisory.exploited else ""
    return Finding(
        (*_IMAGE, "tag"),
        f"{releases} has a known hole: {advisory.name}, {advisory.severity}{exploited}: {advisory.title}",
        f"{advisory.address}; {advisory.fixed_text}",
        _another_release(s, releases),
        warning=True,
    )


def _opened(advisory: Advisory, releases: Releases) -> Finding:
    assert advisory.closed_by is not None
    loc, fix = CLOSE[advisory.closed_by.control]
    return Finding(
        loc,
        f"leaves a known hole of {releases} open: {advisory.name}, {advisory.severity}: {advisory.title}",
        f"{advisory.address}; {advisory.fixed_text}, closed by {advisory.closed_by.what}",
        fix,
        warning=True,
    )


def _own_image() -> Finding:
    return Finding(
        (*_IMAGE, "tag"),
        "is a tag of an image of your own, so known holes of the Kestra in it are not looked for",
        _LIST,
        "look for the release that the image was built on in that list",
        warning=True,
    )


def _undecided(s: Settings, message: str) -> Iterator[Finding]:
    advice = (
        "write the release beside the digest" if s.deployment.image.digest else "name one release"
    )
    yield Finding(
        (*_IMAGE, "tag"),
        message,
        _LIST,
        f"{advice}, for example tag: {DEFAULT_TAGS[s.version]}",
        warning=True,
    )


def _another_release(s: Settings, releases: Releases) -> str:
    image, default = s.deployment.image, DEFAULT_TAGS[s.version]
    least = first_without_holes(releases)
    later = f"v{least} or later"
    other = f"{default} or another release ({later})"
    if image.digest:
        return f"set kestra:deployment.image.digest and tag to those of {later} ({default} has none of them)"
    if (image.repository or "").removeprefix("docker.io/") in _PUBLISHED:
        return f"set kestra:deployment.image.tag to {other}"
    if image.repository:
        return f"copy the image of {other} to that repository, and set kestra:deployment.image.tag to it"
    return f"leave kestra:deployment.image.tag out ({default} runs then), or set it to {later}"


def _endpoints_open(s: Settings) -> bool:
    """Whether the settings open an endpoint to everybody who reaches the management port."""
    if s.endpoints.all and s.endpoints.all.basic_auth:
        return False
    return any(True for _ in endpoints.opened_without_log_in(s))


#: Control of a row's `closed-by` to whether the settings leave its hole open.
OPEN: Mapping[str, Callable[[Settings], bool]] = {
    "ks-kestra-12": _endpoints_open,
    "ks-kubernetes-06": lambda s: not s.deployment.network_policy.enabled,
}
#: The same to where a person closes it, and how.
CLOSE: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ks-kestra-12": (
        ("endpoints",),
        "set kestra:endpoints.all.basic-auth, or take out what opens the endpoints",
    ),
    "ks-kubernetes-06": (
        ("deployment", "network-policy", "enabled"),
        "set it to true and kestra:deployment.network-policy.egress-cidrs to the networks that Kestra needs",
    ),
}
