"""Folders of the cache in which something is built: none is left, whatever ended the build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.tools.building import build_folder

BUILD = """
import sys, time
from pathlib import Path
from sandbox.tools.building import build_folder
with build_folder(Path(sys.argv[1]), ".image-") as folder:
    (folder / "half").touch()
    print(folder, flush=True)
    time.sleep(60)
"""


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()]


def test_the_folder_of_a_killed_build_is_removed_by_the_next_one_and_not_before(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with build_folder(tmp_path, ".image-") as own:
            assert sorted(_folders(tmp_path)) == sorted([theirs, own])
        assert _folders(tmp_path) == [theirs]
        other.kill()
        other.wait()
        with build_folder(tmp_path, ".java-"):
            assert (theirs / "half").exists()
        with build_folder(tmp_path, ".image-") as own:
            assert _folders(tmp_path) == [own]
    assert _folders(tmp_path) == []


def test_a_build_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    def fail() -> None:
        with build_folder(tmp_path, ".image-") as folder:
            (folder / "file").touch()
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        fail()
    assert _folders(tmp_path) == []
