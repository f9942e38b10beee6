"""States of released versions: `python -m tests.upgrade.states_support` writes those of this version.

A state is what `pulumi stack export` gives after the first update of a stack file, its secrets encrypted with a
passphrase that everybody knows, and without what is this machine's own.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto
from rich.console import Console

from components import __version__
from sandbox.cli import Sandbox
from sandbox.engine.automation import Stack
from sandbox.judgement import Violation
from sandbox.services import ControlPlane
from sandbox.services.process import private
from sandbox.state import State
from tests.conftest import ROOT

FOLDER = Path(__file__).parent / "states"
PASSPHRASE = "of-states-in-the-tests"
PLACE = "/sandbox"
"""Stands in a state for the folder in which it was made."""
#: Every store and every identity that this project makes.
STACKS = (
    "local",
    "local-vault",
    "production",
    "example-aws-secret-manager",
    "example-aws-ssm-parameter-store",
    "example-azure-key-vault",
    "example-google-secret-manager",
)
#: What is lost, with all that it holds, when it is replaced or deleted.
DATA = frozenset(
    [
        "aws:kms/alias:Alias",
        "aws:kms/key:Key",
        "aws:kms/replicaKey:ReplicaKey",
        "aws:secretsmanager/secret:Secret",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:ssm/parameter:Parameter",
        "azure-native:keyvault:Key",
        "azure-native:keyvault:Secret",
        "azure-native:keyvault:Vault",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:kms/keyRing:KeyRing",
        "gcp:secretmanager/secret:Secret",
        "gcp:secretmanager/secretVersion:SecretVersion",
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:PersistentVolumeClaim",
        "random:index/randomBytes:RandomBytes",
        "random:index/randomPassword:RandomPassword",
        "vault:index/mount:Mount",
        "vault:kv/secretV2:SecretV2",
    ]
)


class UpgradeStacks:
    """Stack files of this project, with states of released versions, on servers of their own."""

    def __init__(self, folder: Path) -> None:
        self.state, self._stacks = State(folder / "state"), folder / "stacks"
        self.state.create()
        private(self.state.directory / "passphrase", PASSPHRASE)
        self._stacks.mkdir()
        for name in STACKS:
            file = ROOT / "stacks" / f"Pulumi.{name}.yaml"
            document = yaml.safe_load(file.read_text())
            # They share one cluster here.
            document["config"]["kestra:deployment"]["namespace"] = f"upgrade-{name}"
            (self._stacks / file.name).write_text(yaml.safe_dump(document, sort_keys=False))

    def edit(self, name: str, config: Mapping[str, Any]) -> None:
        """Changes settings of a stack file; None removes one."""
        file = self._stacks / f"Pulumi.{name}.yaml"
        document = yaml.safe_load(file.read_text())
        for key, value in config.items():
            document["config"][f"kestra:{key}"] = value
            if value is None:
                del document["config"][f"kestra:{key}"]
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def setting(self, name: str, key: str) -> Any:
        """A setting of a stack file."""
        file = self._stacks / f"Pulumi.{name}.yaml"
        return yaml.safe_load(file.read_text())["config"][f"kestra:{key}"]

    def _sandbox(self) -> Sandbox:
        console = Console(file=io.StringIO(), width=200, highlight=False)
        return Sandbox(self.state, console, stacks=self._stacks, policy=False)

    def ready(self, name: str) -> Stack:
        """The stack, and its servers running."""
        sandbox = self._sandbox()
        return sandbox.ready(name, sandbox.settings(name))

    def end(self) -> None:
        """Ends the servers."""
        self._sandbox().down(purge=True)

    def exported(self, name: str) -> dict[str, Any]:
        """The state, its secrets encrypted."""
        with self.ready(name)._selected() as stack:
            return json.loads(_pulumi(stack, "export").stdout)

    def restore(self, name: str, state: Mapping[str, Any]) -> Stack:
        """The stack with a state of another day, and in the API server what that state speaks of.

        A preview asks the API server what an update would do; the other servers are not asked.
        """
        upgrade = self.ready(name)
        stand(upgrade.plane, state)
        file = self.state.directory / f"{name}.json"
        folder = self.state.directory.parent
        private(file, json.dumps(state).replace(PLACE, str(folder)))
        with upgrade._selected() as stack:
            _pulumi(stack, "import", "--file", str(file))
        return upgrade


def stand(plane: ControlPlane, state: Mapping[str, Any]) -> None:
    """Puts the Kubernetes objects of a state into the API server; secrets have no value there, pods do not start."""
    objects = [r for r in state["deployment"]["resources"] if r["type"].startswith("kubernetes:")]
    session = plane.session()
    for resource in sorted(objects, key=lambda r: r["type"] != "kubernetes:core/v1:Namespace"):
        inputs = {k: v for k, v in resource["inputs"].items() if k not in ("data", "stringData")}
        namespace, _, object_name = resource["id"].rpartition("/")
        inputs["metadata"] = inputs["metadata"] | {"name": object_name}
        if "replicas" in inputs.get("spec", {}):
            inputs["spec"] = inputs["spec"] | {"replicas": 0}
        group = "api" if inputs["apiVersion"] == "v1" else "apis"
        place = f"namespaces/{namespace}/" if namespace else ""
        kind = inputs["kind"].lower()
        plural = (
            kind[:-1] + "ies"
            if kind.endswith("y")
            else kind + ("es" if kind.endswith("s") else "s")
        )
        answer = session.patch(
            f"{plane.url}/{group}/{inputs['apiVersion']}/{place}{plural}/{object_name}",
            params={"fieldManager": resource["outputs"]["__fieldManager"], "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            data=json.dumps(inputs),
            timeout=30,
        )
        assert answer.ok, answer.text


def _pulumi(stack: auto.Stack, *command: str) -> Any:
    run = stack.workspace.pulumi_command.run
    return run(["stack", *command, "--stack", stack.name], stack.workspace.work_dir, {})


@dataclass
class Operations:
    """What the engine does, or would do: URN to operations."""

    found: dict[str, set[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    def __call__(self, event: auto.EngineEvent) -> None:
        """Notes an event."""
        if (diagnostic := event.diagnostic_event) is not None and diagnostic.severity == "error":
            self.errors.append(diagnostic.message)
        if (before := event.resource_pre_event) is not None:
            operation = str(getattr(before.metadata.op, "value", before.metadata.op))
            if operation not in ("same", "read", "refresh"):
                self.found.setdefault(before.metadata.urn, set()).add(operation)

    def of(self, *operations: str) -> dict[str, set[str]]:
        """Those that have one of some operations (parts of their names)."""
        return {
            urn: done
            for urn, done in self.found.items()
            if any(operation in one for one in done for operation in operations)
        }

    @property
    def lost(self) -> set[str]:
        """What holds data and would be replaced or deleted: type and name."""
        return {
            f"{type_of(urn)} {urn.rsplit('::', 1)[1]}"
            for urn in self.of("replace", "delete")
            if type_of(urn) in DATA
        }


def type_of(urn: str) -> str:
    """The type of a resource, without those of its parents."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def released() -> Iterator[tuple[str, str]]:
    """Version and stack of every state that is kept."""
    for file in sorted(FOLDER.glob("*/*.json")):
        yield file.parent.name, file.stem


def kept(version: str, stack: str) -> dict[str, Any]:
    """A state of a released version."""
    return json.loads((FOLDER / version / f"{stack}.json").read_text())


def recorded_text(state: Mapping[str, Any], folder: Path) -> str:
    """A state as it is kept: without what is of the machine and of the day, one resource a line.

    What a preview does not read is left out too: times, and what controllers and the API server add to an object.
    """
    state = json.loads(json.dumps(state))
    resources = state["deployment"].pop("resources")
    for resource in resources:
        for key in ("sourcePosition", "stackTrace", "created", "modified"):
            resource.pop(key, None)
        if resource["type"].startswith("kubernetes:"):
            resource["outputs"].pop("status", None)
            for key in ("managedFields", "uid", "resourceVersion", "creationTimestamp"):
                resource["outputs"].get("metadata", {}).pop(key, None)
    lines = ",\n".join(json.dumps(resource, sort_keys=True) for resource in resources)
    state["deployment"]["resources"] = []
    text = json.dumps(state, sort_keys=True).replace(
        '"resources": []', f'"resources": [\n{lines}\n]'
    )
    text = text.replace(str(folder), PLACE)
    text = re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:1", text)
    text = re.sub(
        r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----(\\n)?", "certificate", text
    )
    return text + "\n"


@contextmanager
def stacks(folder: Path) -> Iterator[UpgradeStacks]:
    """The stacks, on servers that end."""
    upgrade_stacks = UpgradeStacks(folder)
    try:
        yield upgrade_stacks
    finally:
        upgrade_stacks.end()


def main() -> None:
    """Writes the states of this version."""
    target = FOLDER / __version__
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, stacks(Path(folder)) as upgrade_stacks:
        for name in STACKS:
            done = Operations()
            upgrade_stacks.ready(name).up(done)  # type: ignore[arg-type]
            file = target / f"{name}.json"
            file.write_text(recorded_text(upgrade_stacks.exported(name), Path(folder)))
            print(f"{file.relative_to(ROOT)}: {len(done.found)} resources", flush=True)


if __name__ == "__main__":
    main()
