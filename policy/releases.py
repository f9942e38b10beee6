"""Which release of Kestra an image is, as far as its reference says. Nothing here needs Pulumi."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.version import Version

#: Last part of the repositories of Kestra's images, whatever the registry or its mirror.
_IMAGE = re.compile(r"kestra(-ee|-oss|-enterprise)?")
#: A repository of an image that somebody built on Kestra's.
_DERIVED = re.compile(r"(^|[-_.])kestra([-_.]|$)")
_MOVING = re.compile(
    r"(latest|develop|edge|main|master|stable|nightly|lts)([-_.].*)?", re.IGNORECASE
)
#: `v1.3.5`, `1.3`, `v2.0.0-rc6`, `1.3.5-SNAPSHOT`, each with a flavour (`-no-plugins`, `-debian12`, `-2`) or none.
_TAG = re.compile(
    r"v?(?P<numbers>\d{1,2}(\.\d{1,5}){0,3})"
    r"([-_.]?(?P<kind>rc|alpha|beta)[-_.]?(?P<number>\d{0,4}))?"
    r"(?P<flavour>([-_.][A-Za-z0-9_.-]*)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Releases:
    """The releases that a tag can mean: one, or all of a line (`v1.3`)."""

    name: str
    """In the form of Kestra's tags, from the number alone, without other text of the tag."""
    first: Version
    end: Version | None = None
    """The first version after the line; None: `first` is the one release."""

    def __str__(self) -> str:
        return self.name if self.end is None else f"{self.name} (any release of that line)"


@dataclass(frozen=True)
class Image:
    """An image's reference, taken apart."""

    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, reference: str) -> Image:
        """The parts of `registry/repository:tag@digest`; what is missing is empty."""
        name, _, digest = reference.partition("@")
        head, slash, tail = name.rpartition("/")
        last, _, tag = tail.partition(":")
        return cls(f"{head}{slash}{last}", tag, digest)

    @property
    def is_kestra(self) -> bool:
        """Whether the repository is that of one of Kestra's images, or a mirror of it."""
        return _IMAGE.fullmatch(self.last) is not None

    @property
    def is_derived(self) -> bool:
        """Whether the repository's name says that the image was built on Kestra's."""
        return not self.is_kestra and _DERIVED.search(self.last) is not None

    @property
    def has_release_tag(self) -> bool:
        """Whether the tag is one of Kestra's releases, and not the number of an image of somebody's own."""
        return self.is_kestra or (self.is_derived and self.tag.startswith("v"))

    @property
    def last(self) -> str:
        """The last part of the repository: `kestra` of `registry.example.com:5000/kestra/kestra`."""
        return self.repository.rpartition("/")[2]


def releases_of(tag: str) -> Releases | None:
    """The releases that a tag can mean; None where it names none (`latest`, `build-77`).

    A flavour (`-no-plugins`) is the same release. A snapshot comes before its release.
    """
    if _MOVING.fullmatch(tag):
        return None
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    numbers = [int(n) for n in match["numbers"].split(".")]
    name, kind = f"v{'.'.join(map(str, numbers))}", (match["kind"] or "").lower()
    if not kind and len(numbers) < 3:
        return Releases(name, _version(numbers), _version([*numbers[:-1], numbers[-1] + 1]))
    text = str(_version(numbers))
    if kind:
        name, text = f"{name}-{kind}{match['number']}", f"{text}{kind}{match['number'] or 0}"
    if "snapshot" in match["flavour"].lower():
        name, text = f"{name}-SNAPSHOT", f"{text}.dev0"
    return Releases(name, Version(text))


def _version(numbers: list[int]) -> Version:
    return Version(".".join(map(str, numbers + [0] * (3 - len(numbers)))))


def undecided_tag(tag: str) -> str:
    """Why a tag does not say which release it is; without the tag's own words."""
    if _MOVING.fullmatch(tag or "latest"):
        return "its tag moves from release to release"
    return "its tag does not say which release of Kestra it is"


def configured_releases(config: Mapping[str, str]) -> Mapping[str, str]:
    """Digest to tag, where a stack's own settings name both (`kestra:deployment.image`).

    Args:
        config: the stack's configuration, key to text.
    """
    try:
        image = json.loads(config.get("kestra:deployment", "{}"))["image"]
        return {str(image["digest"]): str(image["tag"])}
    except (ValueError, KeyError, TypeError):
        return {}
