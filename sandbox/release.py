"""The release of Kestra that a stack runs, and its published holes, in words."""

from __future__ import annotations

from dataclasses import dataclass

from components.settings import Settings
from components.settings.deployment import DEFAULT_TAGS
from components.validation.rules.advisories import opened
from policy.advisories import Advisory, first_without_holes, holes, table
from policy.releases import releases_of, undecided_tag


@dataclass(frozen=True)
class Release:
    """What is known of a release."""

    words: str
    is_clean: bool | None
    """Whether it has no known hole; None: undecided."""
    holes: tuple[Advisory, ...] = ()
    """Its known holes, the worst first."""
    remedy: str = ""


def release(settings: Settings) -> Release:
    """The release that the settings name: by the image's tag, also where a digest stands beside it."""
    image, default = settings.deployment.image, DEFAULT_TAGS[settings.version]
    if image.digest and not image.tag:
        words = "a digest alone does not say which; known holes are not looked for"
        return Release(words, None)
    tag = image.tag or default
    releases = releases_of(tag)
    if releases is None:
        return Release(f"{undecided_tag(tag)}; known holes are not looked for", None)
    named = f"{releases}, by the tag beside the digest" if image.digest else str(releases)
    matches = holes(releases)
    left_open = opened(settings, matches)
    if matches.known:
        worst, count = matches.known[0], len(matches.known)
        words = f"{named}: {count} known hole{'s' if count > 1 else ''}, the worst {worst.name}, {worst.severity}"
        remedy = f"Run v{first_without_holes(releases)} or later ({default} has none); docs/advisories.md has all."
        return Release(words, False, (*matches.known, *left_open), remedy)
    if matches.possible:
        return Release(f"{named}: may have known holes; name one release", None)
    if left_open:
        names = ", ".join(advisory.name for advisory in left_open)
        remedy = "The warnings of the settings say what closes them; docs/advisories.md has all."
        return Release(f"{named}: the settings leave open {names}", False, left_open, remedy)
    closed = len(matches.of_configuration)
    but = f", {closed} closed by the configuration" if closed else ""
    return Release(f"{named}: no open hole of {len(table().advisories)} known ones{but}", True)
