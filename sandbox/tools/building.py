"""Folders of the cache in which something is built before it is moved to its place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_IN_USE = "in-use"
"""The file of a folder that its build holds locked; the lock ends with the process, however that ends."""


@contextmanager
def build_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder to build in, removed afterwards; removes those of builds that were killed, too.

    Args:
        parent: where it is made: on the file system where the result is moved to.
        prefix: how its name begins, `.image-`; folders with other prefixes are not touched.
    """
    # Without it, the folder of a build that begins just now would be taken for that of a killed one.
    with FileLock(parent / f"{prefix}folders.lock"):
        for folder in parent.glob(f"{prefix}*/"):
            _remove_unless_in_use(folder)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        in_use = FileLock(folder / _IN_USE)
        in_use.acquire()
    try:
        yield folder
    finally:
        in_use.release()
        shutil.rmtree(folder, ignore_errors=True)


def _remove_unless_in_use(folder: Path) -> None:
    lock = FileLock(folder / _IN_USE)
    try:
        lock.acquire(timeout=0)
    except (Timeout, FileNotFoundError):
        return
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)
