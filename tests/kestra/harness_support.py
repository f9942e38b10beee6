"""A class of the tests' own beside the harness that boots a real Kestra."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path

from sandbox.kestra import Harness


def with_class(harness: Harness, source: Path, folder: Path) -> Harness:
    """The harness with a class more.

    Args:
        harness: the built one.
        source: the class's file.
        folder: where it is compiled to.
    """
    classes = folder / "classes"
    classes.mkdir(parents=True, exist_ok=True)
    # The class path is too long for some systems' argument limit.
    arguments = folder / "arguments"
    arguments.write_text(f'-cp "{harness.classpath}"')
    javac = harness.java.parent / "javac"
    subprocess.run([javac, "-proc:none", "-d", classes, f"@{arguments}", source], check=True)
    return dataclasses.replace(harness, classpath=f"{classes}{os.pathsep}{harness.classpath}")
