"""Which provider plugin the sandbox uses: the official one wherever it can be had, else the stand-in; and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.engine.official_plugins import (
    NAMES,
    UNUSABLE,
    Official,
    find,
    pulumi_plugins,
    reported_version,
    sdk_versions,
)
from sandbox.engine.plugin_downloads import Downloads, Memory, download_home
from sandbox.services.process import private


@dataclass(frozen=True)
class PluginChoice:
    """One provider's plugin."""

    name: str
    version: str
    is_official: bool
    reason: str
    """Where the official one is, or why the stand-in takes its place."""
    official: Official = field(default=Official(""), compare=False)

    def __str__(self) -> str:
        kind = "official" if self.is_official else "stand-in"
        return f"{self.name} {self.version} ({kind}: {self.reason})"


def choose(
    names: Iterable[str] = NAMES, *, offline: bool = False, downloads: Downloads | None = None
) -> list[PluginChoice]:
    """The plugins of some providers.

    Args:
        names: of the providers.
        offline: whether stand-ins alone may be used.
        downloads: fetches what the machine does not have; None: nothing is fetched.
    """
    if offline:
        return [_stand_in(name, "--offline") for name in names]
    chosen = {name: _choose(name) for name in names}
    if downloads is not None:
        usable = sdk_versions().keys() - UNUSABLE.keys()
        missing = [n for n, choice in chosen.items() if n in usable and not choice.is_official]
        failures = downloads.install(missing)
        for name in missing:
            chosen[name] = (
                _stand_in(
                    name, f"not installed, and {failures[name].reason}", chosen[name].official
                )
                if name in failures
                else _choose(name)
            )
    return list(chosen.values())


def _choose(name: str) -> PluginChoice:
    if name in UNUSABLE:
        return _stand_in(name, UNUSABLE[name])
    folders = [pulumi_plugins(), download_home() / "plugins"]
    official = find(name, folders, _version_on_path)
    if official.executable is None:
        return _stand_in(name, "the official plugin is not installed", official)
    where = official.folder or official.executable
    return PluginChoice(name, sdk_versions()[name], True, str(where), official)


def _stand_in(name: str, reason: str, official: Official | None = None) -> PluginChoice:
    version = sdk_versions().get(name, "")
    return PluginChoice(name, version, False, reason, official or Official(name))


def _version_on_path(executable: Path) -> str | None:
    """The version of a plugin, which is asked once for each file."""
    about = executable.stat()
    memory = Memory(download_home() / "versions.json")
    key = f"{executable} {about.st_size} {about.st_mtime_ns}"
    version = memory.get(key) or reported_version(executable)
    if version:
        memory.put(key, version)
    return version


def write_choices(folder: Path, choices: Iterable[PluginChoice]) -> None:
    """Keeps in a stack's folder which plugins a command used, for `status`."""
    private(folder / "plugins.json", json.dumps([str(choice) for choice in choices]))


def read_choices(folder: Path) -> Iterator[str]:
    """What `write_choices` kept, a line each."""
    try:
        yield from json.loads((folder / "plugins.json").read_text())
    except (OSError, ValueError):
        return
