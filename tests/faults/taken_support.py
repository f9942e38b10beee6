"""A stack whose failures print a way out, which is then followed as a person would: in a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation as auto

from components.program import build, provision
from components.registrations import Registrations
from components.safeguards.change_guard import watched
from components.safeguards.error_hooks import register_error_hook
from components.validation import load
from sandbox.providers import write_language
from tests.conftest import ROOT
from tests.plugins.cloud_support import CloudStack, Program

_COMMAND = re.compile(r"To go on with what is there:\n\s+(.+)")


def program(document: Mapping[str, Any], *, whole: bool = False) -> Program:
    """The program of some settings as `pulumi up` runs it.

    Args:
        document: the settings.
        whole: with Kestra on Kubernetes; else only secrets, store and identity.
    """
    settings = load(deepcopy(dict(document)), source="test").settings

    def run() -> None:
        registrations = Registrations()
        registrations.follow()
        register_error_hook()
        pulumi.run(registrations.answered)
        if whole:
            build(settings, watched(settings))
            return
        made = provision(settings, watched(settings))
        pulumi.export("ids", made.store.secret_ids)
        pulumi.export("generated", pulumi.Output.secret(made.values))

    return run


class FaultStack(CloudStack):
    """Keeps what the engine said, error by error, and runs commands in the stack's own surroundings."""

    def __init__(
        self, directory: Path, pulumi_: Path, plugins: list[str], environment: Mapping[str, str]
    ) -> None:
        super().__init__(directory, pulumi_, plugins, environment)
        self.errors: list[str] = []
        # Not on every machine; these know the few commands that are printed.
        self._launcher("aws", "clients_support aws")
        self._launcher("az", "clients_support az")
        write_language(directory / "launchers")

    def _launcher(self, name: str, module: str) -> None:
        script = self.directory / "launchers" / name
        run = f"{sys.executable} -m tests.faults.{module}"
        script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {run} "$@"\n')
        script.chmod(0o755)

    def _event(self, event: auto.EngineEvent) -> None:
        super()._event(event)
        told = event.diagnostic_event
        if told is not None and told.severity == "error":
            self.errors.append(re.sub(r"<\{%[^%]*%\}>", "", told.message).strip())

    def act(self, operation: str, program: Program = lambda: None, **options: Any) -> str:
        """Runs an operation; the engine's errors as one text, empty when it succeeded."""
        self.errors = []
        try:
            getattr(self._with(program), operation)(
                on_output=self._note, on_event=self._event, **options
            )
        except auto.CommandError:
            assert self.errors
        return "\n".join(self.errors)

    @property
    def ways_out(self) -> list[str]:
        """The commands that the last operation printed."""
        return _COMMAND.findall("\n".join(self.errors))

    def shell(self, command: str) -> str:
        """Runs a printed command."""
        environment = self._options.env_vars or {}
        path = os.pathsep.join([str(self.directory / "engine" / "bin"), environment["PATH"]])
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.directory / "work",
            env=os.environ | environment | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{command}\n{said}"
        self._note(said)
        return said

    def unprotect(self, *urns: str) -> None:
        """As the documentation says: of all, or of some."""
        which = " ".join(f"'{urn}'" for urn in urns) or "--all"
        self.shell(f"pulumi state unprotect {which} --yes")

    def lose(self, urn: str) -> None:
        """Takes a resource out of the state, as somebody who edits it by hand."""
        stack = self._with(lambda: None)
        state = stack.export_stack()
        kept = [r for r in (state.deployment or {})["resources"] if r["urn"] != urn]
        for resource in kept:
            resource["dependencies"] = [u for u in resource.get("dependencies", []) if u != urn]
            for urns in resource.get("propertyDependencies", {}).values():
                urns[:] = [u for u in urns or [] if u != urn]
        state.deployment = {**(state.deployment or {}), "resources": kept}
        stack.import_stack(state)

    def up_by_the_ways_out(self, program: Program, rounds: int = 5) -> list[str]:
        """Follows what is printed until an update succeeds; all that was followed."""
        followed, said = list[str](), ""
        for _ in range(rounds):
            said = self.act("up", program)
            if not said:
                return followed
            assert self.ways_out, said
            for command in self.ways_out:
                assert command not in followed, f"followed in vain: {command}\n{said}"
                self.shell(command)
                followed.append(command)
        raise AssertionError(f"{rounds} updates were not enough: {said}")
