"""The pack as a release has it: built, and installed or extracted where this project is not."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from tests.conftest import ROOT
from tests.package.distribution_support import install


def build(folder: Path) -> tuple[Path, Path]:
    """Builds wheel and archive into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT / "policy", check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    (archive,) = folder.glob("*.tar.gz")
    return wheel, archive


def installed_command(folder: Path) -> Path:
    """The command of the wheel, in an environment of its own."""
    wheel, _ = build(folder / "dist")
    return install(wheel, folder / "environment") / "kestra-policy-pack"


def extracted(folder: Path) -> Path:
    """The folder of the archive."""
    _, archive = build(folder / "dist")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (pack,) = folder.glob("kestra_policy_pack-*")
    return pack
