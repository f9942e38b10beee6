"""Sources of Go modules, which Go fetches into its own cache and whose content is pinned by Go's sum."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError

_SOURCE, _REPLACED = "source", "replaced"


@dataclass(frozen=True)
class Source:
    """A module whose files are needed, not only what it builds."""

    module: str
    version: str
    sum: str
    """What Go says of the module's content, so that another one is refused."""


def fetch(source: Source, folder: Path) -> Path:
    """The module's folder in Go's cache, which is read only.

    Args:
        source: the module.
        folder: outside of a module; there Go asks the database of sums itself.

    Raises:
        SandboxError: when Go is missing, or cannot fetch the module or finds another one.
    """
    name = f"{source.module}@{source.version}"
    go = shutil.which("go")
    if go is None:
        raise SandboxError(
            f"Go is not installed, which fetches {name} (https://go.dev/doc/install)."
        )
    done = subprocess.run(
        [go, "mod", "download", "-json", name], cwd=folder, capture_output=True, text=True
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if done.returncode or answer.get("Error") or "Dir" not in answer:
        said = (answer.get("Error") or done.stderr).strip()[-300:]
        raise SandboxError(f"{name} could not be fetched: {said}. Run the command again.")
    if answer.get("Sum") != source.sum:
        raise SandboxError(f"{name} is not the one that is pinned ({answer.get('Sum')}).")
    return Path(answer["Dir"])


def with_replaced_files(module: Path, source: Source, parts: tuple[str, ...], folder: Path) -> Path:
    """A copy of a tool's module in which `source/` is the fetched one, with the files of `replaced/` in it.

    Go refuses to build with files of its cache replaced (`-overlay`), and a module cannot leave out packages that a
    package of its dependency imports. The tool's `go.mod` replaces the dependency with `./source`.

    Args:
        module: the tool's folder.
        source: the dependency.
        parts: folders and files of the dependency that are needed.
        folder: where the copy is made; it must not exist.

    Raises:
        SandboxError: see `fetch`.
    """
    origin = fetch(source, module.parent)
    shutil.copytree(module, folder, ignore=shutil.ignore_patterns(_REPLACED))
    copy = folder / _SOURCE
    copy.mkdir()
    for part in parts:
        if (origin / part).is_dir():
            # Contents alone: the modes of Go's cache are read only.
            shutil.copytree(origin / part, copy / part, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(origin / part, copy / part)
    for directory in [copy, *(d for d in copy.rglob("*") if d.is_dir())]:
        directory.chmod(0o755)
    shutil.copytree(module / _REPLACED, copy, dirs_exist_ok=True)
    return folder
