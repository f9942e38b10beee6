"""Stand-ins for provider plugins that are not installed. They act on the same real servers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def write_launchers(directory: Path, names: Iterable[str]) -> Path:
    """Writes the executables `pulumi-resource-<name>` by which the engine finds the stand-ins."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        file = directory / f"pulumi-resource-{name}"
        file.write_text(
            "#!/bin/sh\n"
            f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} "
            f'-m sandbox.plugins.{name.replace("-", "_")} "$@"\n'
        )
        file.chmod(0o755)
    return directory


def write_forwarders(directory: Path, executables: Iterable[Path]) -> None:
    """Writes executables of the same names that run these, wherever PATH has them for the engine."""
    directory.mkdir(parents=True, exist_ok=True)
    for executable in executables:
        file = directory / executable.name
        file.write_text(f'#!/bin/sh\nexec {shlex.quote(str(executable.absolute()))} "$@"\n')
        file.chmod(0o755)


def write_analyzer(directory: Path) -> Path:
    """Writes the executable by which an engine without Python's language plugin runs policy packs."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "pulumi-analyzer-policy-python"
    file.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} "
        '-m sandbox.plugins.analyzer "$1" "$2"\n'
    )
    file.chmod(0o755)
    return directory
