"""Stacks whose engine is killed at a planned moment, and the servers on which they are brought to their end."""

from __future__ import annotations

import base64
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from components.stack_encryption import key_of
from sandbox.clouds import Clouds, own_account
from sandbox.engine.automation import EngineFailure, Outcome, Stack
from sandbox.engine.official_plugins import NAMES
from sandbox.engine.recovery import is_engine, orphaned_processes
from sandbox.services import AwsServer, ControlPlane, Vault
from sandbox.state import State
from tests.conftest import ROOT, silent

_SECRET = "4dabf18193072939515e22adb298388d"
_PASSWORD = "random:index/randomPassword:RandomPassword"
SOURCES = {
    "vault": "local-vault",
    "local": "local",
    "aws": "example-aws-secret-manager",
}


@dataclass(frozen=True)
class Point:
    """When somebody is killed: at a call for a resource, before its server is asked or after it answered.

    `recorded` is the moment at which the state has the resource.
    """

    kind: str
    name: str
    moment: str
    call: str = "Create"
    whom: str = "engine"
    operation: str = "up"

    def __str__(self) -> str:
        what = "" if self.whom == "engine" else f" ({self.whom})"
        return f"{self.kind}: {self.operation}, {self.moment} {self.call} of {self.name}{what}"


def command_line(pid: int) -> str:
    """What a process was started as; "ended" when it has ended meanwhile."""
    try:
        process = psutil.Process(pid)
        return f"{pid} {process.status()}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{pid} ended"


@dataclass
class World:
    """One sandbox with all its servers, whose plugins kill by plan."""

    folder: Path
    tools: dict[str, Path]
    made: int = 0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(self.folder / "state")
        self.state.create()
        self.stacks = self.folder / "stacks"
        self.plan = self.folder / "plan.json"
        self.launchers = self.folder / "bin"
        # Where the command looks for them.
        services = self.state.services
        self.plane = ControlPlane(services / "kubernetes", self.tools)
        self.vault = Vault(services / "vault", self.tools)
        self.aws = AwsServer(services / "aws")
        for folder in (self.stacks, self.launchers):
            folder.mkdir()
        # Beside the engine, whose folder comes first on the PATH that it gets.
        (self.launchers / "pulumi").symlink_to(self.tools["pulumi"].resolve())
        self.tools = {**self.tools, "pulumi": self.launchers / "pulumi"}
        helper = [sys.executable, "-m", "tests.faults.killing_plugin_helper", self.launchers]
        for name in NAMES:
            command = " ".join(shlex.quote(str(word)) for word in (*helper, name, self.plan))
            launcher = self.launchers / f"pulumi-resource-{name}"
            launcher.write_text(
                f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {command} "$@"\n'
            )
            launcher.chmod(0o755)

    @contextmanager
    def running(self) -> Iterator[World]:
        """With its servers."""
        servers = (self.plane, self.vault, self.aws)
        try:
            for server in servers:
                server.start()
            yield self
        finally:
            for server in servers:
                server.stop()

    def new(self, kind: str) -> str:
        """The name of a new stack, which nothing else on the servers contains."""
        self.made += 1
        name = f"{kind}{self.made:02d}kill"
        self.write(name, document(kind, name))
        return name

    def write(self, name: str, config: Mapping[str, Any]) -> None:
        """Writes the stack's file."""
        file = self.stacks / f"Pulumi.{name}.yaml"
        file.write_text(yaml.safe_dump({"config": dict(config)}, sort_keys=False))
        found = (config.get("kestra:declared-secrets") or {}).values()
        for secret in found:
            if rotation := secret.get("rotation"):
                self.aws.make_function(own_account(rotation["lambda-arn"]))

    def lengthen(self, name: str, secret: str, length: int) -> None:
        """Has a declared secret generated anew, with another length."""
        config = yaml.safe_load((self.stacks / f"Pulumi.{name}.yaml").read_text())["config"]
        config["kestra:declared-secrets"][secret]["generate"]["length"] = length
        self.write(name, config)

    def stack(self, name: str) -> Stack:
        """The stack, as the command makes it."""
        self.state.stack(name).mkdir(parents=True, exist_ok=True)
        return Stack(
            self.state,
            name,
            self.tools,
            self.plane,
            self.vault if name.startswith("vault") else None,
            clouds=Clouds(aws=self.aws) if name.startswith("aws") else Clouds(),
            stacks=self.stacks,
            notify=self.told.append,
        )

    def run(self, name: str, operation: str = "up") -> Outcome:
        """Runs an operation to its end."""
        assert not self.plan.exists()
        return getattr(self.stack(name), operation)(silent())

    def arm(self, point: Point) -> None:
        """Has the next run killed at a point."""
        self._done.unlink(missing_ok=True)
        self.plan.write_text(json.dumps(vars(point)))

    @property
    def _done(self) -> Path:
        return self.plan.with_suffix(".done")

    def kill(self, name: str, point: Point) -> str:
        """Runs an operation until somebody is killed. What was told of that."""
        try:
            with self._watching(name, point) as struck:
                if point.moment != "recorded":
                    self.arm(point)
                with pytest.raises(EngineFailure) as failure:
                    getattr(self.stack(name), point.operation)(silent())
        finally:
            self.plan.unlink(missing_ok=True)
        self._quiet()
        came = struck.is_set() if point.moment == "recorded" else self._done.exists()
        assert came, f"{point} never came: {failure.value}"
        return str(failure.value)

    def _quiet(self) -> None:
        """Waits until the plugins of an engine that is gone have ended what they had begun."""
        deadline = time.monotonic() + 60
        while (left := list(orphaned_processes(self.state))) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert left == [], [command_line(process.pid) for process in left]

    @contextmanager
    def _watching(self, name: str, point: Point) -> Iterator[threading.Event]:
        """Kills the engine as soon as its state has the resource."""
        struck, over = threading.Event(), threading.Event()

        def watch() -> None:
            while not over.wait(0.005):
                if any(r["urn"].endswith(f"::{point.name}") for r in self.resources(name)):
                    for process in orphaned_processes(self.state):
                        if is_engine(process.pid):
                            os.kill(process.pid, signal.SIGKILL)
                            struck.set()
                    return

        thread = threading.Thread(target=watch, daemon=True)
        if point.moment == "recorded":
            thread.start()
        try:
            yield struck
        finally:
            over.set()
            if thread.ident:
                thread.join()

    def _checkpoint(self, name: str) -> dict[str, Any]:
        try:
            return self.state.latest(name)
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def resources(self, name: str) -> list[dict[str, Any]]:
        """The resources of the state file."""
        return self._checkpoint(name).get("resources") or []

    def pending(self, name: str) -> dict[str, str]:
        """What the state says was being done: name to URN."""
        operations = self._checkpoint(name).get("pending_operations") or ()
        urns = [operation["resource"]["urn"] for operation in operations]
        return {urn.rpartition("::")[2]: urn for urn in urns}

    def kept(self, name: str) -> set[str]:
        """Every resource of the state by type and name, the stack's own name left out."""
        found = [r["urn"].split("::", 2)[2] for r in self.resources(name)]
        assert len(found) == len(set(found)), "a resource is in the state twice"
        assert not self._checkpoint(name).get("pending_operations")
        return {urn.replace(name, "<stack>") for urn in found}

    def generated(self, name: str) -> dict[str, str]:
        """Generated values that the state has, opened with the sandbox's passphrase."""
        file = self.state.stack(name) / "workspace" / "stacks" / f"Pulumi.{name}.yaml"
        salt = yaml.safe_load(file.read_text())["encryptionsalt"].split(":")[1]
        key = AESGCM(key_of(self.state.passphrase(), salt))
        found = {}
        for resource in self.resources(name):
            if resource.get("delete"):
                continue  # replaced: its successor is in the state too
            if resource["type"] == _PASSWORD and resource.get("outputs"):
                value = resource["outputs"]["result"]
                assert _SECRET in value, "a value is in clear"
                _, nonce, text = value["ciphertext"].split(":")
                opened = key.decrypt(base64.b64decode(nonce), base64.b64decode(text), None)
                found[resource["urn"].rpartition("::")[2]] = json.loads(opened)
        return found


def document(kind: str, name: str) -> dict[str, Any]:
    """The settings of a stack of this kind under a name of its own; one process, which is quicker."""
    file = ROOT / "stacks" / f"Pulumi.{SOURCES[kind]}.yaml"
    config: dict[str, Any] = deepcopy(yaml.safe_load(file.read_text())["config"])
    deployment = config["kestra:deployment"] | {"namespace": name, "mode": "standalone"}
    deployment.pop("components", None)
    config["kestra:deployment"] = deployment
    if kind == "vault":
        block = {"address": "http://127.0.0.1:8200", "root-engine": name}
        config["kestra:secret"]["vault"] = block | {"kubernetes": {"path": name}}
        config["kestra:identity"] = {"vault": {"audit-file": "stdout"}}
    if kind == "aws":
        config["kestra:secret"]["aws-secret-manager"]["prefix"] = name
    return config
