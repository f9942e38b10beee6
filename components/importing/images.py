"""A container image as settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..policy_tables import Image, releases_of
from .installation import Origin

if TYPE_CHECKING:
    from .assembly import Assembly

_REPOSITORY = re.compile(
    r"([a-z0-9][a-z0-9.-]*(:[0-9]+)?/)?[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_UNRESOLVED = re.compile(r"\$\{?\s*([A-Za-z_][\w.]*)|\{\{\s*([\w.]+)")
#: Kestra's own image of the open-source edition.
_OPEN_SOURCE = re.compile(r"((docker\.io|index\.docker\.io|ghcr\.io)/)?(kestra|kestra-io)/kestra")


def is_kestra(reference: str) -> bool:
    """Whether an image is one of Kestra's, a mirror of it, or built on it by its name."""
    image = Image.of(re.sub(r"\$\{[^}]*\}", "", reference).strip())
    return image.is_kestra or image.is_derived


def image_settings(reference: str, origin: Origin, assembly: Assembly) -> None:
    """Adds repository, tag, digest, version and edition of an image to the settings."""
    image = Image.of(_split_safe(reference.strip()))
    repository, tag, digest = (
        _restore(part) for part in (image.repository, image.tag, image.digest)
    )
    if _unresolved(repository):
        _note_unresolved(assembly, "the repository of the image", repository, origin)
    elif _REPOSITORY.fullmatch(repository):
        assembly.add_setting("deployment.image.repository", repository, origin)
    if _unresolved(tag) or _unresolved(digest):
        _note_unresolved(assembly, "the tag of the image", f"{tag} {digest}", origin)
        tag = ""
    elif not tag and not digest:
        # What Docker takes where the reference has no tag.
        tag = "latest"
    if _DIGEST.fullmatch(digest):
        assembly.add_setting("deployment.image.digest", digest, origin)
    if _TAG.fullmatch(tag):
        assembly.add_setting("deployment.image.tag", tag, origin)
        # The tag of an image of one's own says nothing of Kestra's release, unless it is written as Kestra's are.
        if image.has_release_tag and (version := version_of(tag)):
            assembly.add_setting("version", version, origin)
    if re.search(
        r"(^|[/_.-])kestra[-_]?(ee|enterprise)($|[/_.-])", repository
    ) or repository.startswith("registry.kestra.io/"):
        assembly.add_setting("edition", "enterprise", origin)
    elif _OPEN_SOURCE.fullmatch(repository):
        assembly.add_setting("edition", "oss", origin)


def version_of(tag: str) -> str | None:
    """The version whose settings a release has: `1.3` up to the last 1.x, else `2.0`; None where the tag names none."""
    releases = releases_of(tag)
    if releases is None:
        return None
    return "2.0" if releases.first.major >= 2 else "1.3"


def _split_safe(reference: str) -> str:
    """The reference with signs of placeholders replaced, so that `:` in them does not split it."""
    return re.sub(
        r"\$\{[^}]*\}",
        lambda m: m[0].replace(":", "\0").replace("/", "\1").replace("@", "\2"),
        reference,
    )


def _restore(part: str) -> str:
    return part.replace("\0", ":").replace("\1", "/").replace("\2", "@")


def _unresolved(part: str) -> bool:
    return "$" in part or "{{" in part


def _note_unresolved(assembly: Assembly, what: str, text: str, origin: Origin) -> None:
    names = [a or b for a, b in _UNRESOLVED.findall(text)]
    variables = f" ({', '.join(dict.fromkeys(names))})" if names else ""
    assembly.note(
        "changed",
        origin.place or "image",
        f"{what} is a variable that no input gives{variables}; it is left out, and the release of kestra:version runs",
        "set kestra:deployment.image.tag and kestra:deployment.image.repository to what runs",
        origin,
    )
