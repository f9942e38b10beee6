"""Mocks that record what a program registers, and a run of the whole program with them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pulumi

from components.program import build
from components.settings import Settings
from components.validation import load
from sandbox.inspection.recorder import RecordingMonitor, ensure_event_loop
from sandbox.inspection.recorder import run as _run_program
from tests.components import aws_support, azure_fixtures, gcp_fixtures


@dataclass
class Recorder(pulumi.runtime.Mocks):
    """Records (type, name, inputs) of every resource; answers with what providers fill in."""

    resources: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, Any] = field(default_factory=dict)
    """Name of a resource to its registration, with the options that mocks are not told of."""
    parents: dict[str, str] = field(default_factory=dict)
    """Name of a resource to the URN of its parent."""
    protected: set[str] = field(default_factory=set)
    retained: set[str] = field(default_factory=set)
    """Names of the resources that stay when the stack is destroyed."""
    deleted_with: dict[str, str] = field(default_factory=dict)
    """Name of a resource to the URN of the one that takes it along."""
    registered: dict[str, tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    """URN of a resource to its registration and inputs: a name alone is not unique while a stack moves."""
    secret_outputs: set[str] = field(default_factory=set)
    """Names of the outputs that Pulumi keeps as secrets."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        self.resources[args.name] = (args.typ, dict(args.inputs))
        state = dict(args.inputs)
        match args.typ:
            case "random:index/randomBytes:RandomBytes":
                state["base64"] = f"bytes-of-{args.name}"
            case "random:index/randomPassword:RandomPassword":
                state["result"] = f"Password-1-of-{args.name}"
            case "vault:kv/secretV2:SecretV2":
                state |= {
                    "path": f"{args.inputs['mount']}/data/{args.inputs['name']}",
                    "metadata": {"version": "1"},
                }
            case "vault:appRole/authBackendRole:AuthBackendRole":
                state["roleId"] = "role-id-of-mock"
            case "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId":
                state["secretId"] = "secret-id-of-mock"
            case "vault:index/token:Token":
                state["clientToken"] = "token-of-mock"
            case _ if args.typ.startswith("gcp:"):
                state |= gcp_fixtures.filled(args.typ, args.inputs)
            case _ if args.typ.startswith("aws:"):
                state |= aws_support.outputs(args.typ, args.name, state)
            case _ if args.typ.startswith("azure-native:"):
                state |= azure_fixtures.filled(args.typ, args.name, args.inputs)
            case _ if args.typ.startswith("kubernetes:"):
                metadata = dict(state.get("metadata") or {})
                metadata.setdefault("name", args.name)
                state["metadata"] = metadata
        return f"{args.name}-id", state

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        if args.token == "gcp:organizations/getProject:getProject":
            return {"number": gcp_fixtures.NUMBER}
        if args.token == "gcp:storage/getProjectServiceAccount:getProjectServiceAccount":
            return {"member": gcp_fixtures.STORAGE_AGENT}
        if args.token == "azure-native:authorization:getClientConfig":
            return azure_fixtures.CLIENT
        return aws_support.ANSWERS.get(args.token, {})

    def of(self, type_: str) -> dict[str, dict[str, Any]]:
        """Name to inputs of the resources of a type, by its last part."""
        return {n: i for n, (t, i) in self.resources.items() if t.endswith(f":{type_}")}


class _Monitor(RecordingMonitor):
    """Keeps the options of resources, which mocks are not told of."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder, "kestra", "test")
        self._recorder = recorder

    def answer(self, urn: str, request: Any) -> Any:
        recorder = self._recorder
        recorder.requests[request.name] = request
        recorder.parents[request.name] = request.parent
        if request.protect:
            recorder.protected.add(request.name)
        if request.retainOnDelete:
            recorder.retained.add(request.name)
        if request.deletedWith:
            recorder.deleted_with[request.name] = request.deletedWith
        if urn in self.registrations:
            recorder.registered[urn] = (request, self.registrations[urn].inputs)
        return super().answer(urn, request)


def run(document: dict[str, Any]) -> Recorder:
    """The stack of some settings, registered with mocks.

    One stack is registered once in a process, and its record is shared: tests only read it.
    A test that replaces a part of the program calls `register`.
    """
    return _run(pickle.dumps(document))


@cache
def _run(document: bytes) -> Recorder:
    return register(pickle.loads(document))


def register(document: dict[str, Any]) -> Recorder:
    """Registers the stack of some settings with mocks, and waits for everything."""
    recorder = Recorder()
    settings = load(document, source="test").settings
    _run_program(lambda: _exporting(settings, recorder), _Monitor(recorder), "test")
    return recorder


def _exporting(settings: Settings, recorder: Recorder) -> pulumi.Output[Any]:
    root: Any = pulumi.runtime.get_root_resource()
    # Another run in this process may have left its own.
    root.outputs.clear()
    build(settings)
    return _record(recorder, root.outputs)


def _record(recorder: Recorder, exported: dict[str, Any]) -> pulumi.Output[Any]:
    def keep(known: dict[str, Any]) -> None:
        recorder.outputs |= known["values"]
        recorder.secret_outputs |= {name for name, secret in known["secrets"].items() if secret}

    values = {name: pulumi.Output.from_input(value) for name, value in exported.items()}
    secrets = {name: value.is_secret() for name, value in values.items()}
    return pulumi.Output.all(values=values, secrets=secrets).apply(keep)


def _test(act: Any) -> None:
    ensure_event_loop()
    pulumi.runtime.test(act)()
