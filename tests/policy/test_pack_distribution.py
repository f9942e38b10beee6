"""The pack as it is released: what is in wheel and archive, and that they are the same every time."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from policy.manifest import VERSION
from tests.conftest import ROOT
from tests.policy.pack_distribution_support import build
from tests.test_requirements import pins

PROJECT = tomllib.loads((ROOT / "policy" / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("dist"))


def test_two_builds_have_the_same_bytes(built: tuple[Path, Path], tmp_path: Path) -> None:
    def sums(files: tuple[Path, Path]) -> list[str]:
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    assert sums(built) == sums(build(tmp_path))


def test_wheel_and_archive_hold_every_module_and_what_the_engine_asks_for(
    built: tuple[Path, Path],
) -> None:
    wheel, archive = built
    modules = {str(f.relative_to(ROOT / "policy")) for f in (ROOT / "policy").rglob("*.py")}
    modules |= {"advisories.yaml"}
    names = zipfile.ZipFile(wheel).namelist()
    packed = {n.partition("/")[2] for n in names if n.startswith("kestra_policy_pack/")}
    assert packed == modules | {"PulumiPolicy.yaml"}
    with tarfile.open(archive) as opened:
        root = f"kestra_policy_pack-{VERSION}/"
        files = {name.removeprefix(root) for name in opened.getnames()}
    assert modules | {"PulumiPolicy.yaml", "requirements.txt", "LICENSE", "NOTICE"} <= files


def test_imports_within_the_pack_are_relative_since_it_has_another_name_where_it_is_installed() -> (
    None
):
    files = [*(ROOT / "policy").glob("*.py"), *(ROOT / "policy").glob("c*/*.py")]
    assert len(files) > 40
    own = re.compile(r"^\s*(from|import) policy\b", re.MULTILINE)
    assert [file for file in files if own.search(file.read_text())] == []


def test_the_licence_is_that_of_the_project() -> None:
    for name in ("LICENSE", "NOTICE"):
        assert (ROOT / "policy" / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_folder_of_the_archive_has_an_environment_of_its_own() -> None:
    own, archived = (
        ROOT / "policy" / name for name in ("PulumiPolicy.yaml", "archive/PulumiPolicy.yaml")
    )
    assert "virtualenv: ../.venv" in own.read_text()
    assert own.read_text().replace("../.venv", ".venv") == archived.read_text()


def test_it_asks_for_what_its_lock_has_and_is_built_by_the_tests_builder() -> None:
    locked = pins(ROOT / "requirements" / "policy.in")
    asked = {d.partition(">=")[0].lower() for d in PROJECT["project"]["dependencies"]}
    assert asked == set(locked)
    pinned = pins(ROOT / "requirements" / "dev.in")["hatchling"]
    assert PROJECT["build-system"]["requires"] == [f"hatchling=={pinned}"]


def test_an_extracted_folder_of_any_name_is_started_with_its_own_modules(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    with tarfile.open(built[1]) as opened:
        opened.extractall(tmp_path, filter="data")
    (tmp_path / f"kestra_policy_pack-{VERSION}").rename(tmp_path / "our-pack.2")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "our-pack.2"), "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, VERSION), done.stderr
