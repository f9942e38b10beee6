"""`python -m components check FILE…`, `render FILE`, `network FILE…`, `import FILE…`, `adopt STATE`: no engine, no cloud.

`drift STATE` asks the secret manager for the numbers of versions, and `secret` puts values into it, with the caller's
credentials.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import COMMAND
from .closed_output import run_command
from .missing_packages import explain

try:
    from .importing.arguments import add_arguments as add_import_arguments
    from .input_options import add_input_options
    from .sdk_packages import missing_packages
    from .secret_values.command import add_arguments as add_secret_arguments
    from .settings import Settings, SettingsError
    from .settings.report import terminal_report
    from .stack_inputs import InputError, StackInputs
    from .validation.stacks_together import shared_secrets
except ModuleNotFoundError as error:
    sys.exit(explain(error, "venv"))


def check(files: Sequence[str], inputs: StackInputs) -> int:
    """Checks stack files; prints a report for each, and which of them are in each other's way. 0 when all are valid,
    else 1.

    A package that a valid stack needs and that is not installed is named, and is no problem of the file. Nor is a
    value of another stack that is not given.
    """
    status = 0
    valid: list[tuple[str, Settings]] = []
    for file in files:
        try:
            loaded = inputs.load(file)
        except SettingsError as error:
            print(terminal_report(error.problems), file=sys.stderr)
            status = 1
            continue
        if loaded.is_complete:
            valid.append((file, loaded.settings))
        print(f"{file}: valid for Kestra {loaded.settings.version}, {loaded.settings.edition}")
        for note in loaded.notes:
            print(f"  {note}", file=sys.stderr)
        if loaded.warnings:
            print(terminal_report(loaded.warnings), file=sys.stderr)
        if missing := missing_packages(loaded.settings):
            print(missing, file=sys.stderr)
    if together := list(shared_secrets(valid)):
        print(terminal_report(together), file=sys.stderr)
    return status


def render(file: str, inputs: StackInputs, *, environment: bool) -> int:
    """Prints the application.yaml of a stack file, or the names of the stack's own variables in it."""
    from .rendering.configuration import render as render_settings

    try:
        loaded = inputs.load(file).completed()
        configuration = render_settings(loaded.settings)
    except SettingsError as error:
        print(terminal_report(error.problems), file=sys.stderr)
        return 1
    if loaded.warnings:
        print(terminal_report(loaded.warnings), file=sys.stderr)
    if environment:
        print("\n".join(configuration.environment))
    else:
        print(configuration.yaml(), end="")
    return 0


def network(files: Sequence[str], inputs: StackInputs) -> int:
    """Prints what the network policies of stack files open, and why. 0 when all are valid, else 1."""
    from .kubernetes.open_ports import as_text

    status = 0
    for file in files:
        try:
            loaded = inputs.load(file).completed()
        except SettingsError as error:
            print(terminal_report(error.problems), file=sys.stderr)
            status = 1
            continue
        print(f"{file}:\n{as_text(loaded.settings)}", end="")
        if loaded.warnings:
            print(terminal_report(loaded.warnings), file=sys.stderr)
    return status


def team(file: str, inputs: StackInputs) -> int:
    """Prints what Kestra's stack and the deployer of a stack of secrets alone need; 1 for another stack."""
    try:
        settings = inputs.load(file).completed().settings
    except SettingsError as error:
        print(terminal_report(error.problems), file=sys.stderr)
        return 1
    if not settings.is_secrets_alone:
        print(
            f"{file} is no stack of secrets alone (kestra:deployment.enabled: false).",
            file=sys.stderr,
        )
        return 1
    from .team_grants import as_text

    print(as_text(settings), end="")
    return 0


def adopt(file: str, ids: Sequence[str]) -> int:
    """Prints a killed update's state with what exists of what was being created; without ids, what that was.

    Args:
        file: what `pulumi stack export` wrote.
        ids: `NAME=ID` of each resource that exists.
    """
    from .safeguards.interrupted_updates import adopt_pending, by_name

    try:
        state = json.loads(Path(file).read_text())
        deployment = state["deployment"]
        known = deployment.get("pending_operations") or []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        print(f"{file} is no state: write it with `pulumi stack export --file`.", file=sys.stderr)
        return 1
    if not ids:
        for one in known:
            name = one["resource"]["urn"].rpartition("::")[2]
            print(f"{one['type']:<10} {name} ({one['resource']['type']})")
        if not known:
            print("Nothing was under way.")
        return 0
    ids_by_name = {name: id_ for name, _, id_ in (one.partition("=") for one in ids)}
    adopted = adopt_pending(deployment, by_name(ids_by_name))
    unknown = {name.rpartition("::")[2] for name in ids_by_name} - set(adopted.adopted)
    if unknown or not all(ids_by_name.values()):
        names = ", ".join(sorted(unknown)) or "NAME=ID"
        print(
            f"Not adopted: {names}. Each must be a resource that was being created, written NAME=ID;"
            f" `{COMMAND} adopt {file}` lists them.",
            file=sys.stderr,
        )
        return 1
    for left in adopted.left:
        print(f"May be left where it was made: {left}.", file=sys.stderr)
    print(json.dumps(state | {"deployment": adopted.deployment}, indent=4))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Checks and renders the settings of a stack; makes a stack file of a running installation; mends the state after an update that was killed.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser(
        "check", help="report every problem of stack files; exit 1 if any"
    )
    checking.add_argument("files", nargs="+", metavar="FILE", help="stacks/Pulumi.<stack>.yaml")
    rendering = commands.add_parser("render", help="print the application.yaml of a stack file")
    rendering.add_argument("file", metavar="FILE", help="stacks/Pulumi.<stack>.yaml")
    rendering.add_argument(
        "--environment",
        action="store_true",
        help="print the names of the variables that the stack provides for it",
    )
    opened = commands.add_parser(
        "network", help="print what the network policies of stack files open, and why"
    )
    opened.add_argument("files", nargs="+", metavar="FILE", help="stacks/Pulumi.<stack>.yaml")
    of_team = commands.add_parser(
        "team",
        help="print what Kestra's stack and the deployer of a team's stack of secrets need (docs/teams.md)",
    )
    of_team.add_argument("file", metavar="FILE", help="stacks/Pulumi.<stack>.yaml")
    for one in (checking, rendering, opened, of_team):
        add_input_options(one)
    adopting = commands.add_parser(
        "adopt", help="go on after an update that was killed (docs/interrupted.md)"
    )
    adopting.add_argument("file", metavar="STATE", help="what `pulumi stack export --file` wrote")
    adopting.add_argument(
        "ids", nargs="*", metavar="NAME=ID", help="what exists of what was being created"
    )
    drifting = commands.add_parser(
        "drift", help="say which secrets have another version in force than the stack wrote"
    )
    drifting.add_argument(
        "file", metavar="STATE", help="what `pulumi stack export` wrote; - for standard input"
    )
    add_import_arguments(
        commands.add_parser(
            "import", help="make a stack file of a running installation (docs/coming-from.md)"
        )
    )
    add_secret_arguments(
        commands.add_parser(
            "secret",
            help="put values into the secret manager that never enter the state (docs/external-values.md)",
        )
    )
    chosen, unknown = parser.parse_known_args(arguments)
    if chosen.command == "secret":
        from .secret_values.command import run as run_secret

        return run_secret(chosen, unknown)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if chosen.command == "import":
        from .importing.command import run

        return run(chosen)
    if chosen.command == "adopt":
        return adopt(chosen.file, chosen.ids)
    if chosen.command == "drift":
        from .drift import run as drift

        return drift(chosen.file)
    try:
        inputs = StackInputs.of(chosen)
    except InputError as error:
        parser.error(str(error))
    if chosen.command == "team":
        return team(chosen.file, inputs)
    if chosen.command == "check":
        return check(chosen.files, inputs)
    if chosen.command == "network":
        return network(chosen.files, inputs)
    return render(chosen.file, inputs, environment=chosen.environment)


if __name__ == "__main__":
    try:
        sys.exit(run_command(main))
    except ModuleNotFoundError as error:
        # Some commands load more packages than others.
        sys.exit(explain(error, "venv"))
