"""Tools of the tests that are no Go modules: installed once into the cache, and used only when they are whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock

from sandbox.errors import SandboxError
from sandbox.tools import cache_folder


def installed(
    name: str,
    inputs: Iterable[bytes],
    complete: Callable[[Path], bool],
    install: Callable[[Path], None],
) -> Path:
    """The folder of a tool; made when it is not there.

    Args:
        name: of the tool.
        inputs: what pins it; other inputs are another folder.
        complete: whether a folder lost nothing, for instance to a cleaner of caches.
        install: fills a new folder, which is moved to its place when it is whole.

    Raises:
        SandboxError: what `install` says.
    """
    digest = hashlib.sha256(b"".join(inputs)).hexdigest()[:12]
    entry = cache_folder() / "tests" / f"{name}-{digest}"
    entry.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{entry}.lock"):
        if not complete(entry):
            prefix = f".{entry.name}-"
            # What a run that was killed left behind; its lock is free, so that nobody works there.
            for left in [*entry.parent.glob(f"{prefix}*"), entry]:
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=entry.parent, prefix=prefix) as folder:
                made = Path(folder) / "done"
                made.mkdir()
                install(made)
                os.replace(made, entry)
    return entry


def environment(name: str, module: str, requirements: Path) -> Path:
    """The virtual environment of a Python tool of the tests, made once.

    Args:
        name: of the tool.
        module: file of it by which a whole installation is known, below `site-packages`.
        requirements: what is installed, every package pinned.

    Raises:
        SandboxError: when it cannot be made, with what to do.
    """

    def complete(entry: Path) -> bool:
        is_installed = any(entry.glob(f"lib/python*/site-packages/{module}"))
        return is_installed and os.access(entry / "bin" / "python", os.X_OK)

    def install(folder: Path) -> None:
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        for command in (
            [sys.executable, "-m", "venv", folder],
            [*pip, "--disable-pip-version-check", "--no-deps", "--requirement", requirements],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                said = " ".join((done.stderr or done.stdout).split())[-600:]
                raise SandboxError(
                    f"{name}, a judge of the tests, could not be installed: {said} Check that pip "
                    f"reaches its index (pip download {name}), then run the tests again."
                )

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return installed(name, [python.encode(), requirements.read_bytes()], complete, install)
