"""The locked requirements: what the inputs ask for, with hashes, one version of a package in all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.sdk_packages import SDK_PACKAGES
from tests.conftest import ROOT

FOLDER = ROOT / "requirements"
_ELSEWHERE = {"all": ROOT / "requirements.txt", "policy": ROOT / "policy" / "requirements.txt"}
LOCKS = {
    path.stem: _ELSEWHERE.get(path.stem, path.with_suffix(".txt"))
    for path in sorted(FOLDER.glob("*.in"))
}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)", re.MULTILINE)


def normalized(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    return {normalized(name): version for name, version in _PIN.findall(path.read_text())}


def asked_for(name: str) -> dict[str, str]:
    """What an input asks for, with the inputs that it includes."""
    path = FOLDER / f"{name}.in"
    included = re.findall(r"^-r (\w+)\.in$", path.read_text(), re.MULTILINE)
    return {key: version for other in included for key, version in asked_for(other).items()} | pins(
        path
    )


@pytest.mark.parametrize("name", LOCKS)
def test_an_input_pins_every_package(name: str) -> None:
    lines = (FOLDER / f"{name}.in").read_text().splitlines()
    for line in lines:
        assert line.startswith(("#", "-r ")) or _PIN.fullmatch(line), line


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_its_input_asks_for(name: str) -> None:
    """Run `make lock` when this fails."""
    locked = pins(LOCKS[name])
    expected = asked_for(name)
    assert {key: locked.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes(name: str) -> None:
    text = re.sub(r"\\\n", "", LOCKS[name].read_text())
    packages = [line for line in text.splitlines() if _PIN.match(line)]
    assert packages
    for line in packages:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}( |$)", line), line


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_the_versions_of_the_lock_that_the_tests_run_with(name: str) -> None:
    tested = pins(LOCKS["dev"])
    assert pins(LOCKS[name]).items() <= tested.items()


@pytest.mark.parametrize("provider", SDK_PACKAGES)
def test_the_lock_of_one_secret_manager_has_no_other_providers_sdk(provider: str) -> None:
    package = SDK_PACKAGES[provider]
    locked = pins(ROOT / package.lock)
    assert package.name in locked
    assert not locked.keys() & {other.name for other in SDK_PACKAGES.values()} - {package.name}


def test_the_whole_has_every_sdk() -> None:
    assert {package.name for package in SDK_PACKAGES.values()} <= pins(LOCKS["all"]).keys()


def test_the_sandbox_brings_no_sdk_of_a_cloud() -> None:
    locked = pins(LOCKS["sandbox"])
    assert not locked.keys() & {"pulumi-aws", "pulumi-azure-native", "pulumi-gcp"}


def test_make_locks_every_input() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (names,) = re.findall(r"for name in ([a-z ]+); do", makefile)
    assert {*names.split(), "dev", *_ELSEWHERE} == set(LOCKS)
