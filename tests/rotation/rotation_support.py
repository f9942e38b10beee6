"""A whole stack whose secrets are rotated with the commands of docs/rotation.md, and what its pods saw of it."""

from __future__ import annotations

import base64
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.rendering.leaves import resolve
from sandbox.check import read_back
from sandbox.clouds import Clouds
from sandbox.display import Events
from sandbox.engine.automation import NONE, Stack
from sandbox.progress import Progress
from sandbox.services import ControlPlane, Vault
from sandbox.state import State
from sandbox.vault_check import Client, log_in
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "rotation.md"
HASH = "kestra.pulumi/secret-versions"


def section(heading: str) -> str:
    """A section of the page."""
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    assert match, f"docs/rotation.md has no section {heading!r}"
    return match[1]


def documented(heading: str, first: str = "pulumi config") -> list[str]:
    """The commands of a section that begin with some words."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", section(heading), re.M | re.S)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if line.startswith(first)]
    assert commands, f"no command {first!r} under {heading!r}"
    return commands


@dataclass(frozen=True)
class Picture:
    """What the servers had at a moment."""

    generated: Mapping[str, str]
    versions: Mapping[str, str]
    secret: str
    """Name of the Kubernetes Secret."""
    data: Mapping[str, str]
    hashes: Mapping[str, str]
    """Deployment to its annotation."""
    replica_sets: Mapping[str, frozenset[str]]
    """Deployment to the ReplicaSets that it ever had."""


@dataclass(frozen=True)
class Rotated:
    """A rotation: what was before and after, and in which order the engine worked."""

    before: Picture
    after: Picture
    order: list[tuple[str, str]]
    """Operation and resource, as each ended."""

    @property
    def changed(self) -> set[str]:
        """Generated values that are others now."""
        names = {*self.before.generated, *self.after.generated}
        return {n for n in names if self.before.generated.get(n) != self.after.generated.get(n)}

    @property
    def data(self) -> set[str]:
        """Variables of the Secret that are others now."""
        names = {*self.before.data, *self.after.data}
        return {n for n in names if self.before.data.get(n) != self.after.data.get(n)}

    @property
    def rolled(self) -> set[str]:
        """Deployments that have a new ReplicaSet."""
        return {
            name
            for name, sets in self.after.replica_sets.items()
            if sets - self.before.replica_sets[name]
        }

    @property
    def rehashed(self) -> set[str]:
        """Deployments whose annotation is another now."""
        return {n for n, h in self.after.hashes.items() if h != self.before.hashes[n]}

    @property
    def new_versions(self) -> set[str]:
        """Secrets that have a new version in the store."""
        return {n for n, v in self.after.versions.items() if v != self.before.versions.get(n)}

    def at(self, operation: str, name: str) -> int:
        """The place of an operation in the order."""
        return self.order.index((operation, name))


class _Told(Events):
    """Keeps the order of what was done."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self.order: list[tuple[str, str]] = []

    def __call__(self, event: Any) -> None:
        ended = event.res_outputs_event
        if ended is not None:
            operation = str(getattr(ended.metadata.op, "value", ended.metadata.op))
            if operation != "same":
                self.order.append((operation, ended.metadata.urn.rsplit("::", 1)[1]))
        super().__call__(event)


class Rotating:
    """A stack of the tests' own on the test control plane."""

    def __init__(
        self,
        directory: Path,
        name: str,
        document: Mapping[str, Any],
        tools: Mapping[str, Path],
        plane: ControlPlane,
        vault: Vault | None,
        progress: Progress,
        clouds: Clouds = NONE,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.stacks, self.state = directory / "stacks", State(directory / "state")
        self.stacks.mkdir(parents=True)
        self.state.create()
        self.file = self.stacks / f"Pulumi.{name}.yaml"
        keys = {f"kestra:{key}": value for key, value in document.items()} | dict(config or {})
        self.file.write_text(yaml.safe_dump({"config": keys}, sort_keys=False))
        self.plane, self.vault, self._progress, self._tools = plane, vault, progress, tools
        self.stack = Stack(self.state, name, tools, plane, vault, clouds=clouds, stacks=self.stacks)
        self.order: list[tuple[str, str]] = []
        self.outputs: Mapping[str, Any] = {}
        """Of the last update, secrets in clear."""

    def up(self) -> Mapping[str, int]:
        """`pulumi up`."""
        messages = _Told(self._progress)
        outcome = self.stack.up(messages)
        self.order = messages.order
        self.outputs = {name: output.value for name, output in outcome.outputs.items()}
        return {k: v for k, v in outcome.changes.items() if k != "same" and v}

    def refresh(self) -> None:
        """`pulumi refresh`."""
        self.stack.refresh(_Told(self._progress))

    def pulumi(self, line: str, given: str = "") -> str:
        """Runs a line of the page as it is; what it asks for is given."""
        self.state.backend.mkdir(parents=True, exist_ok=True)
        self.stack.write_workspace()
        done = subprocess.run(
            [str(self._tools["pulumi"]), *shlex.split(line)[1:]],
            cwd=self.stack.folder / "workspace",
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            env=self.stack.environment() | {"PULUMI_STACK": self.stack.name},
        )
        assert done.returncode == 0, done.stderr
        if " config " in line:
            # What the command wrote is the stack file from now on.
            self.file.write_text(self.stack._file.read_text())
        return done.stdout

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edits the settings by hand."""
        document = yaml.safe_load(self.file.read_text())
        change(document["config"])
        self.file.write_text(yaml.safe_dump(document, sort_keys=False))

    def picture(self) -> Picture:
        """What the servers have now."""
        outputs = self.outputs
        _, data = read_back(self.plane, outputs)
        base = f"{self.plane.url}/apis/apps/v1/namespaces/{outputs['namespace']}"
        session = self.plane.session()
        deployments = session.get(f"{base}/deployments", timeout=30).json()["items"]
        sets = session.get(f"{base}/replicasets", timeout=30).json()["items"]
        owned: dict[str, set[str]] = {d["metadata"]["name"]: set() for d in deployments}
        for one in sets:
            owned[one["metadata"]["ownerReferences"][0]["name"]].add(one["metadata"]["uid"])
        hashes = {
            d["metadata"]["name"]: d["spec"]["template"]["metadata"]["annotations"][HASH]
            for d in deployments
        }
        return Picture(
            dict(outputs["generated"]),
            dict(outputs["versionIds"]),
            outputs["secret"],
            data,
            hashes,
            {name: frozenset(uids) for name, uids in owned.items()},
        )

    def rotate(self, heading: str, *given: str, lines: slice = slice(None)) -> Rotated:
        """Does what a section says.

        Args:
            heading: the section.
            given: what each `--secret` line is given, in order.
            lines: which of its `pulumi config` lines are run.
        """
        before, values = self.picture(), list(given)
        for line in documented(heading)[lines]:
            self.pulumi(line, values.pop(0) if "--secret" in line else "")
        assert not values
        self.up()
        return Rotated(before, self.picture(), self.order)

    def block(self) -> dict[str, Any]:
        """`kestra.secret.vault` as deployed, with its secrets."""
        text, data = read_back(self.plane, self.outputs)
        resolved = resolve(yaml.safe_load(text)["kestra"]["secret"]["vault"], data)
        assert isinstance(resolved, dict)
        return resolved


@dataclass
class Pods:
    """Does, for as long as an update runs, what every pod would do: log in with what it has, and read.

    Example:
        >>> with Pods(stack, "main/company/team/NAME") as pods: ...  # doctest: +SKIP
    """

    stack: Rotating
    path: str
    """Path of a declared secret in the engine."""
    reads: int = 0
    secrets: set[str] = field(default_factory=set)
    """Kubernetes Secrets that pods had."""
    refused: list[str] = field(default_factory=list)

    def __enter__(self) -> Pods:
        self._namespace = self.stack.outputs["namespace"]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        # Seen with `pytest -rP`.
        print(f"{self.reads} reads with {len(self.secrets)} Secrets, {len(self.refused)} refused")

    def _get(self, path: str) -> dict[str, Any] | None:
        url = f"{self.stack.plane.url}/api/v1/namespaces/{self._namespace}/{path}"
        answer = self.stack.plane.session().get(url, timeout=30)
        return answer.json() if answer.ok else None

    def _watch(self) -> None:
        # A pause, so that the update has the processor.
        while not self._ended.wait(0.1):
            pods = (self._get("pods") or {"items": []})["items"]
            # One pod for all that have the same: they would do the same.
            for has, pod in {_has(pod): pod for pod in pods if _runs(pod)}.items():
                if self._read(*has):
                    self.reads += 1
                    self.secrets.add(has[0])
                    continue
                now = self._get(f"pods/{pod['metadata']['name']}")
                # One that was told to end meanwhile logs in no more.
                if now is not None and _runs(now):
                    self.refused.append(f"{pod['metadata']['name']} with {has[0]}")

    def _read(self, secret: str, config_map: str) -> bool:
        secret_object, file = self._get(f"secrets/{secret}"), self._get(f"configmaps/{config_map}")
        if secret_object is None or file is None:
            return False
        data = {k: base64.b64decode(v).decode() for k, v in secret_object["data"].items()}
        text = yaml.safe_load(file["data"]["application.yaml"])
        block: Any = resolve(text["kestra"]["secret"]["vault"], data)
        client = log_in(block)
        return client is not None and readable(client, block["root-engine"], self.path) is not None


def _runs(pod: Mapping[str, Any]) -> bool:
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def _has(pod: Mapping[str, Any]) -> tuple[str, str]:
    """The Secret and the ConfigMap of a pod."""
    maps = [v["configMap"]["name"] for v in pod["spec"]["volumes"] if "configMap" in v]
    return pod["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"], maps[0]


def readable(client: Client, engine: str, path: str, version: int | None = None) -> str | None:
    """The value that a client reads, if it may."""
    url = f"{engine}/data/{path}" + (f"?version={version}" if version else "")
    answer = client.call("GET", url)
    return answer.json()["data"]["data"]["value"] if answer.ok else None


def vault_cli(tools: Mapping[str, Path], vault: Vault, line: str) -> str:
    """Runs a `vault` line of the page."""
    done = subprocess.run(
        [str(tools["vault"]), *shlex.split(line)[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(vault.directory),
            "VAULT_ADDR": vault.address,
            "VAULT_TOKEN": vault.root_token,
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
