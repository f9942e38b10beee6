"""`python -m releasing build`, `check`, `version`, `snapshot`, `notes`: docs/releases.md."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from components.closed_output import run_command
from releasing import changelog, checks, versions
from releasing.problems import ReleaseError
from releasing.source import ROOT, of_head
from sandbox.progress import Progress


def build(target: Path, *, is_released: bool) -> int:
    """Builds a release twice and writes it; 0 when both builds have the same bytes and nothing else is wrong."""
    from releasing.build import SUMS, build_twice

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    progress = Progress(console)
    with progress.step("Checking what is released"):
        source = of_head(is_released=is_released)
        problems = list(checks.problems(source))
        if is_released and (undocumented := checks.undocumented(source.root)):
            problems.append(undocumented)
        if problems:
            raise ReleaseError(problems)
    files = build_twice(source, target, progress)
    print((target / SUMS).read_text(encoding="utf-8"), end="")
    console.print(
        f"{len(files)} files of {source.version} in {target}, built twice with the same bytes. Not signed and not "
        "published: .github/workflows/release.yml does that.",
        markup=False,
    )
    return 0


def check() -> int:
    """Says what keeps the commit from being released, and what the changelog lacks; 1 when there is something."""
    problems = list(checks.problems(of_head()))
    if undocumented := checks.undocumented(ROOT):
        problems.append(undocumented)
    if problems:
        raise ReleaseError(problems)
    print("Nothing keeps this commit from being released.")
    return 0


def set_version(version: str, day: str) -> int:
    """Writes the version of the next release into every file that has it, and its heading into the changelog."""
    if not versions.is_release_version(version):
        raise ReleaseError([f"{version} is no version of a release: three numbers, 1.2.3."])
    try:
        datetime.date.fromisoformat(day)
    except ValueError:
        raise ReleaseError([f"{day} is no day: YYYY-MM-DD."]) from None
    changed = versions.write_version(ROOT, version)
    text = changelog.read(ROOT)
    if version not in {section.version for section in changelog.sections(text)}:
        (ROOT / changelog.FILE).write_text(changelog.released(text, version, day), encoding="utf-8")
        changed.append(changelog.FILE)
    print("\n".join(f"wrote {file}" for file in changed) or f"Everything has {version} already.")
    return 0


def notes(target: Path) -> int:
    """Writes the section of the changelog that is the text of this version's release."""
    version = versions.version_of(ROOT)
    for section in changelog.sections(changelog.read(ROOT)):
        if section.version == version:
            target.write_text(f"{section.text}\n", encoding="utf-8")
            return 0
    raise ReleaseError([f"{changelog.FILE} has no section of {version}."])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m releasing", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build a release twice, compare, write its files")
    building.add_argument(
        "--unreleased",
        action="store_true",
        help="a build to try: its version has the commit's number",
    )
    building.add_argument(
        "--output", type=Path, default=Path("dist"), metavar="DIR", help="default: dist"
    )
    commands.add_parser("check", help="say what keeps this commit from being released")
    setting = commands.add_parser(
        "version", help="write the version of the next release where it stands"
    )
    setting.add_argument("version", metavar="X.Y.Z")
    setting.add_argument(
        "--day",
        default=datetime.datetime.now(datetime.UTC).date().isoformat(),
        metavar="YYYY-MM-DD",
        help="for the changelog (default: today)",
    )
    commands.add_parser("snapshot", help="record what users of this version rely on")
    noting = commands.add_parser("notes", help="write this version's section of the changelog")
    noting.add_argument("--output", type=Path, required=True, metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "build":
            return build(chosen.output, is_released=not chosen.unreleased)
        if chosen.command == "check":
            return check()
        if chosen.command == "version":
            return set_version(chosen.version, chosen.day)
        if chosen.command == "notes":
            return notes(chosen.output)
        for file in checks.write_snapshots(ROOT, versions.version_of(ROOT)):
            print(f"wrote {file.relative_to(ROOT)}")
        return 0
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"- {error.filename or 'A file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except ValueError as error:
        # What is wrong with the version or the changelog, in words.
        print(f"- {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run_command(main))
