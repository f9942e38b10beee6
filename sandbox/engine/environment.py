"""The environment in which the sandbox runs the engine: nothing of the caller's clouds, clusters and log-ins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from sandbox.services import ControlPlane, Vault
from sandbox.services.process import private
from sandbox.state import State


def engine_variables(
    state: State,
    path: Iterable[str],
    plane: ControlPlane,
    vault: Vault | None,
) -> dict[str, str]:
    """The variables of the engine, from scratch.

    Args:
        state: of the sandbox.
        path: folders of PATH.
        plane: the Kubernetes API.
        vault: the server; its token is written where `vault login` keeps it.
    """
    variables = {
        "PATH": os.pathsep.join(path),
        "HOME": str(state.directory),
        "LANG": "C.UTF-8",
        "PULUMI_HOME": str(state.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{state.backend}",
        # A file: a variable would be in the environment of every plugin that the engine starts.
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(state.passphrase_file()),
        "TMPDIR": str(_temporary(state)),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
        "KUBECONFIG": str(plane.kubeconfig),
    }
    if vault is not None:
        variables["VAULT_ADDR"] = vault.address
        # As `vault login` keeps it, for the plugin that needs it and no other.
        private(state.directory / ".vault-token", vault.root_token)
    return variables


def system_path() -> list[str]:
    """The folders of the caller's PATH, without those of Pulumi's language plugins."""
    keep = [p for p in os.environ.get("PATH", os.defpath).split(os.pathsep) if p]
    # The language plugins of the caller's installation stay out.
    return [p for p in keep if not (Path(p) / "pulumi-language-python").exists()]


def command_root(state: State, pulumi: Path) -> str:
    """A folder in which the Automation API has the engine as `bin/pulumi`, where it looks for it.

    Args:
        state: of the sandbox; gets a link.
        pulumi: the engine.
    """
    binary = state.directory / "engine" / "bin" / "pulumi"
    binary.parent.mkdir(parents=True, exist_ok=True)
    if not binary.is_symlink() or binary.resolve() != pulumi.resolve():
        binary.unlink(missing_ok=True)
        binary.symlink_to(pulumi.resolve())
    return str(binary.parents[1])


def _temporary(state: State) -> Path:
    """An empty folder for what the engine and its plugins write aside; nothing of it outlives the next command."""
    folder = state.directory / "tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder
