"""One life of a stack through the real engine, step by step: what every step did, and what was seen then."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from components.drift import Drift, find_drift, written_secrets
from components.program import Provisioned, provision
from components.validation import load
from sandbox import tools
from sandbox.progress import Progress
from tests.plugins.cloud_support import CloudStack, Program
from tests.stores.conformance_outside_support import Outside

GIVEN, ROTATED, FOREIGN = "Pl4nted-Given-Zq81", "Pl4nted-Rotated-Zq82", "Pl4nted-Foreign-Zq83"
CREDENTIAL = "Pl4nted-Credential-Zq84"
TOKEN, PASSWORD, ADDED = "API_TOKEN", "DATABASE_PASSWORD", "SMTP_PASSWORD"
COPY, TAG = "encryption.secret-key", "supplier"
DECLARED: dict[str, Any] = {
    TOKEN: {"namespace": "company.team.billing", "value": GIVEN},
    PASSWORD: {"namespace": "company.team", "generate": {"length": 40}, "tags": {TAG: "first"}},
}
_QUIET = ("same", "refresh", "read")


@dataclass(frozen=True)
class Step:
    """What one operation did."""

    touched: dict[str, set[str]]
    """Resource that was not the same, to what was done with it; save the guard, which is nowhere but in the state."""
    guard: frozenset[str]
    """What was done with the guard: it changes with what the stack holds."""
    outputs: Mapping[str, Any]
    marked: frozenset[str]
    """Outputs that Pulumi keeps as secrets."""

    @property
    def operations(self) -> set[str]:
        """All that was done."""
        return set().union(*self.touched.values())

    @property
    def versions(self) -> dict[str, str]:
        """The store's `version_ids`."""
        return dict(self.outputs["versionIds"])


@dataclass(frozen=True)
class Seen:
    """A secret outside, at some moment. None is what is not there."""

    value: str | None
    tags: Mapping[str, str] | None


class LifeStack(CloudStack):
    """A stack whose operations say what they did with each resource."""

    def __init__(
        self, directory: Path, pulumi_: Path, plugins: Iterable[str], outside: Outside
    ) -> None:
        super().__init__(directory, pulumi_, list(plugins), outside.environment)
        self._touched: dict[str, set[str]] = {}
        self._stack: auto.Stack | None = None
        self.program: Program = lambda: None

    def _with(self, program: Program) -> auto.Stack:
        if self._stack is None:
            self._stack = super()._with(program)
        self._stack.workspace.program = program
        return self._stack

    def _event(self, event: auto.EngineEvent) -> None:
        super()._event(event)
        # A refresh knows what it found only when it is done with a resource.
        for told in (event.resource_pre_event, event.res_outputs_event):
            if told is None:
                continue
            operation = str(getattr(told.metadata.op, "value", told.metadata.op))
            if operation not in _QUIET:
                name = told.metadata.urn.rsplit("::", 1)[1]
                self._touched.setdefault(name, set()).add(operation)

    def step(self, operation: str, **options: Any) -> Step:
        """Runs `up`, `refresh` or `destroy`."""
        self._touched = {}
        act = getattr(self._with(self.program), operation)
        result = act(on_output=self._note, on_event=self._event, **options)
        outputs: Mapping[str, auto.OutputValue] = getattr(result, "outputs", None) or {}
        guard = frozenset(self._touched.pop("guard", ()))
        return Step(
            self._touched,
            guard,
            {name: output.value for name, output in outputs.items()},
            frozenset(name for name, output in outputs.items() if output.secret),
        )

    def made(self) -> set[str]:
        """The resources of the state that a provider made."""
        (file,) = self.state.glob(".pulumi/stacks/*/dev.json")
        found = (json.loads(file.read_text())["checkpoint"]["latest"] or {}).get("resources", [])
        own = [r for r in found if r.get("custom")]
        return {
            r["urn"].rsplit("::", 1)[1]
            for r in own
            if not r["type"].startswith("pulumi:providers:")
        }

    def given(self) -> dict[str, Any]:
        """Resource to its inputs as the state keeps them, in clear."""
        deployment = self._with(lambda: None).export_stack().deployment or {}
        found = deployment.get("resources", [])
        return {r["urn"].rsplit("::", 1)[1]: r.get("inputs", {}) for r in found}

    def unprotect(self) -> None:
        """Takes the protection off everything, as `pulumi state unprotect --all` does."""
        stack = self._with(lambda: None)
        command = ["state", "unprotect", "--all", "--yes", "--stack", stack.name]
        where: Any = stack.workspace
        where.pulumi_command.run(command, where.work_dir, where.env_vars)


@dataclass
class Life:
    """A stack of some settings, what is outside of it, and its steps by name."""

    document: dict[str, Any]
    stack: LifeStack
    outside: Outside
    steps: dict[str, Step] = field(default_factory=dict)
    seen: dict[str, dict[str, Seen]] = field(default_factory=dict)
    """Step to the secrets that were looked at after it."""
    left: dict[str, set[str]] = field(default_factory=dict)
    """Step to what was outside after it."""
    made: dict[str, set[str]] = field(default_factory=dict)
    """Step to the resources that the state had after it."""
    drifts: list[list[Drift]] = field(default_factory=list)
    """What drifted: before the refresh, and after the remedy."""
    provisioned: Provisioned | None = None
    """The program's own store and identity, of the first step."""

    def __post_init__(self) -> None:
        self.document = deepcopy(self.document)
        self.stack.program = self._program

    def _program(self) -> None:
        made = provision(load(self.document, source="test").settings)
        self.provisioned = self.provisioned or made
        pulumi.export("principal", made.identity.principal)
        pulumi.export("annotations", dict(made.identity.service_account_annotations))
        pulumi.export("secretIds", made.store.secret_ids)
        pulumi.export("versionIds", made.store.version_ids)
        pulumi.export("environment", dict(made.store.environment) | dict(made.identity.environment))
        pulumi.export("values", pulumi.Output.secret(dict(made.secrets) | made.values))
        pulumi.export("marks", pulumi.Output.all(**_marks(made)))

    def run(self, name: str, operation: str = "up", **options: Any) -> Step:
        """Runs an operation and keeps under a name what it did."""
        self.steps[name] = self.stack.step(operation, **options)
        return self.steps[name]

    def drift(self) -> list[Drift]:
        """What `python -m components drift` says of the stack at this moment; kept too."""
        deployment = json.loads(
            json.dumps(self.stack._with(lambda: None).export_stack().deployment)
        )
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.outside.environment.items():
                patch.setenv(name, value)
            patch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "none")
            self.drifts.append(list(find_drift(written_secrets(deployment))))
        return self.drifts[-1]

    def remedy(self, drift: Drift) -> None:
        """Runs the commands that a drift names."""
        for command in drift.remedy:
            program, *arguments = shlex.split(command)
            if program == "vault":
                environment = {**os.environ, **self.outside.environment}
                vault = [tools.ensure(["vault"], Progress())["vault"], *arguments]
                subprocess.run(vault, env=environment, check=True, capture_output=True)
            elif arguments == ["up", "--refresh"]:
                self.run("remedy", refresh=True)
            else:
                assert arguments[:2] == ["up", "--replace"]
                self.run("remedy", replace=[arguments[2]])

    def look(self, name: str, *secrets: str) -> None:
        """Keeps what is outside now."""
        given = {} if self.outside.tells_values else self.stack.given()
        self.seen[name] = {
            secret: Seen(
                self.outside.value(id_)
                if self.outside.tells_values
                else _written(given.get(f"store-declared-{secret}")),
                self.outside.tags(id_),
            )
            for secret, id_ in self.ids.items()
            if secret in secrets
        }
        self.left[name] = self.outside.left()

    @property
    def ids(self) -> dict[str, str]:
        """Every secret that ever was, to its id."""
        found: dict[str, str] = {}
        for step in self.steps.values():
            found |= step.outputs.get("secretIds", {})
        return found

    def planted(self, public: Iterable[str] = ()) -> dict[str, str]:
        """All values that must be nowhere in clear, but for those that are no secrets."""
        found = {"given": GIVEN, "rotated": ROTATED, "foreign": FOREIGN, "credential": CREDENTIAL}
        for step in self.steps.values():
            found |= step.outputs.get("values", {})
        return {name: value for name, value in found.items() if name not in set(public)}


def live(life: Life, *, is_outside: bool, has_declared: bool) -> None:
    """A whole life: up, drift, rotation, update, a secret more and less, destroyed."""
    life.run("up")
    life.look("up", TOKEN, PASSWORD, COPY)
    life.run("again")
    if is_outside:
        life.outside.untag(life.ids[PASSWORD], TAG)
        if life.outside.tells_values:
            life.outside.rewrite(life.ids[TOKEN], FOREIGN)
        life.look("drift", TOKEN, PASSWORD)
        drifted = life.drift() if life.outside.tells_values else []
        life.run("refresh", "refresh")
        life.run("mend")
        life.look("mend", TOKEN, PASSWORD)
        for drift in drifted:
            life.remedy(drift)
        if drifted:
            life.look("remedy", TOKEN, PASSWORD)
            life.drift()
    if has_declared:
        declared = life.document["declared-secrets"]
        declared[TOKEN]["value"] = ROTATED
        life.run("rotate")
        life.look("rotate", TOKEN, PASSWORD)
        declared[PASSWORD]["tags"] = {TAG: "second"}
        life.run("update")
        life.look("update", TOKEN, PASSWORD)
        declared[ADDED] = {"namespace": "company.team", "generate": {}}
        life.run("add")
        life.look("add", ADDED)
        del declared[ADDED]
        life.run("remove")
        life.look("remove", TOKEN, ADDED)
    end(life)


def end(life: Life) -> None:
    """Destroyed but for what is protected; then without protection."""
    life.made["before"], life.left["before"] = life.stack.made(), life.outside.left()
    life.run("destroy", "destroy", exclude_protected=True)
    life.made["destroy"] = life.stack.made()
    life.stack.unprotect()
    life.run("gone", "destroy")
    life.made["gone"] = life.stack.made()
    life.look("gone", TOKEN, PASSWORD, COPY)


def _marks(made: Provisioned) -> dict[str, Any]:
    """Whether outputs are secret."""
    groups: dict[str, Mapping[str, Any]] = {
        "environment": {**made.store.environment, **made.identity.environment},
        "secret_ids": made.store.secret_ids,
        "version_ids": made.store.version_ids,
        "identity": {"principal": made.identity.principal},
    }
    return {
        f"{group}/{name}": pulumi.Output.from_input(value).is_secret()
        for group, values in groups.items()
        for name, value in values.items()
    }


def _written(inputs: Mapping[str, Any] | None) -> str | None:
    """The value that the program gave a resource of Azure, as the state keeps it."""
    if inputs is None:
        return None
    properties = inputs["properties"]
    whole = json.loads(properties["plaintext"]) if "plaintext" in properties else properties
    value = whole["value"]
    return json.loads(value["plaintext"]) if isinstance(value, dict) else value
