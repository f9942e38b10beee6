"""The package as it is installed: a wheel, and an environment that has it and not the source tree."""

from __future__ import annotations

import site
import subprocess
import sys
import venv
from pathlib import Path

from tests.conftest import ROOT


def build_wheel(folder: Path) -> Path:
    """Builds the wheel into a folder."""
    command = [
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir",
        str(folder), str(ROOT),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """An environment with the wheel and the packages of this one; returns its folder of commands."""
    venv.create(folder, with_pip=False, symlinks=True)
    (own,) = folder.glob("lib/python*/site-packages")
    # The packages that it depends on are those of the tests.
    (own / "shared.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    command = [
        sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-deps",
        "--no-index", "--disable-pip-version-check", str(wheel),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder / "bin"
