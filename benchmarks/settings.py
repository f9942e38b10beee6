"""Settings: load, check and render; and what the modules of a stack cost to import, beside the SDK's own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Usage, in_turns, ordinary, run
from benchmarks.results import Result, result
from sandbox.state import ROOT

#: Name of the figure to the stack whose modules are imported. The target is AWS's.
STACKS = {
    "aws": "example-aws-secret-manager",
    "azure": "example-azure-key-vault",
    "gcp": "example-google-secret-manager",
    "vault": "production",
    "kubernetes": "local",
}
MILLISECONDS = 50
IMPORT_RATIO = 1.2


def largest() -> Path:
    """The stack file with the most bytes."""
    return max((ROOT / "stacks").glob("Pulumi.*.yaml"), key=lambda file: file.stat().st_size)


def load_check_render(times: int) -> Iterator[Result]:
    """Reading a stack file, checking it, and writing Kestra's file; in a process that has done it before."""
    from components.rendering.configuration import render
    from components.validation import load_file

    file, took = largest(), []
    for _ in range(times + 1):
        start = time.perf_counter()
        render(load_file(file).settings).yaml()
        took.append((time.perf_counter() - start) * 1000)
    yield result(
        "settings.load-check-render", statistics.median(took[1:]), "ms", None, MILLISECONDS
    )
    yield result("settings.load-check-render.first", took[0], "ms")


_USED = """
import json, sys
from components.program import build
from components.validation import load_file
from sandbox.inspection.recorder import preview
settings = load_file(sys.argv[1]).settings
preview(lambda: build(settings), "test")
loaded = [n for n, m in sys.modules.items() if type(m).__name__ == "module"]
print(json.dumps([[n for n in loaded if n.startswith("components.")],
                  ["pulumi", *(n for n in loaded if n.startswith("pulumi_"))]]))
"""


def imported(stack: str) -> tuple[list[str], list[str]]:
    """Modules that a run of a stack's program loads: the project's own, and the SDK's."""
    file = ROOT / "stacks" / f"Pulumi.{stack}.yaml"
    command = [sys.executable, "-c", _USED, str(file)]
    done = subprocess.run(
        command, cwd=ROOT, env=ordinary(os.environ), capture_output=True, text=True, check=True
    )
    own, sdk = json.loads(done.stdout.splitlines()[-1])
    return own, sdk


def imports(name: str, times: int) -> Iterator[Result]:
    """Processor time of a process that imports a stack's modules, against one that imports the SDK's alone."""
    own, sdk = imported(STACKS[name])

    def importing(modules: list[str]) -> Usage:
        return run([sys.executable, "-c", f"import {', '.join(modules)}"], cwd=ROOT)

    pair = in_turns(times, lambda _: importing([*own, *sdk]), lambda _: importing(sdk))
    value, floor = pair.median("cpu")
    target = IMPORT_RATIO if name == "aws" else None
    yield result(f"imports.{name}", value, "s cpu", floor, target)
