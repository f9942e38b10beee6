"""The command line of `python -m components secret`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from ..input_options import add_input_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `secret`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    setting = actions.add_parser(
        "set", help="put a value into the secret manager, from a hidden prompt or standard input"
    )
    setting.add_argument("names", nargs="*", metavar="NAME", help="of an external secret")
    setting.add_argument(
        "--keep-newline", action="store_true", help="the newline at the end belongs to the value"
    )
    making = actions.add_parser(
        "generate", help="make the values that have generate.keep-from-state and are not there yet"
    )
    making.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    making.add_argument("--again", action="store_true", help="another value for what has one")
    listing = actions.add_parser(
        "list", help="external secrets with version and age; exit 1 if one has no value"
    )
    listing.add_argument("--json", action="store_true", help="as JSON")
    copying = actions.add_parser("copy", help="copy values to the secret manager of another stack")
    copying.add_argument("names", nargs="*", metavar="NAME", help="external secrets of the target")
    copying.add_argument(
        "--to", metavar="STACK", help="target (default: the second manager, kestra:store.also)"
    )
    copying.add_argument(
        "--to-cluster",
        action="store_true",
        help="make the Secret that pods take the external encryption key from, with kubectl",
    )
    copying.add_argument("--context", help="of kubectl (default: the current one)")
    for one in (setting, making, listing, copying):
        one.add_argument(
            "--stack", metavar="STACK", help="stack or stack file (default: the selected stack)"
        )
        add_input_options(one)


def run(chosen: argparse.Namespace, unknown: Sequence[str]) -> int:
    """Does what the command line says. 0: done; 1: nothing was written, for what was given; 2: the secret manager
    cannot be asked or refuses; 130: interrupted.

    Args:
        chosen: the arguments.
        unknown: what is left of the command line; it is not repeated, it may be a value.
    """
    from ..backends.answers import UnansweredError
    from ..settings import SettingsError
    from ..settings.report import terminal_report
    from ..stack_inputs import InputError, StackInputs
    from . import actions
    from .prompt import RefusedError

    names = getattr(chosen, "names", [])
    try:
        if chosen.action == "set" and (unknown or len(names) > 1):
            raise RefusedError(actions.ON_COMMAND_LINE)
        if unknown:
            raise RefusedError(
                "The command line has more than this takes (what, is not repeated: it may be a value). See `python -m "
                f"components secret {chosen.action} --help`."
            )
        if chosen.action in ("set", "copy") and not names:
            raise RefusedError("Name the secret: the NAME in kestra:declared-secrets.")
        inputs = StackInputs.of(chosen)
        stack = actions.open_stack(chosen.stack, inputs)
        if chosen.action == "list":
            return actions.listed(stack, as_json=chosen.json)
        if chosen.action == "set":
            actions.set_value(stack, names[0], keep_newline=chosen.keep_newline)
        elif chosen.action == "generate":
            actions.generate(stack, names, again=chosen.again)
        elif chosen.to_cluster:
            actions.copy_key_to_cluster(stack, names, chosen.context)
        else:
            # The files of environments are those of the stack that is copied from.
            inputs = replace(inputs, environments=())
            target = actions.open_stack(chosen.to, inputs) if chosen.to else None
            actions.copy(names, stack, target)
    except SettingsError as error:
        print(terminal_report(error.problems), file=sys.stderr)
        return actions.REFUSED
    except (RefusedError, InputError) as error:
        print(error, file=sys.stderr)
        return actions.REFUSED
    except UnansweredError as error:
        print(error, file=sys.stderr)
        return actions.UNANSWERED
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return actions.INTERRUPTED
    return actions.DONE
