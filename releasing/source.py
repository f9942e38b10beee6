"""What a release is built from: a commit, without anything that lies beside it in the working folder."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from releasing.problems import ReleaseError
from releasing.versions import version_of, write_version

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Source:
    """A commit, and the version that what is built from it has."""

    root: Path
    commit: str
    epoch: int
    """Seconds since 1970 of the commit: the time of everything that is built."""
    version: str
    is_released: bool
    """Whether the commit is the tagged one of its version."""

    @property
    def written_version(self) -> str:
        """The version that stands in the commit."""
        return self.version.partition("+")[0]


def git(root: Path, *arguments: str) -> str:
    """The output of a git command.

    Raises:
        ReleaseError: when git is missing, or the folder is no repository.
    """
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise ReleaseError(["git is not installed; a release is built from a commit."]) from None
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise ReleaseError([f"git {arguments[0]} failed in {root}: {said}"])
    return done.stdout


def of_head(root: Path = ROOT, *, is_released: bool = True) -> Source:
    """The commit that is checked out.

    Args:
        root: the repository.
        is_released: False: the version gets the commit's number, so that no index takes what is built for a release.

    Raises:
        ReleaseError: when there is no commit, or no version in it.
    """
    top = Path(git(root, "rev-parse", "--show-toplevel").strip())
    if not top.samefile(root):
        raise ReleaseError(
            [f"{root} is no repository of its own, but lies in that of {top}. Build from a clone."]
        )
    try:
        commit = git(root, "rev-parse", "--verify", "HEAD").strip()
    except ReleaseError:
        raise ReleaseError([f"{root} has no commit yet; a release is built from one."]) from None
    # A user's settings may have every commit's signature shown.
    epoch = int(git(root, "show", "--no-patch", "--no-show-signature", "--format=%ct", commit))
    try:
        version = version_of(root)
    except (OSError, ValueError) as error:
        raise ReleaseError([f"There is no version to release: {error}."]) from None
    return Source(
        root, commit, epoch, version if is_released else f"{version}+g{commit[:12]}", is_released
    )


def export(source: Source, folder: Path) -> None:
    """Writes the files of the commit into an empty folder.

    Of a commit that is not released, the version gets its number there, in every file that has it.

    Raises:
        ReleaseError: when git fails.
    """
    # The user's settings would change modes and the ends of lines.
    settings = ("tar.umask=0022", "core.autocrlf=false", "core.eol=lf")
    options = [part for setting in settings for part in ("-c", setting)]
    packed = subprocess.run(
        ["git", "-C", str(source.root), *options, "archive", "--format=tar", source.commit],
        capture_output=True,
    )
    if packed.returncode != 0:
        said = packed.stderr.decode(errors="replace").strip()[-300:]
        raise ReleaseError([f"git archive failed in {source.root}: {said}"])
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    if not source.is_released:
        write_version(folder, source.version)


def environment(**changed: str) -> dict[str, str]:
    """The variables of a build: those that find programs, and these. Nothing of the caller's credentials and settings.

    Args:
        changed: variables with their values.
    """
    kept = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ} | changed
