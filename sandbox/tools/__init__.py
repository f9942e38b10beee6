"""The programs that the sandbox runs: taken from the machine where they fit, else built once.

A module folder next to this file (`go.mod`, `go.sum`) pins what is built. A built tool lies in the cache under
`tools/<module>-<version>-<hash of the module>/`; a build happens in a folder of its own and is moved there
when it is complete, so that a half-written tool is never used, and a lock keeps two runs apart.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.tools.building import build_folder
from sandbox.tools.modules import (
    CONTROL_PLANE,
    EXTERNAL_SECRETS,
    EXTERNAL_SECRETS_SOURCE,
    FITS,
    MODULES,
    OFFICIAL_KUBERNETES,
    REAL_NODES,
    Module,
)
from sandbox.tools.sources import with_replaced_files

HERE = Path(__file__).parent
GO_NEEDED = (1, 26)

__all__ = [
    "CONTROL_PLANE", "EXTERNAL_SECRETS", "EXTERNAL_SECRETS_SOURCE", "FITS", "GO_NEEDED", "MODULES",
    "OFFICIAL_KUBERNETES", "REAL_NODES", "Module", "Place", "cache_folder", "ensure", "whereabouts",
]  # fmt: skip


def cache_folder() -> Path:
    """The one folder of everything that is built; KESTRA_SANDBOX_CACHE moves it."""
    chosen = os.environ.get("KESTRA_SANDBOX_CACHE")
    return Path(chosen).resolve() if chosen else user_cache_path("kestra-pulumi")


def ensure(names: Iterable[str], progress: Progress) -> dict[str, Path]:
    """Paths of the tools, building those that are missing.

    A folder named by KESTRA_SANDBOX_TOOLS is looked at first, then PATH, then the cache.

    Raises:
        SandboxError: when a tool cannot be built, with what to do.
    """
    needed = list(dict.fromkeys(names))
    paths = {name: path for name in needed if (path := _on_machine(name))}
    missing = [
        m for m in MODULES.values() if any(n in needed and n not in paths for n in m.packages)
    ]
    to_build = [m for m in missing if not _complete(m)]
    with _downloads(to_build[1:]):
        for i, module in enumerate(to_build, 1):
            with progress.step(f"Building {_listing(module)} (once)", i, len(to_build)):
                _build(module, progress)
    for module in missing:
        for name in module.packages:
            if name in needed and name not in paths:
                paths[name] = _entry(module) / name
    return {name: paths[name] for name in needed}


@contextlib.contextmanager
def _downloads(modules: Sequence[Module]) -> Iterator[None]:
    """Downloads what modules need into Go's own cache while others are compiled.

    Failures are left to the builds, which download again and say what is wrong.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_download, args=(modules, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _download(modules: Sequence[Module], ended: threading.Event) -> None:
    go = shutil.which("go")
    if go is None:
        return
    for module in modules:
        if module.source is not None:
            continue  # Its dependency is not there before the build.
        # Lists the packages of a build, for which it downloads what the build would.
        with subprocess.Popen(
            [go, "list", "-mod=readonly", "-deps", *module.packages.values()],
            cwd=HERE / module.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(module),
        ) as process:
            while process.poll() is None:
                if ended.wait(0.2):
                    process.terminate()
                    return


@dataclass(frozen=True)
class Place:
    """Where a tool is."""

    path: Path | None
    """None: it is nowhere, and built when it is needed."""
    kind: str
    """`on this machine`, `in the cache` or `missing`."""
    version: str
    """Of the module that it is built from."""


def whereabouts(name: str) -> Place:
    """Where a tool is; builds nothing.

    Raises:
        KeyError: for a tool that nobody knows.
    """
    module = next(m for m in MODULES.values() if name in m.packages)
    if path := _on_machine(name):
        return Place(path, "on this machine", module.version)
    if _complete(module):
        return Place(_entry(module) / name, "in the cache", module.version)
    return Place(None, "missing", module.version)


def _listing(module: Module) -> str:
    names = list(module.packages)
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"{names[0]}"


def _on_machine(name: str) -> Path | None:
    if name not in FITS:
        return None
    folders = [os.environ.get("KESTRA_SANDBOX_TOOLS", ""), os.environ.get("PATH", "")]
    for folder in filter(None, folders):
        path = shutil.which(name, path=folder)
        if path and _fits(name, path):
            # Servers start in a folder of their own, where a relative path would lead nowhere.
            return Path(path).absolute()
    return None


def _fits(name: str, path: str) -> bool:
    arguments, pattern = FITS[name]
    try:
        answer = subprocess.run(
            [path, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": tempfile.gettempdir(),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            },
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return re.search(pattern, answer.stdout + answer.stderr) is not None


def _entry(module: Module) -> Path:
    digest = hashlib.sha256(module.ldflags.encode())
    for file in sorted((HERE / module.name).rglob("*")):
        if file.suffix in (".mod", ".sum", ".go"):
            digest.update(file.read_bytes())
    return cache_folder() / "tools" / f"{module.name}-{module.version}-{digest.hexdigest()[:12]}"


def _complete(module: Module) -> bool:
    # An entry may have lost files to a cleaner of cache folders.
    return all(os.access(_entry(module) / name, os.X_OK) for name in module.packages)


def _build(module: Module, progress: Progress) -> None:
    entry = _entry(module)
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with _alone(entry, progress):
            if not _complete(module):
                _build_entry(module, entry, progress)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _disk_full(module) from error
        raise SandboxError(
            f"The cache {cache_folder()} cannot be written: {error.strerror or error}. "
            "Choose another folder with KESTRA_SANDBOX_CACHE."
        ) from error


@contextlib.contextmanager
def _alone(entry: Path, progress: Progress) -> Iterator[None]:
    """Keeps two runs apart: the second waits, and then finds what the first has built."""
    lock = FileLock(f"{entry}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.detail("another run is building it; waiting for that")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _build_entry(module: Module, entry: Path, progress: Progress) -> None:
    go = _go(module)
    # It lacks a tool.
    shutil.rmtree(entry, ignore_errors=True)
    with build_folder(entry.parent, ".build-") as folder:
        log = cache_folder() / "logs" / f"build-{module.name}.log"
        log.parent.mkdir(exist_ok=True)
        home = HERE / module.name
        if module.source is not None:
            progress.detail(f"fetching {module.source.module} {module.source.version}")
            build = folder / "module"
            home = with_replaced_files(home, module.source, module.source_parts, build)
        _compile(go, module, home, folder, log, progress)
        complete = folder / "done"
        complete.mkdir()
        for name in module.packages:
            os.replace(folder / name, complete / name)
        os.replace(complete, entry)


def _environment(module: Module) -> dict[str, str]:
    """The caller's, with its Go caches and proxies, without what would make another build of it."""
    changing = ("GOFLAGS", "GOOS", "GOARCH", "GO111MODULE")
    own = {"GOWORK": "off"} | ({"CGO_ENABLED": "0"} if module.is_static else {})
    kept = {k: v for k, v in os.environ.items() if k not in changing}
    # Fewer garbage collections of the compiler and the linker: a quarter less processor time.
    return {"GOGC": "400"} | kept | own


def _compile(
    go: str, module: Module, home: Path, folder: Path, log: Path, progress: Progress
) -> None:
    # One command for all packages of a module: what they share is compiled once. The linker leaves debug information
    # out (-w); not to generate it either saves a seventh of the time.
    command = [
        go, "build", "-v", "-trimpath", "-mod=readonly", "-buildvcs=false", "-gcflags=all=-dwarf=false",
        "-ldflags", f"-s -w {module.ldflags}".strip(),
        "-o", f"{folder}/", *module.packages.values(),
    ]  # fmt: skip
    compiled = 0
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(module),
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                out.write(line)
                compiled += not line.startswith("go: ")
                text = line.strip().removeprefix("go: ") if line.startswith("go: ") else ""
                progress.detail(text or f"{compiled} of at most {module.compiles} packages")
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if status != 0:
        text = log.read_text(encoding="utf-8")
        if os.strerror(errno.ENOSPC).lower() in text.lower():
            raise _disk_full(module)
        last = " ".join(text.strip().split("\n")[-4:])
        raise SandboxError(
            f"{_listing(module)} could not be built: {last[-600:]} (log: {log}). "
            "Run the command again to go on where it stopped."
        )


def _disk_full(module: Module) -> SandboxError:
    return SandboxError(
        f"The disk is full; {_listing(module)} could not be built. Make room in "
        f"{cache_folder()} and in Go's build cache (go env GOCACHE), or move them with "
        "KESTRA_SANDBOX_CACHE and GOCACHE; then run the command again."
    )


def _go(module: Module) -> str:
    go = shutil.which("go")
    need = ".".join(map(str, GO_NEEDED))
    if not go:
        raise SandboxError(
            f"Go is not installed. Install Go {need} or later (https://go.dev/doc/install), or put the "
            "finished tools on PATH."
        )
    # Asked in the module's folder, a Go that can fetch the toolchain of go.mod answers with that one.
    answer = subprocess.run(
        [go, "env", "GOVERSION"],
        cwd=HERE / module.name,
        capture_output=True,
        text=True,
        env=_environment(module),
    )
    version = tuple(int(n) for n in re.findall(r"\d+", answer.stdout)[:2])
    if version < GO_NEEDED:
        said = answer.stdout.strip() or answer.stderr.strip() or go
        raise SandboxError(
            f"Go is too old ({said}). Install Go {need} or later (https://go.dev/doc/install)."
        )
    return go
