"""The SDKs of the package, generated from its schema, and the examples that use them, ready to run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from components.package.schema import FILE
from tests.conftest import ROOT

EXAMPLES = ROOT / "examples" / "package"
PROJECT = "consumer"
RUNNERS = Path(__file__).parent / "fixtures" / "runners"
_GO_MODULE = "example.com/pulumi-kestra-platform/sdk/go/kestra-platform"


def run(command: list[str], folder: Path, **more: str) -> str:
    """The output of a command that has to succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def generate_sdks(generator: Path, folder: Path) -> Path:
    """Writes the SDKs of TypeScript, Go and Python below a folder."""
    run([str(generator), "-out", str(folder), str(FILE)], folder)
    return folder


def generate_csharp(generator: Path, folder: Path) -> Path:
    """Writes the SDK of C# into a folder. No compiler of it is used here."""
    run([str(generator), "-out", str(folder), str(FILE)], folder)
    return folder


def _copy(language: str, folder: Path) -> None:
    """Copies an example, as a project of the one name that all have in the tests."""
    shutil.copytree(EXAMPLES / language, folder)
    project = folder / "Pulumi.yaml"
    # Without `main`: the runners know their program.
    lines = [line for line in project.read_text().splitlines() if not line.startswith("main:")]
    names = (f"name: {PROJECT}" if line.startswith("name:") else line for line in lines)
    project.write_text("\n".join(names) + "\n")


#: The examples of each language.
PROGRAMS = ("minimal", "production")
Commands = dict[str, list[str]]
"""Example to the command that runs it, without operation and settings."""


def typescript(sdks: Path, folder: Path) -> Commands:
    """Compiles the SDK and the examples into a folder."""
    _copy("typescript", folder)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    source, compiler = folder / "sdk", str(folder / "node_modules" / ".bin" / "tsc")
    shutil.copytree(sdks / "nodejs", source)
    run([compiler, "-p", str(source)], folder)
    shutil.copy(source / "package.json", source / "bin")
    shutil.copytree(source / "bin", folder / "node_modules" / "@pulumi" / "kestra-platform")
    run([compiler, "-p", "."], folder)
    runner = str(RUNNERS / "run.mjs")
    return {one: ["node", runner, str(folder / "bin" / f"{one}.js")] for one in PROGRAMS}


def golang(sdks: Path, folder: Path) -> Commands:
    """The same in Go; operation and settings are in its environment."""
    _copy("go", folder)
    sdk = folder / "sdks" / "kestra-platform"
    shutil.copytree(sdks / "go" / "kestraplatform", sdk)
    (sdk / "go.mod").write_text(
        f"module {_GO_MODULE}\n\ngo 1.26\n\nrequire github.com/pulumi/pulumi/sdk/v3 v3.259.0\n"
    )
    for one in PROGRAMS:
        shutil.copy(RUNNERS / "engine_test.go", folder / one)
        run(["go", "test", "-mod=mod", "-c", "-o", str(folder / f"run-{one}"), f"./{one}"], folder)
    return {one: [str(folder / f"run-{one}"), "-test.run", "TestEngine"] for one in PROGRAMS}


def python(sdks: Path, folder: Path) -> Commands:
    """The same in Python; the SDK lies beside the program."""
    _copy("python", folder)
    (sdks / "python" / "README.md").touch()
    # The SDK asks for the version of its own distribution.
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--no-build-isolation",
            "--target",
            str(folder),
            str(sdks / "python"),
        ],
        folder,
    )
    return _run_by(sys.executable, folder)


def python_package(interpreter: Path, folder: Path) -> Commands:
    """The same with the components themselves, by the Python of an environment that has the wheel."""
    _copy("python-package", folder)
    return _run_by(str(interpreter), folder)


def _run_by(interpreter: str, folder: Path) -> Commands:
    runner = str(RUNNERS / "run.py")
    return {one: [interpreter, "-P", runner, str(folder / f"{one}.py")] for one in PROGRAMS}
