"""Where the sandbox keeps what it knows: one folder, nothing outside it."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from sandbox.services.process import private

ROOT = Path(__file__).parents[1]


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
        """Makes the folder, readable by its owner only."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory.chmod(0o700)

    @property
    def lock(self) -> Path:
        """Held by the command that works on this state."""
        return self.directory / "lock"

    @property
    def services(self) -> Path:
        """Folders of the servers."""
        return self.directory / "services"

    @property
    def backend(self) -> Path:
        """Pulumi's state files."""
        return self.directory / "backend"

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

    def passphrase(self) -> str:
        """The passphrase of the state's secrets; made once, readable by its owner only."""
        file = self.directory / "passphrase"
        if not file.exists():
            private(file, secrets.token_urlsafe(32))
        return file.read_text()
