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
    project.write_text(project.read_text().replace(f"kestra-from-{language}", PROJECT))


def typescript(sdks: Path, folder: Path) -> list[str]:
    """Compiles SDK and example into a folder; returns the command that runs it, without operation and settings."""
    _copy("typescript", folder)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    source, compiler = folder / "sdk", str(folder / "node_modules" / ".bin" / "tsc")
    shutil.copytree(sdks / "nodejs", source)
    run([compiler, "-p", str(source)], folder)
    shutil.copy(source / "package.json", source / "bin")
    shutil.copytree(source / "bin", folder / "node_modules" / "@pulumi" / "kestra-platform")
    run([compiler, "-p", "."], folder)
    return ["node", str(RUNNERS / "run.mjs"), str(folder)]


def golang(sdks: Path, folder: Path) -> list[str]:
    """The same in Go; operation and settings are in its environment."""
    _copy("go", folder)
    sdk = folder / "sdks" / "kestra-platform"
    shutil.copytree(sdks / "go" / "kestraplatform", sdk)
    (sdk / "go.mod").write_text(
        f"module {_GO_MODULE}\n\ngo 1.26\n\nrequire github.com/pulumi/pulumi/sdk/v3 v3.259.0\n"
    )
    run(["go", "build", "-mod=mod", "-o", str(folder / "example"), "."], folder)
    shutil.copy(RUNNERS / "engine_test.go", folder)
    run(["go", "test", "-mod=mod", "-c", "-o", str(folder / "engine"), "."], folder)
    return [str(folder / "engine"), "-test.run", "TestEngine"]


def python(sdks: Path, folder: Path) -> list[str]:
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
    return [sys.executable, "-P", str(RUNNERS / "run.py"), str(folder)]
