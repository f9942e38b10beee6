"""Commands of a Python without the project's packages: one sentence that says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from components.missing_packages import explain

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", ["components", "sandbox"])
def test_a_python_without_the_packages_gets_one_sentence(module: str) -> None:
    # Isolated from the packages of this environment: without its site-packages.
    code = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); runpy.run_module('{module}', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert "has no package" in line
    assert "make " in line or ".venv/bin/activate" in line


def test_a_module_of_the_project_is_no_missing_package() -> None:
    error = ModuleNotFoundError("No module named 'components.x'", name="components.x")
    with pytest.raises(ModuleNotFoundError):
        explain(error, "venv")
