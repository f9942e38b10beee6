"""The engine with the stand-ins for clouds, and what it tells while it works."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation as auto

from sandbox.providers import write_launchers
from tests.plugins.vault_stack_support import VaultStack, counts

Program = Callable[[], None]


class CloudStack(VaultStack):
    """Runs programs as one stack. `told` is all that the engine printed or told of its work."""

    def __init__(
        self, directory: Path, pulumi: Path, plugins: list[str], environment: Mapping[str, str]
    ) -> None:
        super().__init__(directory, None, pulumi)
        write_launchers(directory / "launchers", plugins)
        self._options.env_vars = {**(self._options.env_vars or {}), **environment}

    def configure(self, config: Mapping[str, str]) -> None:
        """Sets the stack's configuration."""
        values = {k: auto.ConfigValue(v) for k, v in config.items()}
        self._with(lambda: None).set_all_config(values)

    @property
    def told(self) -> str:
        """What was printed and told, without the SDK's debug lines, which the sandbox does not keep."""
        return self.console

    def up(self, program: Program) -> tuple[dict[str, int], Mapping[str, Any]]:
        result = self._with(program).up(on_output=self._note, on_event=self._event)
        outputs = {name: output.value for name, output in result.outputs.items()}
        return counts(result.summary.resource_changes), outputs

    def _event(self, event: auto.EngineEvent) -> None:
        if event.diagnostic_event is None or event.diagnostic_event.severity != "debug":
            self._note(json.dumps(event, default=vars))

    def outputs_of(self, name: str) -> dict[str, Any]:
        """A resource's outputs as the state has them, marks and all."""
        return self.resource(name)["outputs"]


def raw(type_: str, name: str, properties: Mapping[str, Any]) -> Program:
    """A program of one resource with inputs that the SDK would not let through."""

    def program() -> None:
        pulumi.CustomResource(type_, name, dict(properties))

    return program


def imported(id_: str) -> pulumi.ResourceOptions:
    """Options of a resource that is taken over."""
    return pulumi.ResourceOptions(import_=id_)
