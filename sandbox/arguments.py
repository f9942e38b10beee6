"""The command line of `python -m sandbox`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from components.input_options import add_input_options
from sandbox.nodes import KINDS
from sandbox.state import ROOT


def parser() -> argparse.ArgumentParser:
    """The command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="folder of the state (default: .sandbox, or KESTRA_SANDBOX_STATE)",
    )
    common.add_argument(
        "--stacks",
        type=Path,
        metavar="DIR",
        default=ROOT / "stacks",
        help="folder of the stack files (default: stacks)",
    )
    common.add_argument(
        "--offline",
        action="store_true",
        default=bool(os.environ.get("KESTRA_SANDBOX_OFFLINE")),
        help="use the sandbox's own stand-ins for all provider plugins, and download none",
    )
    common.add_argument(
        "--official-plugins",
        action="store_true",
        help="ask again for official provider plugins that could not be downloaded within the last hour",
    )
    made = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A whole Kestra stack on one machine: real engine, Kubernetes API, Vault and Kestra.",
    )
    commands = made.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "bring a stack up"),
        ("preview", "show what `up` would do"),
        ("verify", "boot a real Kestra with what the Kubernetes API holds, and compare"),
        ("refresh", "compare the state with the servers"),
        ("destroy", "delete a stack's resources, save the protected ones"),
        ("report", "write the security of a stack as one HTML page; starts nothing"),
        ("doctor", "what machine, settings and permissions have and lack; changes nothing"),
    ):
        command = commands.add_parser(name, help=text, parents=[common])
        command.add_argument(
            "stack", nargs="?", default="local", help="stacks/Pulumi.<stack>.yaml (default: local)"
        )
        if name in ("up", "preview"):
            command.add_argument(
                "--no-policy", action="store_true", help="let no policy pack judge the stack"
            )
        if name == "up":
            command.add_argument(
                "--nodes",
                choices=KINDS,
                help="simulated: pods without containers; real: kubelet and containerd (Linux, root; docs/real-pods.md)."
                " Default: as they run, else simulated",
            )
            command.add_argument(
                "--image",
                type=Path,
                metavar="ARCHIVE",
                help="with real nodes: Kestra's image as `docker save` writes it, in place of the sandbox's own",
            )
        if name == "doctor":
            command.add_argument(
                "--ask-own",
                action="store_true",
                help="ask your own clouds, cluster and Vault what your credentials may not do, and providers of log-ins what "
                "they support (reads only)",
            )
            command.add_argument(
                "--all", action="store_true", help="show every default on a line of its own"
            )
        if name in ("doctor", "report"):
            add_input_options(command)
        if name == "report":
            command.add_argument(
                "--output",
                type=Path,
                metavar="FILE",
                help="the page (default: reports/<stack>.html in the state's folder)",
            )
        if name in ("up", "preview", "report"):
            command.add_argument(
                "--policy-config",
                type=Path,
                metavar="FILE",
                help="limits, allow-lists and exemptions of the policy pack (docs/policies.md)",
            )
        if name == "destroy":
            command.add_argument(
                "--unprotect", action="store_true", help="delete the protected ones too"
            )
        if name == "verify":
            command.add_argument(
                "--nodes",
                choices=KINDS,
                help="real: ask the Kestra in the stack's pods; simulated: start one here (default: as the nodes are)",
            )
            command.add_argument(
                "--json", type=Path, metavar="FILE", help="write the report as data"
            )
    taken = commands.add_parser(
        "import",
        help="take over an object that is there already, as an error says",
        parents=[common],
    )
    taken.add_argument("stack", help="stacks/Pulumi.<stack>.yaml")
    for name in ("type", "name", "id"):
        taken.add_argument(name, help=f"the resource's {name}")
    taken.add_argument("--parent", metavar="NAME=URN", help="the component that it belongs to")
    commands.add_parser("status", help="what runs, and which stacks are here", parents=[common])
    down = commands.add_parser("down", help="end the servers", parents=[common])
    down.add_argument("--purge", action="store_true", help="remove the state too")
    return made
