"""The options of commands that read a stack file: what it takes from elsewhere (`components.stack_inputs`)."""

from __future__ import annotations

import argparse


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that reads a stack file."""
    parser.add_argument(
        "--outputs",
        action="append",
        default=[],
        metavar="STACK=FILE",
        help="outputs of another stack, as `pulumi stack output --json --stack STACK` prints them",
    )
    parser.add_argument(
        "--esc",
        action="append",
        default=[],
        metavar="FILE",
        help="an opened environment of the stack file, as `pulumi env open NAME --format detailed` prints it; - for "
        "standard input; several in the order of the file",
    )
