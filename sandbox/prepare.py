"""`python -m sandbox.prepare`: installs, fetches and builds at the same time what a command needs for a stack.

Runs before the packages of the sandbox are there: it imports only what `requirements/start.txt` installs, until they are.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from sandbox.command_line import CommandConsole, run_command
from sandbox.errors import SandboxError
from sandbox.jobs import Job, run_jobs
from sandbox.nodes import machine_needs
from sandbox.tools import CONTROL_PLANE, EXTERNAL_SECRETS, REAL_NODES

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = "requirements/sandbox.txt"


def prepare(purpose: str, stack: str, console: Console) -> None:
    """Brings here what `purpose` needs for `stack`.

    Args:
        purpose: `report` needs packages alone, `preview` the tools too, `up` also the stack's Kestra, `pods` also
            the programs of real nodes.
        stack: name of the stack.
        console: where the progress is shown.

    Raises:
        SandboxError: when a part fails, with what to do, and when the stack file has problems, with all of them.
    """
    if purpose == "pods":
        machine_needs.require()
    file = Path("stacks") / f"Pulumi.{stack}.yaml"
    if not (ROOT / file).exists():
        names = sorted(path.name[7:-5] for path in (ROOT / "stacks").glob("Pulumi.*.yaml"))
        raise SandboxError(f"There is no stack {stack}. Known are {', '.join(names)}.")
    tools = _tools("Pulumi engine and Kubernetes", "pulumi", *CONTROL_PLANE)
    packages = Job("Python packages", [_pip(PACKAGES)])
    packages.on_done = lambda: _jobs_of_stack(purpose, file, tools)
    run_jobs([packages] if purpose == "report" else [packages, tools], console)


def _jobs_of_stack(purpose: str, file: Path, tools: Job) -> list[Job]:
    """What the settings ask for, which can be read once the packages are installed."""
    importlib.invalidate_caches()
    from components.sdk_packages import sdk_packages
    from components.settings import SettingsError
    from components.validation import load_file

    try:
        settings = load_file(str(file)).settings
    except SettingsError as error:
        raise SandboxError(error.report()) from None
    jobs = []
    if packages := sdk_packages(settings):
        # Also where they are installed, since another version may be locked now.
        names = " and ".join(package.name for package in packages)
        jobs.append(Job(names, [_pip(*(package.lock for package in packages))]))
    if purpose != "report" and any(manager.type == "vault" for manager in settings.managers):
        # Two linkers of such programs at once need more memory than small machines have.
        tools = _tools("Vault", "vault", after=tools)
        jobs.append(tools)
    has_kestra = not settings.is_secrets_alone
    if purpose != "report" and settings.uses_external_secrets and has_kestra:
        title = "External Secrets Operator"
        jobs.append(_tools(title, EXTERNAL_SECRETS, after=tools))
    if purpose in ("up", "pods") and has_kestra:
        jobs.append(_tools(f"Kestra {settings.version}", "--kestra", settings.version))
    if purpose == "pods":
        jobs.append(_tools("Programs of real nodes", *REAL_NODES, after=tools))
    return jobs


def _pip(*locks: str) -> list[str]:
    files = [word for lock in locks for word in ("-r", lock)]
    options = ["--disable-pip-version-check", "--no-compile", "--progress-bar", "off"]
    return [sys.executable, "-m", "pip", "install", *options, *files]


def _tools(title: str, *arguments: str, after: Job | None = None) -> Job:
    return Job(title, [[sys.executable, "-u", "-m", "sandbox.tools", *arguments]], after)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; errors are one sentence each."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.prepare", description=__doc__)
    parser.add_argument("purpose", choices=("report", "preview", "up", "pods"))
    parser.add_argument("stack")
    chosen = parser.parse_args(arguments)
    console = CommandConsole()
    try:
        prepare(chosen.purpose, chosen.stack, console)
    except SandboxError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if not console.is_closed:
            print("Interrupted. Run the same command again to go on.", file=sys.stderr)
        return console.interrupted
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
