"""What keeps a commit from being a release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from components.package.schema import package_schema
from components.package.schema_changes import breaking_changes, released_form
from releasing import changelog, changes, surface
from releasing.problems import ReleaseError
from releasing.source import Source, git
from releasing.versions import (
    PLACE,
    follower_problems,
    is_release_version,
)

_NEXT = "python -m releasing version NEW"
SURFACES = "releasing/surfaces"
STATES = "tests/upgrade/states"
SCHEMAS = "tests/package/fixtures/schemas"


def problems(source: Source) -> Iterator[str]:
    """Every problem of a commit, each with what to do about it.

    Raises:
        ReleaseError: when git fails.
    """
    yield from _of_the_tree(source)
    yield from follower_problems(source.root, source.written_version)
    if not source.is_released:
        return
    version = source.version
    if not is_release_version(version):
        yield f"{PLACE} has version {version}; a release has three numbers (1.2.3)."
        return
    yield from _of_the_tag(source)
    yield from _of_the_changelog(source.root, version)
    yield from _of_the_snapshots(source.root, version)


def _of_the_tree(source: Source) -> Iterator[str]:
    changed = git(source.root, "status", "--porcelain").splitlines()
    if changed:
        some = ", ".join(line[3:] for line in changed[:5])
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        yield (
            f"The working folder differs from commit {source.commit[:12]}, and only the commit is built: {some}{more}. "
            "Commit or remove them."
        )


def _of_the_tag(source: Source) -> Iterator[str]:
    tag = f"v{source.version}"
    here = [
        name
        for name in git(source.root, "tag", "--points-at", source.commit).split()
        if name.startswith("v")
    ]
    for name in here:
        if name != tag:
            yield f"The commit is tagged {name}, and {PLACE} has {source.version}. Set the version to {name[1:]}, or move the tag."
    if tag in here:
        return
    if git(source.root, "tag", "--list", tag).strip():
        yield f"{tag} is the tag of another commit: that version is released. Raise the version: {_NEXT}."
    elif not here and git(source.root, "rev-parse", "--is-shallow-repository").strip() == "true":
        yield "The commit has no tag in this shallow clone, which may lack it. Run: git fetch --unshallow --tags"
    elif not here:
        yield f"The commit has no tag. Tag it: git tag --sign {tag}. To try the build without: make release UNRELEASED=1"


def _of_the_changelog(root: Path, version: str) -> Iterator[str]:
    try:
        sections = {one.version: one for one in changelog.sections(changelog.read(root))}
    except ValueError as error:
        yield f"{error}."
        return
    section, waiting = sections.get(version), sections.get(changelog.UNRELEASED)
    if section is None or not section.text:
        yield f"{changelog.FILE} has no section of {version}. Run: python -m releasing version {version}"
    if waiting is not None and waiting.text:
        yield (
            f"{changelog.FILE} has entries under {changelog.UNRELEASED} that this release would not name. Raise the version: "
            f"{_NEXT}. Or move them under {version}."
        )


def _of_the_snapshots(root: Path, version: str) -> Iterator[str]:
    """What has to be recorded for the comparisons of later versions."""
    again = "Run: python -m releasing snapshot"
    file = root / SURFACES / f"{version}.json"
    if not file.is_file():
        yield f"{SURFACES} has no {file.name}, what users of {version} rely on. {again}."
    elif file.read_text(encoding="utf-8") != surface.as_text(surface.surface()):
        yield (
            f"{SURFACES}/{file.name} is not what the program has. Raise the version: {_NEXT}. Or, where nobody has {version} yet: "
            f"{again[5:]}."
        )
    if not (root / SCHEMAS / f"{version}.json").is_file():
        yield f"{SCHEMAS} has no {version}.json. {again}."
    if not (root / STATES / version).is_dir():
        yield f"{STATES} has no {version}. Run: python -m tests.upgrade.states_support (docs/upgrade.md)"


def undocumented(root: Path) -> str:
    """What the changelog and the upgrade notes lack of what users of the last two releases meet; empty for nothing.

    Of two, since a release has its snapshot before it is tagged: its own notes are compared with the one before it.
    """
    text, page = changelog.read(root), changelog.read_upgrade(root)
    now = surface.surface()
    reports = []
    try:
        changelog.sections(text)
    except ValueError as error:
        return f"{error}."
    for version, before in list(surface.snapshots().items())[-2:]:
        notes = changelog.since(text, version)
        explained = changelog.upgrade_notes(page, version)
        lines, explanations = changes.missing_notes(before, now, notes, explained)
        for change in schema_changes(root, version):
            if change not in notes:
                lines.append(change)
            if not changelog.names_in(change) & changelog.names_in(explained):
                explanations.append(f"what to do. ({change})")
        reports.append(changes.report(version, lines, explanations))
    return "\n".join(filter(None, reports))


def schema_changes(root: Path, version: str) -> list[str]:
    """What breaks programs that use the component package of a release, in the words of the changelog."""
    file = root / SCHEMAS / f"{version}.json"
    if not file.is_file():
        return []
    return breaking_changes(json.loads(file.read_text(encoding="utf-8")), package_schema())


def write_snapshots(root: Path, version: str) -> list[Path]:
    """Records what users of a version rely on; the files of released versions are never written again.

    Raises:
        ReleaseError: when the version has a tag.
    """
    if git(root, "tag", "--list", f"v{version}").strip():
        raise ReleaseError(
            [f"{version} is released: its snapshots stay. Raise the version: {_NEXT}."]
        )
    schema = root / SCHEMAS / f"{version}.json"
    text = json.dumps(released_form(package_schema()), separators=(",", ":"), sort_keys=True)
    schema.write_text(text + "\n", encoding="utf-8")
    names = root / SURFACES / f"{version}.json"
    names.write_text(surface.as_text(surface.surface()), encoding="utf-8")
    return [schema, names]
