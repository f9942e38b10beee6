"""A class of the tests' own beside the harness that boots a real Kestra."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sandbox.errors import SandboxError
from sandbox.kestra import Harness

T = TypeVar("T")


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


def on_free_ports(folder: Path, attempt: Callable[[], T]) -> T:
    """What an attempt gives, which chooses free ports and boots a server in the folder on them.

    It is tried again where another program took one of them meanwhile.
    """
    for is_last in (False, False, True):
        try:
            return attempt()
        except SandboxError:
            if is_last or "Address already in use" not in (folder / "kestra.log").read_text():
                raise
    raise AssertionError("the last attempt returns or raises")
