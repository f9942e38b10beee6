"""The folder of control groups in which kubelet keeps its pods, and what is left of it afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.services.process import private

MOUNTS = Path("/proc/self/mounts")
#: What kubelet needs of version 2.
_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")


class PodGroups:
    """A folder of its own name below each hierarchy: all of version 1, or the one of version 2.

    Args:
        name: of the folder.
        record: a file that remembers what has to be put back.
        mounts: the table of mounts, as /proc/self/mounts.
    """

    def __init__(self, name: str, record: Path, mounts: Path = MOUNTS) -> None:
        self.name, self._record, self._mounts = name, record, mounts

    def create(self) -> None:
        """Makes the folders; those that exist stay."""
        first, second = self._hierarchies()
        for root in first:
            folder = root / self.name
            folder.mkdir(exist_ok=True)
            # A new folder of cpuset is empty, and takes no process.
            for file in ("cpuset.cpus", "cpuset.mems"):
                if (root / file).exists():
                    (folder / file).write_text((root / file).read_text())
        for root in second if not first else ():
            self._enable(root)
            (root / self.name).mkdir(exist_ok=True)

    def _enable(self, root: Path) -> None:
        """Hands on what the root of version 2 keeps to itself, and remembers it."""
        control = root / "cgroup.subtree_control"
        added = sorted(set(_CONTROLLERS) - set(control.read_text().split()))
        if added and not self._record.exists():
            private(self._record, json.dumps({str(control): added}))
        for controller in added:
            control.write_text(f"+{controller}")

    def remove(self, seconds: float = 10) -> None:
        """Removes the folders, whose processes have ended, and puts back what `create` enabled.

        Args:
            seconds: how long the kernel may still hold a folder whose last process has just ended.

        Raises:
            OSError: when a process is still in one of them.
        """
        first, second = self._hierarchies()
        deadline = time.monotonic() + seconds
        for root in [*first, *second]:
            for folder in _deepest_first(root / self.name):
                while True:
                    try:
                        folder.rmdir()
                        break
                    except FileNotFoundError:
                        break
                    except OSError:
                        if time.monotonic() > deadline:
                            raise
                        time.sleep(0.05)
        with contextlib.suppress(FileNotFoundError):
            for control, added in json.loads(self._record.read_text()).items():
                for controller in added:
                    with contextlib.suppress(OSError):
                        Path(control).write_text(f"-{controller}")
            self._record.unlink()

    def _hierarchies(self) -> tuple[list[Path], list[Path]]:
        """The roots of version 1, and that of version 2."""
        lines = [line.split() for line in self._mounts.read_text().splitlines()]
        return tuple(
            [Path(line[1]) for line in lines if line[2] == kind] for kind in ("cgroup", "cgroup2")
        )  # type: ignore[return-value]


def _deepest_first(folder: Path) -> Iterator[Path]:
    for path, _, _ in os.walk(folder, topdown=False):
        yield Path(path)
