"""The machine, as far as it decides the figures."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.results import Measured
from sandbox.state import ROOT


def machine() -> dict[str, Any]:
    """Processor, cores, memory, kernel, and the versions of what runs."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1].strip() if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory GiB": round(int(memory[1]) / 1024 / 1024, 1) if memory else None,
        "kernel": platform.release(),
        "system": _system(),
        "python": platform.python_version(),
        **{
            name: importlib.metadata.version(name)
            for name in ("pulumi", "pulumi-kubernetes", "pulumi-vault", "pydantic")
        },
    }


def _system() -> str:
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', _text(Path("/etc/os-release")), re.MULTILINE)
    return match[1] if match else platform.system()


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def now() -> Measured:
    """The date, and the commit with a `+` when there are changes beside it."""
    commit = _git("rev-parse", "--short", "HEAD") or "unknown"
    # What the benchmarks themselves write is no change of what is measured.
    own = [":!benchmarks/*.json", ":!benchmarks/chart.svg", ":!docs/benchmarks.md"]
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *own)
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Measured(date, commit + ("+" if changed else ""))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()
