"""One operation of the engine on a program: the project's, or a bare one. Imports nothing that a program has.

`python -m benchmarks.child OPERATION STACK WORKSPACE ENGINE [--bare FILE] [--pack FOLDER]`
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pulumi import automation as auto


def main() -> None:
    """Runs the operation; the environment says where state and servers are."""
    parser = argparse.ArgumentParser()
    for name in ("operation", "stack", "workspace", "engine"):
        parser.add_argument(name)
    parser.add_argument("--bare")
    parser.add_argument("--pack")
    options = parser.parse_args()

    def program() -> None:
        if options.bare:
            from benchmarks.bare import register

            register(options.bare)
        else:
            from components.program import deploy

            deploy(Path(options.workspace))

    stack = auto.select_stack(
        options.stack,
        project_name="kestra",
        program=program,
        opts=auto.LocalWorkspaceOptions(
            work_dir=options.workspace,
            pulumi_command=auto.PulumiCommand(root=options.engine, skip_version_check=True),
        ),
    )
    packs: dict[str, Any] = {"policy_packs": [options.pack]} if options.pack else {}
    if options.operation == "preview":
        stack.preview(color="never", **packs)
    else:
        stack.up(color="never", show_secrets=False, **packs)


if __name__ == "__main__":
    main()
