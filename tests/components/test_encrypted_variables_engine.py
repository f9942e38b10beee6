"""Encrypted variables with the real engine and a real API server: from a file, by the Automation API, rotated."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto
from rich.console import Console

from components.program import deploy
from components.stack_encryption import encrypted, new_salt
from sandbox.cli import Sandbox
from sandbox.engine.automation import Stack
from sandbox.leak_scan.scan import Search
from sandbox.services.process import private
from sandbox.state import State
from tests.conftest import silent, stack_document

pytestmark = pytest.mark.engine

STACK, NAMESPACE = "variables", "encrypted-variables"
FIRST, SECOND = "Pl4nted-First-Zq81", "Pl4nted-Second-Zq82"
NAME = "kestra:deployment.environment.TOKEN"


class Variables:
    """A stack file with an encrypted variable, on servers of its own."""

    def __init__(self, folder: Path) -> None:
        self.state, self.folder = State(folder / "state"), folder
        self.state.create()
        self.salt = new_salt(self.state.passphrase())
        (folder / "stacks").mkdir()
        self.write(FIRST)

    def write(self, value: str) -> None:
        settings = stack_document("local")
        secret = encrypted(value, self.state.passphrase(), self.salt)
        settings["deployment"] = {
            "namespace": NAMESPACE,
            "environment": {"TOKEN": secret, "TZ": "UTC"},
        }
        config = {f"kestra:{key}": block for key, block in settings.items()}
        document = {"encryptionsalt": self.salt, "config": config}
        copy = self.state.stack(STACK) / "workspace" / "stacks"
        for place in (self.folder / "stacks", copy):
            place.mkdir(parents=True, exist_ok=True)
            private(place / f"Pulumi.{STACK}.yaml", yaml.safe_dump(document, sort_keys=False))

    def sandbox(self) -> Sandbox:
        console = Console(file=io.StringIO(), width=200)
        return Sandbox(self.state, console, stacks=self.folder / "stacks", policy=False)

    def ready(self) -> Stack:
        sandbox = self.sandbox()
        return sandbox.ready(STACK, sandbox.settings(STACK))

    def objects(self, stack: Stack, path: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
        url = f"{stack.plane.url}/{path.format(namespace)}"
        return stack.plane.session().get(url, timeout=30).json()["items"]

    def secret(self, stack: Stack, namespace: str = NAMESPACE) -> tuple[str, dict[str, str]]:
        """Name and decoded data of the stack's Secret."""
        items = self.objects(stack, "api/v1/namespaces/{}/secrets", namespace)
        (secret,) = [s for s in items if s["metadata"]["name"].startswith("kestra-secret")]
        data = {k: base64.b64decode(v).decode() for k, v in secret["data"].items()}
        return secret["metadata"]["name"], data

    def deployment(self, stack: Stack, namespace: str = NAMESPACE) -> dict[str, Any]:
        (deployment,) = self.objects(stack, "apis/apps/v1/namespaces/{}/deployments", namespace)
        return deployment


@pytest.fixture(scope="module")
def variables(tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    stack_file = Variables(tmp_path_factory.mktemp("variables"))
    try:
        stack_file.ready().up(silent())
        yield stack_file
    finally:
        stack_file.sandbox().down(purge=True)


def _spec(deployment: dict[str, Any]) -> dict[str, Any]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def test_the_variable_is_in_the_secret_alone(variables: Variables) -> None:
    stack = variables.ready()
    name, data = variables.secret(stack)
    assert data["TOKEN"] == FIRST
    deployment = variables.deployment(stack)
    container = _spec(deployment)
    assert {"name": "TZ", "value": "UTC"} in container["env"]
    assert "TOKEN" not in json.dumps(deployment)
    assert name in {source["secretRef"]["name"] for source in container["envFrom"]}
    # What the program is given is what the sandbox looks at.
    hidden = stack.settings().deployment.secret_environment
    assert {n: v.get_secret_value() for n, v in hidden.items()} == {"TOKEN": FIRST}


def test_another_value_makes_another_secret_and_rolls_the_pods(variables: Variables) -> None:
    stack = variables.ready()
    before, generation = variables.secret(stack)[0], _generation(variables, stack)
    variables.write(SECOND)
    stack = variables.ready()
    stack.up(silent())
    after, data = variables.secret(stack)
    assert data["TOKEN"] == SECOND
    assert after != before
    assert _generation(variables, stack) == generation + 1
    sources = _spec(variables.deployment(stack))["envFrom"]
    assert {"secretRef": {"name": after}} in sources
    variables.ready().up(silent())
    assert variables.secret(stack)[0] == after, "nothing changes without another value"


def _generation(variables: Variables, stack: Stack) -> int:
    return variables.deployment(stack)["metadata"]["generation"]


def test_state_events_and_files_do_not_show_the_value(variables: Variables) -> None:
    looking = Search({"first": FIRST, "second": SECOND})
    stores = [variables.state.services / "kubernetes" / "etcd-data"]
    assert looking.files([variables.state.directory], without=stores) == []
    with variables.ready()._selected() as stack:
        run = stack.workspace.pulumi_command.run
        exported = run(["stack", "export", "--stack", STACK], stack.workspace.work_dir, {}).stdout
        assert looking.text(exported.encode(), "state") == []
        for command in ("preview", "up"):
            events: list[Any] = []
            act = getattr(stack, command)
            done = act(on_event=events.append, color="never")
            assert looking.text(done.stdout.encode(), command) == []
            assert looking.text(repr(events).encode(), f"events of {command}") == []


def test_by_the_automation_api_every_variable_of_the_key_is_secret(variables: Variables) -> None:
    namespace = "automation-variables"
    settings = stack_document("local")
    settings.pop("deployment")
    sandbox = variables.ready()
    with sandbox._selected() as selected:
        workspace = selected.workspace
        stack = auto.create_or_select_stack(
            "automation",
            project_name="kestra",
            program=deploy,
            opts=auto.LocalWorkspaceOptions(
                pulumi_command=workspace.pulumi_command,
                project_settings=auto.ProjectSettings("kestra", "python"),
            ),
        )
        for key, block in settings.items():
            text = block if isinstance(block, str) else json.dumps(block)
            stack.set_config(f"kestra:{key}", auto.ConfigValue(text))
        for name, value, secret in (
            ("namespace", namespace, False),
            ("environment.TZ", "UTC", False),
            ("environment.TOKEN", FIRST, True),
        ):
            value = auto.ConfigValue(value, secret=secret)
            stack.set_config(f"kestra:deployment.{name}", value, path=True)
        try:
            stack.up(color="never")
            _, data = variables.secret(sandbox, namespace)
            assert (data["TOKEN"], data["TZ"]) == (FIRST, "UTC")
            deployment = variables.deployment(sandbox, namespace)
            assert not {"TOKEN", "TZ"} & {entry["name"] for entry in _spec(deployment)["env"]}
            assert FIRST not in json.dumps(deployment)
        finally:
            stack.destroy(color="never", exclude_protected=True)
