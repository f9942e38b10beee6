"""Builds everything that a release has, from the files of a commit alone; then once more elsewhere, and compares."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from releasing import archives, bill_of_materials, provenance
from releasing.problems import ReleaseError
from releasing.source import Source, environment, export
from sandbox.progress import Progress

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Surroundings:
    """Where a build happens, which must not matter."""

    folder: str
    """Below a temporary folder."""
    umask: int
    variables: Mapping[str, str]


SURROUNDINGS = (
    Surroundings("first", 0o022, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0"}),
    Surroundings(
        "second/in another folder",
        0o077,
        {"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "4242"},
    ),
)


def build_twice(source: Source, target: Path, progress: Progress) -> list[Path]:
    """Builds a release in two surroundings, and keeps it when both have the same bytes.

    Args:
        source: what it is built from.
        target: folder for its files; those of an earlier build are removed.
        progress: told of every step.

    Returns:
        The files.

    Raises:
        ReleaseError: when a build fails, the bytes differ, or the folder holds something else.
    """
    if target.exists() and not target.is_dir():
        raise ReleaseError([f"{target} is a file. Name a folder with --output."])
    if target.exists() and any(target.iterdir()) and not (target / SUMS).is_file():
        raise ReleaseError(
            [f"{target} holds files that are of no release. Name another folder with --output."]
        )
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        built = []
        for number, surroundings in enumerate(SURROUNDINGS, 1):
            folder = Path(temporary) / surroundings.folder
            with progress.step(f"Building {source.version}", number, len(SURROUNDINGS)):
                built.append(build_in(source, folder, surroundings))
        if differing := list(differences(*built)):
            raise ReleaseError(differing)
        _empty(target)
        shutil.copytree(built[0], target, dirs_exist_ok=True)
    return sorted(target.iterdir())


def build_in(source: Source, folder: Path, surroundings: Surroundings) -> Path:
    """Builds a release in a process of its own, with the code of the commit.

    Returns:
        The folder of its files.

    Raises:
        ReleaseError: with the end of what the build said.
    """
    tree, target = folder / "tree", folder / "dist"
    export(source, tree)
    command = [
        sys.executable, "-m", "releasing.build", source.commit, str(source.epoch), source.version, str(target),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=tree,
        env=environment(
            SOURCE_DATE_EPOCH=str(source.epoch), **_of_the_builder(), **surroundings.variables
        ),
        umask=surroundings.umask,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise ReleaseError([f"The build of {source.commit[:12]} failed:\n{said}"])
    return target


def _empty(folder: Path) -> None:
    """Removes the files of an earlier release."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()


def _of_the_builder() -> dict[str, str]:
    """What only the caller knows of the builder."""
    return {name: value for name, value in os.environ.items() if name.startswith("RELEASE_")}


def differences(first: Path, second: Path) -> Iterator[str]:
    """Files that one build has and the other has not, or that differ."""
    names = [{file.name for file in folder.iterdir()} for folder in (first, second)]
    for name in sorted(names[0] ^ names[1]):
        yield f"{name} was built once, and not a second time."
    for name in sorted(names[0] & names[1]):
        if not filecmp.cmp(first / name, second / name, shallow=False):
            yield (
                f"{name} differs between two builds of the same commit: something of the machine, the time or the order "
                "of a listing is in it."
            )


def build(source: Source, tree: Path, target: Path) -> None:
    """Builds a release once.

    Args:
        source: what is built; its files are those of `tree`.
        tree: the source tree, which is left as it is.
        target: folder for the files of the release.
    """
    target.mkdir(parents=True)
    wheel = _distribution(tree, target)
    _distribution(tree / "policy", target)
    archives.write_plugins(target, tree, wheel, source.version, source.epoch)
    shutil.copyfile(tree / "components" / "package" / "schema.json", target / "schema.json")
    for name, of in (
        (bill_of_materials.SBOM, bill_of_materials.of_release),
        (bill_of_materials.SANDBOX_SBOM, bill_of_materials.of_sandbox),
    ):
        (target / name).write_text(of(source, tree), encoding="utf-8")
    files = list(target.iterdir())
    statement = provenance.statement(source, tree, files)
    # Who builds is in the statement; the checksums are the same for everybody.
    (target / SUMS).write_text(provenance.checksums(files), encoding="utf-8")
    (target / "provenance.json").write_text(provenance.as_text(statement), encoding="utf-8")


def _distribution(project: Path, target: Path) -> Path:
    """Builds the sdist of a project, and of that its wheel, as whoever builds it from an index does; returns the wheel."""
    sdist = _hatchling(project, "sdist", target)
    with tempfile.TemporaryDirectory(prefix="sdist-") as folder:
        with tarfile.open(sdist) as packed:
            packed.extractall(folder, filter="data")
        return _hatchling(next(Path(folder).iterdir()), "wheel", target)


def _hatchling(tree: Path, what: str, target: Path) -> Path:
    """Builds the sdist or the wheel of a tree; returns it."""
    before = set(target.iterdir())
    command = ["-m", "hatchling", "build", "--target", what, "--directory", str(target)]
    subprocess.run([sys.executable, *command], cwd=tree, check=True)
    (built,) = set(target.iterdir()) - before
    return built


if __name__ == "__main__":
    commit, epoch, version, folder = sys.argv[1:]
    here = Path.cwd()
    build(Source(here, commit, int(epoch), version, "+" not in version), here, Path(folder))
