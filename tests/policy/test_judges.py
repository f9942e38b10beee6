"""How the judges that are no Go modules are installed, and what is said when they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from tests.installed_support import installed
from tests.policy import judges_support


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KESTRA_SANDBOX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tests"


def _complete(entry: Path) -> bool:
    return (entry / "last").exists()


def _install(folder: Path) -> None:
    (folder / "first").touch()
    (folder / "last").touch()


def _never(folder: Path) -> None:
    raise AssertionError(f"{folder} is installed again")


def test_a_tool_is_installed_once_and_again_when_it_is_pinned_otherwise() -> None:
    folder = installed("judge", [b"1"], _complete, _install)
    assert installed("judge", [b"1"], _complete, _never) == folder
    assert installed("judge", [b"2"], _complete, _install) != folder


def test_what_a_killed_run_left_behind_is_never_used(cache: Path) -> None:
    folder = installed("judge", [b"1"], _complete, _install)
    (folder / "last").unlink()
    (folder / "first").write_text("half")
    left = cache / f".{folder.name}-killed"
    left.mkdir()
    assert installed("judge", [b"1"], _complete, _install) == folder
    assert (folder / "first").read_text() == ""
    assert not left.exists()


def test_a_failed_installation_leaves_nothing(cache: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "last").touch()
        raise SandboxError("no")

    with pytest.raises(SandboxError, match="no"):
        installed("judge", [b"1"], _complete, fail)
    assert [p for p in cache.iterdir() if p.is_dir()] == []


def test_checkov_that_cannot_be_had_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("checkov==3.3.30\n")
    monkeypatch.setattr(judges_support, "REQUIREMENTS", requirements)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        SandboxError, match=r"installed: .*checkov==3\.3\.30.* Check that pip"
    ) as caught:
        judges_support.checkov()
    assert "\n" not in str(caught.value)


def test_checkov_is_pinned_with_everything_that_it_needs() -> None:
    lines = judges_support.REQUIREMENTS.read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert "checkov==3.3.30" in pinned
    assert all("==" in line for line in pinned)
