"""Where the sandbox keeps what it knows: one folder, nothing outside it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sandbox.errors import SandboxError
from sandbox.services.process import private

ROOT = Path(__file__).parents[1]
MARK = ".kestra-sandbox"
PROJECT = "kestra"
"""The Pulumi project of every stack."""


@dataclass(frozen=True)
class State:
    """The folder of the sandbox's state."""

    directory: Path

    @classmethod
    def at(cls, directory: Path | None = None) -> State:
        """The chosen folder, else KESTRA_SANDBOX_STATE, else `.sandbox` beside the program."""
        chosen = directory or os.environ.get("KESTRA_SANDBOX_STATE") or ROOT / ".sandbox"
        return cls(Path(chosen).resolve())

    def create(self) -> None:
        """Makes the folder, readable by its owner only.

        Raises:
            SandboxError: when the folder holds other things: `down --purge` would remove them.
        """
        mark = self.directory / MARK
        if not mark.exists():
            if self.directory.exists() and not self.is_ours:
                raise SandboxError(
                    f"{self.directory} is no sandbox's folder and not empty. Choose another with --state."
                )
            self.directory.mkdir(parents=True, exist_ok=True)
            mark.write_text(
                "The state of `python -m sandbox`; `down --purge` removes this folder.\n"
            )
        self.directory.chmod(0o700)

    @property
    def is_ours(self) -> bool:
        """Whether the folder is a sandbox's, or empty."""
        return self.directory.is_dir() and (
            (self.directory / MARK).exists() or not any(self.directory.iterdir())
        )

    @property
    def lock(self) -> Path:
        """Held by the command that works on this state."""
        return self.directory / "lock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second command off the same state; makes the folder.

        Raises:
            SandboxError: when another command works on it.
        """
        self.create()
        lock = FileLock(self.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise SandboxError(
                f"Another command works on {self.directory}. Wait for it, or choose another folder with --state."
            ) from None
        try:
            yield
        finally:
            lock.release()

    @property
    def services(self) -> Path:
        """Folders of the servers."""
        return self.directory / "services"

    @property
    def backend(self) -> Path:
        """Pulumi's state files."""
        return self.directory / "backend"

    def checkpoint(self, stack: str) -> Path:
        """Pulumi's state file of one stack."""
        return self.backend / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"

    def latest(self, stack: str) -> dict[str, Any]:
        """What Pulumi's state file of one stack says; see `latest_of`."""
        return latest_of(self.checkpoint(stack))

    @property
    def pulumi_home(self) -> Path:
        """Pulumi's own folder; the caller's is not touched."""
        return self.directory / "pulumi"

    def stack(self, name: str) -> Path:
        """What belongs to one stack."""
        return self.directory / "stacks" / name

    def stacks(self) -> list[str]:
        """The stacks that were brought up here."""
        folder = self.directory / "stacks"
        return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []

    def passphrase_file(self) -> Path:
        """Where the passphrase of the state's secrets is; made once, readable by its owner only."""
        file = self.directory / "passphrase"
        if not file.exists():
            private(file, secrets.token_urlsafe(32))
        return file

    def passphrase(self) -> str:
        """The passphrase of the state's secrets."""
        return self.passphrase_file().read_text()


#: What is raised where there is no state file, or none of Pulumi's.
NO_STATE = (OSError, ValueError, KeyError, TypeError)


def latest_of(checkpoint: Path) -> dict[str, Any]:
    """What a state file of Pulumi's says now; empty where the stack has nothing.

    Raises:
        OSError, ValueError, KeyError, TypeError: `NO_STATE`.
    """
    return json.loads(checkpoint.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}


@dataclass(frozen=True)
class Last:
    """How the last operation on a stack ended; holds no secret."""

    operation: str
    result: str
    at: float
    seconds: float
    changes: Mapping[str, int]
    outputs: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Last | None:
        """That of a stack's folder; None when there is none."""
        try:
            return cls(**json.loads((folder / "last.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Keeps it in a stack's folder."""
        private(folder / "last.json", json.dumps(asdict(self), indent=1))
