"""A stack of a cluster and a stack of Kestra that takes its outputs, with the real engine and a real API server."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi import automation as auto

from sandbox.engine.automation import Stack
from sandbox.engine.outcome import EngineFailure
from sandbox.leak_scan.scan import Search
from sandbox.services import ControlPlane
from sandbox.services.process import private
from sandbox.state import State
from tests.conftest import silent, stack_document

pytestmark = pytest.mark.engine

CLUSTER = "organization/cluster/platform"
NAMESPACE = "kestra-of-the-cluster"
FIRST, SECOND, KEY = "Pl4nted-Output-Jw71", "Pl4nted-Output-Jw72", "Pl4nted+Key" + "4" * 32 + "="


def output(name: str, stack: str = CLUSTER) -> dict[str, str]:
    """A setting that is an output of the cluster's stack."""
    return {"from-stack": stack, "output": name}


SETTINGS: dict[str, Any] = {
    "datasources": {
        "postgres": {
            "url": output("databaseUrl"), "username": output("database.user"), "password": output("databasePassword"),
        }
    },
    "queue": {"type": "postgres"},
    "repository": {"type": "postgres"},
    "storage": {"type": "s3", "s3": {"bucket": output("bucket"), "region": "eu-west-1"}},
    "deployment": {
        "namespace": output("namespaces[0]"),
        "kubeconfig": output("kubeconfig"),
        "environment": {"TOKEN": output("token"), "ISSUER": output("issuer")},
    },
}  # fmt: skip


class Kestra(Stack):
    """A stack whose cluster is the one of its settings: the engine's environment names none."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"KUBECONFIG": "/nowhere"}

    def _overlay(self, config: dict[str, Any]) -> None:
        """Leaves the settings as they are."""


class Composed:
    """Both stacks, in one backend."""

    def __init__(self, folder: Path, tools: Mapping[str, Path], plane: ControlPlane) -> None:
        self.state, self.folder, self.tools, self.plane = (
            State(folder / "state"),
            folder,
            tools,
            plane,
        )
        self.state.create()
        (folder / "stacks").mkdir()

    def kestra(self, name: str, changes: Mapping[str, Any] = {}) -> Kestra:
        """A stack of Kestra, with its stack file."""
        settings = stack_document("local") | SETTINGS | dict(changes)
        config = {f"kestra:{key}": value for key, value in settings.items()}
        file = self.folder / "stacks" / f"Pulumi.{name}.yaml"
        private(file, yaml.safe_dump({"config": config}, sort_keys=False))
        return Kestra(self.state, name, self.tools, self.plane, None, stacks=self.folder / "stacks")

    def export(self, password: str) -> None:
        """Updates the cluster's stack, which exports this password and the rest of `outputs`."""

        def program() -> None:
            for name, value in outputs(self.plane, password).items():
                pulumi.export(name, value)

        folder = self.folder / "cluster"
        folder.mkdir(exist_ok=True)
        with self.kestra("platform")._selected() as selected:
            options = auto.LocalWorkspaceOptions(
                work_dir=str(folder), pulumi_command=selected.workspace.pulumi_command
            )
            stack = auto.create_or_select_stack(
                "platform", project_name="cluster", program=program, opts=options
            )
            stack.up(color="never")

    def exported(self, name: str) -> dict[str, Any]:
        """The state of a stack, secrets closed."""
        with self.kestra(name)._selected() as stack:
            run = stack.workspace.pulumi_command.run
            command = ["stack", "export", "--stack", name]
            return json.loads(run(command, stack.workspace.work_dir, {}).stdout)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        url = f"{self.plane.url}/{kind.replace('*', f'namespaces/{NAMESPACE}')}"
        return self.plane.session().get(url, timeout=30).json()["items"]

    def secret(self) -> dict[str, str]:
        """The data of the pods' Secret."""
        (secret,) = [
            one
            for one in self.objects("api/v1/*/secrets")
            if one["metadata"]["name"].startswith("kestra-secret")
        ]
        return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


def outputs(plane: ControlPlane, password: str) -> dict[str, Any]:
    """What the cluster's stack exports."""
    return {
        "kubeconfig": pulumi.Output.secret(yaml.safe_load(plane.kubeconfig.read_text())),
        "issuer": "https://oidc.example.com/id/1",
        "namespaces": [NAMESPACE],
        "bucket": "kestra-of-the-cluster",
        "database": {"user": "kestra"},
        "databaseUrl": "jdbc:postgresql://db.example.com:5432/kestra",
        "databasePassword": pulumi.Output.secret(password),
        "token": pulumi.Output.secret(KEY),
    }


@pytest.fixture(scope="module")
def composed(
    tools: dict[str, Path], control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Composed]:
    stacks = Composed(tmp_path_factory.mktemp("composed"), tools, control_plane)
    stacks.export(FIRST)
    try:
        stacks.kestra("composed").up(silent())
        yield stacks
    finally:
        with contextlib.suppress(EngineFailure):
            stacks.kestra("composed").destroy(silent(), unprotect=True)


def test_outputs_are_in_the_configuration_and_secret_ones_in_the_secret_alone(
    composed: Composed,
) -> None:
    data = composed.secret()
    assert FIRST in data.values()
    assert data["TOKEN"] == KEY
    (configuration,) = [
        one
        for one in composed.objects("api/v1/*/configmaps")
        if "configuration" in one["metadata"]["name"]
    ]
    rendered = yaml.safe_load(configuration["data"]["application.yaml"])
    assert rendered["datasources"]["postgres"]["username"] == "kestra"
    assert rendered["kestra"]["storage"]["s3"]["bucket"] == "kestra-of-the-cluster"
    assert rendered["datasources"]["postgres"]["password"].startswith("${")
    (deployment,) = composed.objects("apis/apps/v1/*/deployments")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {"name": "ISSUER", "value": "https://oidc.example.com/id/1"} in container["env"]
    looking = Search({"password": FIRST, "token": KEY})
    for kind in ("api/v1/*/configmaps", "apis/apps/v1/*/deployments"):
        assert looking.text(json.dumps(composed.objects(kind)).encode(), kind) == []


def test_the_cluster_is_the_one_of_the_kubeconfig_that_the_other_stack_exports(
    composed: Composed,
) -> None:
    resources = composed.exported("composed")["deployment"]["resources"]
    (provider,) = [one for one in resources if one["type"] == "pulumi:providers:kubernetes"]
    assert provider["urn"].endswith("::cluster")
    reference = f"{provider['urn']}::{provider['id']}"
    objects = [one for one in resources if one["type"].startswith("kubernetes:")]
    assert objects
    assert {one["provider"] for one in objects} == {reference}
    # The whole of the other stack's outputs is not in this state.
    assert not [one for one in resources if one["type"] == "pulumi:pulumi:StackReference"]
    settings = composed.kestra("composed").settings()
    assert settings.deployment.kubeconfig is not None
    assert settings.deployment.namespace == NAMESPACE


def test_state_events_and_files_do_not_show_a_secret_of_the_other_stack(composed: Composed) -> None:
    key = yaml.safe_load(composed.plane.kubeconfig.read_text())["users"][0]["user"]
    planted = {"password": FIRST, "token": KEY} | {
        f"kubeconfig {n}": v for n, v in key.items() if len(v) > 20
    }
    looking = Search(planted)
    assert looking.files([composed.state.directory]) == []
    assert looking.text(json.dumps(composed.exported("composed")).encode(), "state") == []
    with composed.kestra("composed")._selected() as stack:
        for command in ("preview", "up"):
            events: list[Any] = []
            done = getattr(stack, command)(on_event=events.append, color="never")
            assert looking.text(done.stdout.encode(), command) == []
            assert looking.text(repr(events).encode(), f"events of {command}") == []


def test_another_output_is_taken_with_the_next_update_and_the_same_ones_change_nothing(
    composed: Composed,
) -> None:
    again = composed.kestra("composed").up(silent())
    assert set(again.changes) == {"same"}
    composed.export(SECOND)
    composed.kestra("composed").up(silent())
    data = composed.secret()
    assert SECOND in data.values()
    assert FIRST not in data.values()


def test_what_cannot_be_read_is_reported_at_once_and_nothing_is_registered(
    composed: Composed,
) -> None:
    deployment = {
        "namespace": output("namespace"), "url": output("issuer", "organization/cluster/none"),
        "environment": {"A": output("issuer", "acme/cluster/platform")}, "image": {"tag": output("token")},
    }  # fmt: skip
    stack = composed.kestra("broken", {"deployment": deployment})
    with pytest.raises(EngineFailure) as raised:
        stack.preview(silent())
    said = str(raised.value)
    for words in (
        "4 problems in the settings",
        f"kestra:deployment.namespace: names output namespace of stack {CLUSTER}, which is not there",
        "names stack organization/cluster/none, which this backend does not have",
        "names stack acme/cluster/platform, which cannot be read: organization name must be 'organization'",
        f"kestra:deployment.image.tag: is output token of stack {CLUSTER}, which is secret",
    ):
        assert words in said, said
    assert KEY not in said
    with pytest.raises(EngineFailure):
        stack.up(silent())
    resources = composed.exported("broken")["deployment"].get("resources") or []
    # The engine's own provider is what answers for outputs.
    assert {one["type"] for one in resources} <= {"pulumi:pulumi:Stack", "pulumi:providers:pulumi"}
