"""A small Pulumi stack with the random and vault stand-ins, run by the real engine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
from pulumi import automation as auto

from sandbox.providers import write_launchers
from sandbox.services import Vault
from tests.plugins.workspace_support import workspace


class VaultStack:
    """Runs programs as one stack; `call` looks at Vault behind the engine's back.

    Without a Vault, for programs that need none.
    """

    def __init__(self, directory: Path, vault: Vault | None, pulumi: Path) -> None:
        self._vault = vault
        self.directory = directory
        self.console = ""
        launchers = write_launchers(directory / "launchers", ["random", "vault"])
        self.state = directory / "state"
        self._options = workspace(
            directory,
            pulumi,
            [launchers, os.environ["PATH"]],
            {
                "VAULT_ADDR": vault.address if vault else "",
                "VAULT_TOKEN": vault.root_token if vault else "",
            },
        )

    @property
    def vault(self) -> Vault:
        """The Vault of the tests."""
        assert self._vault is not None
        return self._vault

    def _with(self, program: Callable[[], None]) -> auto.Stack:
        return auto.create_or_select_stack("dev", "vault-tests", program, opts=self._options)

    def _note(self, line: str) -> None:
        self.console += line + "\n"

    def up(self, program: Callable[[], None]) -> tuple[dict[str, int], Mapping[str, Any]]:
        """Changes by operation, and outputs."""
        result = self._with(program).up(on_output=self._note)
        outputs = {name: output.value for name, output in result.outputs.items()}
        return counts(result.summary.resource_changes), outputs

    def preview(self, program: Callable[[], None]) -> dict[str, int]:
        return counts(self._with(program).preview(on_output=self._note).change_summary)

    def refused(self, program: Callable[[], None], *, preview: bool = False) -> str:
        """What the engine says of a program that it refuses, in one line."""
        stack = self._with(program)
        try:
            (stack.preview if preview else stack.up)(on_output=self._note)
        except auto.CommandError as error:
            return " ".join(str(error).split())
        raise AssertionError("the engine accepted the program")

    def refresh(self, program: Callable[[], None]) -> dict[str, int]:
        result = self._with(program).refresh(on_output=self._note)
        return counts(result.summary.resource_changes)

    def destroy(self, program: Callable[[], None]) -> dict[str, int]:
        result = self._with(program).destroy(on_output=self._note)
        return counts(result.summary.resource_changes)

    def resource(self, name: str) -> dict[str, Any]:
        """A resource as the state has it, its secrets marked and in clear."""
        deployment = self._with(lambda: None).export_stack().deployment or {}
        return next(r for r in deployment["resources"] if r["urn"].endswith(f"::{name}"))

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.vault.address}/v1/{path}",
            json=body,
            headers={"X-Vault-Token": self.vault.root_token},
            timeout=30,
        )


def is_secret(value: Any) -> bool:
    """Whether a value of the state, or a part of it, is marked as secret."""
    return "1b47061264138c4ac30d75fd1eb44270" in json.dumps(value)


def counts(changes: Mapping[Any, int] | None) -> dict[str, int]:
    """Changes by operation, the unchanged left out."""
    named = {str(getattr(k, "value", k)): v for k, v in (changes or {}).items()}
    return {k: v for k, v in named.items() if k != "same" and v}
