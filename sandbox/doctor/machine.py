"""What the machine has of what the sandbox needs, and what to do about the rest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from components.sdk_packages import sdk_packages
from components.settings import Settings
from sandbox import kestra
from sandbox.engine.plugin_choice import choose
from sandbox.errors import SandboxError
from sandbox.state import ROOT, State
from sandbox.status import healthy_servers
from sandbox.tools import (
    CONTROL_PLANE,
    EXTERNAL_SECRETS,
    GO_NEEDED,
    Place,
    cache_folder,
    whereabouts,
)

GIB = 1024**3
MEMORY_GIB = 4
"""What servers, engine and one Kestra use together at most, in GiB."""
DISK_GIB = 12
"""What a first build of all tools takes, Go's own caches included, in GiB."""
GO_FETCHES = (1, 21)
"""Since this version Go fetches the toolchain that a module asks for."""
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)")


@dataclass(frozen=True)
class Check:
    """One thing, and whether it is as it must be."""

    name: str
    state: str
    is_well: bool | None
    """None: it is not needed now."""
    remedy: str = ""


def examine(state: State, settings: Settings, servers: Collection[str]) -> Iterator[Check]:
    """The checks, the cheap ones first; nothing is built, started or fetched.

    Args:
        state: the sandbox's state.
        settings: the stack's settings.
        servers: those that the stack needs (see `sandbox.clouds.required_services`).
    """
    yield _python()
    yield _packages(settings)
    yield _memory()
    others = [name for name in ("vault", EXTERNAL_SECRETS) if name in servers]
    names = ["pulumi", *CONTROL_PLANE, *others]
    places = {name: whereabouts(name) for name in names}
    building = any(place.kind == "missing" for place in places.values())
    yield _disk(building)
    yield from _tools(places)
    yield _go(building)
    yield from _kestra(settings)
    yield _plugins()
    running = healthy_servers(state)
    yield Check("servers", ", ".join(running) or "none runs; `up` starts them", None)


def _python() -> Check:
    version = platform.python_version()
    return Check("Python", version, sys.version_info >= (3, 11), "Install Python 3.11 or later.")


def _packages(settings: Settings) -> Check:
    locks = ["requirements/sandbox.txt", *(package.lock for package in sdk_packages(settings))]
    pins = {name: pin for lock in locks for name, pin in _pins(ROOT / lock).items()}
    wrong = [
        f"{name} is {installed or 'not installed'}, not {pin}"
        for name, pin in pins.items()
        if (installed := _installed(name)) != pin
    ]
    return Check(
        "Python packages",
        "; ".join(wrong) or f"as pinned for {' and '.join(locks)}",
        not wrong,
        f"Run `.venv/bin/python -m pip install {' '.join(f'-r {lock}' for lock in locks)}`.",
    )


def _pins(lock: Path) -> dict[str, str]:
    """Package to version of what a lock is made for; what these need themselves is left out."""
    pins: dict[str, str] = {}
    for line in lock.with_suffix(".in").read_text().splitlines():
        if line.startswith("-r "):
            pins |= _pins(lock.parent / line.removeprefix("-r "))
        elif pin := _PINNED.match(line):
            pins[pin[1]] = pin[2]
    return pins


def _installed(name: str) -> str | None:
    """The installed version of a package; None where it is not."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory() -> Check:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    text = f"{total:.1f} GiB, {free:.1f} GiB of it free; {os.cpu_count()} processors"
    return Check("memory", text, total >= MEMORY_GIB, f"At least {MEMORY_GIB} GiB are needed.")


def _disk(building: bool) -> Check:
    folder = cache_folder()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free / GIB
    needed = DISK_GIB if building else 1
    return Check(
        "disk",
        f"{free:.0f} GiB free at {folder}",
        free >= needed,
        f"{needed} GiB are needed. Make room, or choose another folder with KESTRA_SANDBOX_CACHE.",
    )


def _tools(places: dict[str, Place]) -> Iterator[Check]:
    tool_folders: dict[str, list[str]] = {}
    for name, place in places.items():
        if place.path is not None:
            tool_folders.setdefault(f"{place.kind}, {place.path.parent}", []).append(name)
        else:
            yield Check(name, f"{place.version} is built at the first `up`", None)
    for where, names in tool_folders.items():
        yield Check("tools", f"{', '.join(names)} ({where})", True)


def _go(building: bool) -> Check:
    go = shutil.which("go")
    if go is None:
        summary = "none" if building else "none; every tool is here already"
        need = ".".join(map(str, GO_NEEDED))
        return Check("Go", summary, False if building else None, f"Install Go {need} or later.")
    # Asked for itself: in a module's folder it may fetch another one.
    asked = subprocess.run(
        [go, "version"], capture_output=True, text=True, env=os.environ | {"GOTOOLCHAIN": "local"}
    )
    version = tuple(int(n) for n in re.findall(r"go(\d+)\.(\d+)", asked.stdout)[:1][0])
    version_text = f"{'.'.join(map(str, version))} ({go})"
    if version < GO_NEEDED and building:
        version_text += f"; it fetches {'.'.join(map(str, GO_NEEDED))} itself"
    return Check("Go", version_text, version >= GO_FETCHES or not building, "Install a later Go.")


def _kestra(settings: Settings) -> Iterator[Check]:
    needed = kestra.JAVA_NEEDED[settings.version]
    try:
        java = kestra.find_java(needed)
    except SandboxError as error:
        yield Check("JDK", f"none of {needed} or later; `verify` needs it", False, str(error))
        return
    yield Check("JDK", f"{kestra.java_version(java)} ({java.parents[1]})", True)
    if kestra.entry_of(settings.version, java).is_dir():
        yield Check("Kestra", f"{kestra.RELEASES[settings.version]}, in the cache", True)
        return
    maven = shutil.which("mvn")
    yield Check(
        "Maven",
        maven or "none; `verify` fetches Kestra with it",
        maven is not None,
        "Install Maven (Debian: apt-get install maven).",
    )


def _plugins() -> Check:
    plugins = choose()
    official = [plugin.name for plugin in plugins if plugin.is_official]
    standing = [plugin.name for plugin in plugins if not plugin.is_official]
    texts = [f"official: {', '.join(official)}"] if official else []
    texts += [f"stand-ins: {', '.join(standing)}"] if standing else []
    texts += [f"not used: {text}" for plugin in plugins for text in plugin.official.ignored]
    return Check("provider plugins", "; ".join(texts), True)
