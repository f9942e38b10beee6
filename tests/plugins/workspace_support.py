"""Where the real engine works on a stack of the tests: folders, state and environment of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pulumi import automation as auto


def workspace(
    directory: Path, pulumi: Path, path: Iterable[Path | str], more: Mapping[str, str]
) -> auto.LocalWorkspaceOptions:
    """Options of the Automation API.

    Args:
        directory: for everything; its `state` is the backend.
        pulumi: the engine.
        path: folders of PATH.
        more: further variables.
    """
    for folder in ("home", "state", "work", "engine/bin"):
        (directory / folder).mkdir(parents=True)
    # The Automation API looks for `<root>/bin/pulumi`.
    (directory / "engine" / "bin" / "pulumi").symlink_to(pulumi)
    return auto.LocalWorkspaceOptions(
        work_dir=str(directory / "work"),
        env_vars={
            "PATH": os.pathsep.join(map(str, path)),
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "only-for-tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **more,
        },
        pulumi_command=auto.PulumiCommand(root=str(directory / "engine"), skip_version_check=True),
    )
