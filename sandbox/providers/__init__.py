"""Stand-ins for provider plugins that are not installed. They act on the same real servers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def write_launchers(directory: Path, names: Iterable[str]) -> Path:
    """Writes the executables `pulumi-resource-<name>` by which the engine finds the stand-ins."""
    for name in names:
        module = f"sandbox.providers.{name.replace('-', '_')}"
        _write(directory, f"pulumi-resource-{name}", f'{_python(module)} "$@"')
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def write_forwarders(directory: Path, executables: Iterable[Path]) -> None:
    """Writes executables of the same names that run these, wherever PATH has them for the engine."""
    for executable in executables:
        command = f'exec {shlex.quote(str(executable.absolute()))} "$@"'
        _write(directory, executable.name, command)


def write_analyzer(directory: Path) -> Path:
    """Writes the executable by which an engine without Python's language plugin runs policy packs."""
    name = "pulumi-analyzer-policy-python"
    return _write(directory, name, f'{_python("sandbox.engine.policy_host")} "$1" "$2"')


def write_language(directory: Path) -> Path:
    """Writes the executable that `pulumi import` asks for the program's packages."""
    command = f'{_python("sandbox.engine.import_host")} "$@"'
    return _write(directory, "pulumi-language-python", command)


def _python(module: str) -> str:
    path, python = shlex.quote(str(ROOT)), shlex.quote(sys.executable)
    return f"PYTHONPATH={path} exec {python} -m {module}"


def _write(directory: Path, name: str, command: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\n{command}\n")
    file.chmod(0o755)
    return directory
