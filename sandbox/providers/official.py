"""The official provider plugins that stand-ins stand for: where a machine has them, and whether they can be used."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

STAND_INS = {
    "aws": "7.51.1",
    "azure-native": "3.29.0",
    "gcp": "10.2.0",
    "kubernetes": "4.34.2",
    "random": "4.21.4",
    "vault": "7.14.0",
}
"""Plugin to the version that its stand-in stands for, which is the SDK's."""
_ELF = b"\x7fELF"
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


@dataclass(frozen=True)
class Official:
    """What a machine has of an official plugin."""

    name: str
    executable: Path | None = None
    """None: there is none that can be used."""
    folder: Path | None = None
    """In Pulumi's plugin folder; None: it is on PATH."""
    ignored: tuple[str, ...] = ()
    """What is there and cannot be used, a sentence each."""


def find(name: str) -> Official:
    """The official plugin as Pulumi would find it: on PATH first, then in its plugin folder."""
    ignored: list[str] = []
    if on_path := shutil.which(f"pulumi-resource-{name}"):
        if not (fault := _fault(Path(on_path))):
            return Official(name, Path(on_path))
        ignored.append(f"{on_path} {fault}")
    plugins = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    folder = plugins / f"resource-{name}-v{STAND_INS[name]}"
    if folder.is_dir():
        executable = folder / f"pulumi-resource-{name}"
        fault = "is not installed completely" if partial(folder).exists() else _fault(executable)
        if not fault:
            return Official(name, executable, folder, tuple(ignored))
        ignored.append(f"{folder if not executable.exists() else executable} {fault}")
    else:
        if others := sorted(other.name for other in plugins.glob(f"resource-{name}-v[0-9]*[0-9]")):
            ignored.append(f"{', '.join(others)} in {plugins} is not version {STAND_INS[name]}")
    return Official(name, ignored=tuple(ignored))


def partial(folder: Path) -> Path:
    """The mark with which Pulumi says that a plugin is not installed completely (sdk/go/common/workspace)."""
    return folder.with_name(f"{folder.name}.partial")


def _fault(executable: Path) -> str:
    """Why a file cannot be run here; empty when it can."""
    if not executable.is_file():
        return f"has no executable {executable.name}"
    if not os.access(executable, os.X_OK):
        return "may not be executed"
    return "" if _is_for(_head(executable)) else "is for another system or processor"


def _head(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(20)


def _is_for(head: bytes) -> bool:
    """Whether the beginning of a file is that of a program for this machine, or of a script."""
    if head.startswith(b"#!"):
        return True
    if sys.platform == "darwin":
        return head.startswith(_MACH_O)
    own = _head(Path(sys.executable))
    # Width, byte order, and at the end the processor.
    return head.startswith(_ELF) and (head[4:6], head[18:]) == (own[4:6], own[18:])


def provide(plugins: Iterable[Official], home: Path) -> None:
    """Puts the plugins of Pulumi's plugin folder into another one, as Pulumi keeps them.

    Pulumi takes folders only, no symbolic links to them. Files are hard links where the file system allows it, else
    copies; a folder gets its name when it is complete.

    Args:
        plugins: those that are on PATH are left out.
        home: the other PULUMI_HOME.
    """
    target = home / "plugins"
    target.mkdir(parents=True, exist_ok=True)
    for plugin in plugins:
        if plugin.folder is None or plugin.executable is None:
            continue
        copy = target / plugin.folder.name
        if _is_same(plugin.executable, copy):
            continue
        # Pulumi takes a name with this ending for a plugin that is being installed.
        unfinished = copy.with_name(f"{copy.name}.tmp0")
        for old in (unfinished, copy):
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink(
                missing_ok=True
            )
        shutil.copytree(
            plugin.folder, unfinished, copy_function=_link_or_copy, ignore_dangling_symlinks=True
        )
        unfinished.rename(copy)
        partial(copy).unlink(missing_ok=True)


def _is_same(executable: Path, copy: Path) -> bool:
    if copy.is_symlink() or partial(copy).exists():
        return False
    try:
        one, other = executable.stat(), (copy / executable.name).stat()
    except OSError:
        return False
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _link_or_copy(source: str, target: str) -> str:
    try:
        # Of the file itself: a link to a link would lead outside.
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)
    return target
