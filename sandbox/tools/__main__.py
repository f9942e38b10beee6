"""`python -m sandbox.tools`: builds every tool that `make test` needs and fetches every Kestra, or those that are named,
where they are not in the cache yet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sandbox.command_line import CommandConsole, run_command
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.tools import MODULES, ensure


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds; 0 when everything is there."""
    modules = MODULES.values()
    known = [name for module in modules for name in module.packages]
    every = [name for module in modules if not module.on_request for name in module.packages]
    parser = argparse.ArgumentParser(prog="python -m sandbox.tools", description=__doc__)
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"of {', '.join(known)}")
    parser.add_argument("--kestra", metavar="VERSION", help="a version of Kestra to fetch")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.tools) - set(known):
        parser.error(f"no such tool: {', '.join(sorted(unknown))}")
    whole = not chosen.tools and not chosen.kestra
    console = CommandConsole()
    progress = Progress(console)
    try:
        ensure(every if whole else chosen.tools, progress)
        if whole or chosen.kestra:
            from sandbox import kestra

            for version in kestra.RELEASES if whole else [chosen.kestra]:
                kestra.ensure(version, progress)
    except SandboxError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return console.interrupted
    return 0


if __name__ == "__main__":
    # Ended from outside it ends its compiler too.
    sys.exit(run_command(main))
