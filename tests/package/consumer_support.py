"""Programs of others that use the package, run by the real engine with the sandbox's servers and stand-ins."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi import automation as auto

from components.package.component import PACKAGE
from sandbox.providers import write_launchers
from sandbox.services import ControlPlane, Vault
from tests.conftest import ROOT
from tests.plugins.workspace_support import workspace

PLUGIN = f"pulumi-resource-{PACKAGE}"


def write_plugin(directory: Path, program: str = "-P -m components.package") -> Path:
    """Writes the launcher by which the engine finds the package's plugin of the source tree.

    Args:
        directory: where it is written.
        program: what Python runs.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / PLUGIN
    command = f"exec {shlex.quote(sys.executable)} {program}"
    file.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} {command} "$@"\n')
    file.chmod(0o755)
    return directory


class Consumer:
    """A stack of a program of others, in a folder of its own."""

    def __init__(
        self,
        directory: Path,
        tools: Mapping[str, Path],
        launchers: Iterable[Path],
        plane: ControlPlane | None = None,
        vault: Vault | None = None,
        standins: Iterable[str] = ("random", "kubernetes", "vault"),
    ) -> None:
        self.directory = directory
        path = [
            *launchers,
            write_launchers(directory / "standins", standins),
            *(tools[name].parent for name in tools if name.startswith("pulumi-language-")),
            os.environ["PATH"],
        ]
        variables = {} if plane is None else {"KUBECONFIG": str(plane.kubeconfig)}
        if vault is not None:
            variables |= {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.root_token}
        self.options = workspace(directory, tools["pulumi"], path, variables)
        self.work = directory / "work"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the engine, for a program that runs it itself."""
        folder = str(self.directory / "engine" / "bin")
        own = dict(self.options.env_vars or {})
        return {**os.environ, **own, "PATH": f"{folder}{os.pathsep}{own['PATH']}"}

    def yaml(self, program: Mapping[str, Any], config: Mapping[str, str] = {}) -> auto.Stack:
        """The stack of a program in YAML."""
        project = {"name": "consumer", "runtime": "yaml", **program}
        # By way of JSON: Pulumi's YAML knows no anchors, which a value that stands twice would become.
        text = yaml.safe_dump(json.loads(json.dumps(project)), sort_keys=False)
        (self.work / "Pulumi.yaml").write_text(text)
        options = auto.LocalWorkspaceOptions(
            env_vars=self.options.env_vars, pulumi_command=self.options.pulumi_command
        )
        stack = auto.create_or_select_stack("dev", work_dir=str(self.work), opts=options)
        for key, value in config.items():
            stack.set_config(key, auto.ConfigValue(value))
        return stack

    def python(self, program: Callable[[], None], name: str = "dev") -> auto.Stack:
        """The stack of a program in Python."""
        options = auto.LocalWorkspaceOptions(
            work_dir=str(self.work),
            env_vars=self.options.env_vars,
            pulumi_command=self.options.pulumi_command,
        )
        return auto.create_or_select_stack(name, "consumer", program, opts=options)

    def run(self, command: list[str], folder: Path, seconds: float = 600) -> str:
        """The output of a command in the environment of the engine."""
        answer = subprocess.run(
            command,
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert answer.returncode == 0, (answer.stdout + answer.stderr)[-4000:]
        return answer.stdout

    def state_text(self) -> str:
        """All files of the state backend as one text."""
        files = [f for f in (self.directory / "state").rglob("*") if f.is_file()]
        return "\n".join(f.read_text(errors="ignore") for f in files)


class Remote(pulumi.ComponentResource):
    """A component of the package as a generated SDK registers it: by its type, made by the plugin."""

    def __init__(
        self,
        component: str,
        name: str,
        args: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
        outputs: Iterable[str] = (),
    ) -> None:
        properties: dict[str, Any] = {**args, **dict.fromkeys(outputs)}
        super().__init__(f"{PACKAGE}:index:{component}", name, properties, opts, remote=True)

    def output(self, name: str) -> pulumi.Output[Any]:
        """An output by its name in the schema."""
        return getattr(self, name)


def yaml_texts(value: Any) -> Any:
    """Arguments as a program in YAML writes them: there `${NAME}` is an expression, unless it is `$${NAME}`."""
    if isinstance(value, dict):
        return {name: yaml_texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [yaml_texts(item) for item in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def resources(stack: auto.Stack) -> dict[str, Any]:
    """The resources of a stack's state, by the end of their URN: types and name."""
    exported = stack.export_stack().deployment or {}
    return {one["urn"].split("::", 2)[2]: one for one in exported.get("resources", [])}


def refusal(act: Any) -> str:
    """What the engine says of an operation that it refuses."""
    try:
        act()
    except auto.CommandError as error:
        return str(error)
    raise AssertionError("the engine accepted it")
