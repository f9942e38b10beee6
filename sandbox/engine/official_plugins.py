"""The official provider plugins: which the sandbox can use, and where a machine has them.

The engine (3.259) takes the plugin that PATH has, whatever its version, before its plugin folder, and from that folder
exactly the version of the SDK that registers a resource. The sandbox asks both for the SDK's version.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

NAMES = ("aws", "azure-native", "gcp", "kubernetes", "random", "vault")
"""The providers of the program; each has a stand-in in `sandbox/providers`."""
UNUSABLE = {
    "aws": "the official plugin was not tried with the local AWS API server, which lacks EKS pod identities",
    "azure-native": "the official plugin calls Azure itself, and there is no Azure server for one machine",
    "gcp": "the official plugin calls Google for keys, accounts and policies, and there is no server of them for one"
    " machine",
}
"""Providers whose official plugin the sandbox never uses, and why."""
_ANSWER_SECONDS = 10
_ELF = b"\x7fELF"
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


@dataclass(frozen=True)
class Official:
    """What a machine has of an official plugin."""

    name: str
    executable: Path | None = None
    """None: there is none that can be used."""
    folder: Path | None = None
    """In a plugin folder of Pulumi; None: it is on PATH."""
    ignored: tuple[str, ...] = ()
    """What is there and cannot be used, a sentence each."""


@functools.cache
def sdk_versions() -> dict[str, str]:
    """Provider to the version of its SDK, of those that are installed: the engine asks for a plugin of this version."""
    versions = {}
    for name in NAMES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(f"pulumi-{name}")
    return versions


def pulumi_plugins() -> Path:
    """The plugin folder of the caller's Pulumi."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"


def find(
    name: str, folders: Sequence[Path], version_of: Callable[[Path], str | None] | None = None
) -> Official:
    """The official plugin, where Pulumi would look for it: on PATH, then in plugin folders.

    Args:
        name: of the provider.
        folders: plugin folders of Pulumi, in the order of preference.
        version_of: gives the version of the plugin on PATH; `reported_version` where it is not given.
    """
    version, ignored = sdk_versions().get(name), list[str]()
    if version is None:
        return Official(name)
    may_be_on_path = os.environ.get("PULUMI_IGNORE_AMBIENT_PLUGINS", "") not in ("1", "true")
    if may_be_on_path and (on_path := shutil.which(f"pulumi-resource-{name}")):
        executable = Path(on_path).absolute()
        fault = _fault(executable) or _other_version(
            (version_of or reported_version)(executable), version
        )
        if not fault:
            return Official(name, executable)
        ignored.append(f"{executable} {fault}")
    for plugins in folders:
        folder = plugins / f"resource-{name}-v{version}"
        if folder.is_dir():
            executable = folder / f"pulumi-resource-{name}"
            fault = (
                "is not installed completely" if partial(folder).exists() else _fault(executable)
            )
            if not fault:
                return Official(name, executable, folder, tuple(ignored))
            ignored.append(f"{folder if not executable.exists() else executable} {fault}")
        elif others := sorted(p.name for p in plugins.glob(f"resource-{name}-v[0-9]*[0-9]")):
            ignored.append(f"{', '.join(others)} in {plugins} is not version {version}")
    return Official(name, ignored=tuple(ignored))


def reported_version(executable: Path) -> str | None:
    """The version that a plugin gives when it is asked, as the engine asks; None when it gives none in 10 s."""
    # The argument is the engine's address, to which a plugin sends its log; there is none.
    command, env = [str(executable), "127.0.0.1:1"], {"HOME": tempfile.gettempdir()}
    env["PATH"] = os.environ.get("PATH", os.defpath)
    quiet = subprocess.DEVNULL
    with (
        suppress(OSError, ValueError, grpc.RpcError),
        subprocess.Popen(
            command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, env=env
        ) as process,
    ):
        try:
            assert process.stdout is not None
            if not select.select([process.stdout], [], [], _ANSWER_SECONDS)[0]:
                return None
            address = f"127.0.0.1:{int(process.stdout.readline())}"
            with grpc.insecure_channel(address) as channel:
                plugin = provider_pb2_grpc.ResourceProviderStub(channel)
                info = plugin.GetPluginInfo(empty_pb2.Empty(), timeout=_ANSWER_SECONDS)
            return info.version.removeprefix("v")
        finally:
            process.kill()
    return None


def _other_version(reported: str | None, version: str) -> str:
    if reported is None:
        return "does not start"
    return "" if reported == version else f"is version {reported}, and the SDK asks for {version}"


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
