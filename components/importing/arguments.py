"""The command line of `python -m components import`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Arguments:
    """What the command line says."""

    files: tuple[str, ...]
    output: str | None = None
    name: str | None = None
    namespace: str | None = None
    username: str | None = None
    stack: str | None = None
    force: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `import`."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="application.yaml, compose file, values of the Helm chart, manifests, systemd unit, .env file, directory;"
        " - for standard input",
    )
    parser.add_argument("--output", metavar="FILE", help="default: stacks/Pulumi.<name>.yaml")
    parser.add_argument("--name", help="of the stack (default: from the input)")
    parser.add_argument("--namespace", help="Kubernetes namespace of the stack")
    parser.add_argument("--username", help="e-mail address of a log-in, where there is none")
    parser.add_argument(
        "--stack", help="stack, or stack file, whose passphrase encrypts the secrets"
    )
    parser.add_argument("--force", action="store_true", help="write over an existing file")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
