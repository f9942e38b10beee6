"""What a command says where Python lacks a package of the project's. Only Python's own modules are used here."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_OWN = ("benchmarks", "components", "policy", "sandbox")


def explain(error: ModuleNotFoundError, target: str) -> str:
    """One sentence: which package is missing, and how to get to a Python that has it.

    Args:
        error: of an import.
        target: of make, which installs the packages: `venv`, `.venv/sandbox`.

    Raises:
        ModuleNotFoundError: where the module is one of this project's own.
    """
    name = (error.name or "").partition(".")[0]
    if not name or name in _OWN:
        raise error
    environment = _ROOT / ".venv"
    is_used = Path(sys.prefix) == environment
    steps = []
    if is_used or not (environment / "bin" / "python").exists():
        steps.append(f"run `make {target}` in {_ROOT}")
    if not is_used:
        steps.append(
            f"run the command with {environment}/bin/python, or after `. {environment}/bin/activate`"
        )
    return f"{sys.executable} has no package {name}: {', then '.join(steps)}."
