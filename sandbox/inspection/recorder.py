"""Runs a Pulumi program without an engine, and keeps what it registers.

`pulumi.runtime.set_mocks` is the SDK's public way to do so, and its argument `monitor` is the one that answers
the program. The mocks alone are told of type, name and inputs only; the monitor sees the whole request, with
`protect`, `retainOnDelete` and the dependencies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime import rpc

# The type of the public argument `monitor`; tests/sandbox/test_recorder.py says so.
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

from policy.core.model import plain_type
from sandbox.services.aws import ACCOUNT
from sandbox.services.gcp import PROJECT

#: The key that marks a value of the engine's protocol as more than a map, and its value for secrets.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - how the engine marks secrets

_ZERO = "00000000-0000-0000-0000-000000000000"

#: What the program asks a cloud, answered with the sandbox's own names: no cloud is asked.
_ANSWERS: Mapping[str, Mapping[str, str]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:index/getRegion:getRegion": {"region": "us-east-1", "name": "us-east-1"},
    "azure-native:authorization:getClientConfig": dict.fromkeys(
        ("clientId", "objectId", "subscriptionId", "tenantId"), _ZERO
    ),
    "gcp:organizations/getProject:getProject": {"projectId": PROJECT, "number": "1"},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "member": "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
    },
}
_VALUE = "Stand-in-1-for-the-value-of-{name}"
_ACCOUNT = f"kestra@{PROJECT}.iam.gserviceaccount.com"
_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{_ZERO}"

#: Type to the outputs that only an update makes, in their form, so that what holds them can be judged.
_STAND_INS: Mapping[str, Mapping[str, str]] = {
    "random:index/randomPassword:RandomPassword": {"result": _VALUE},
    "aws:kms/key:Key": {"arn": _KEY, "keyId": _ZERO},
    "azure-native:managedidentity:UserAssignedIdentity": {"clientId": _ZERO, "principalId": _ZERO},
    "gcp:serviceaccount/account:Account": {
        "email": _ACCOUNT,
        "member": f"serviceAccount:{_ACCOUNT}",
    },
    "vault:appRole/authBackendRole:AuthBackendRole": {"roleId": _VALUE},
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": {"secretId": _VALUE},
    "vault:index/token:Token": {"clientToken": _VALUE},
}


def stand_ins(type_: str, name: str) -> dict[str, str]:
    """Made-up values for what only an update makes of a resource.

    Args:
        type_: the resource's type.
        name: its logical name, which the secret ones contain.
    """
    return {
        key: text.format(name=name) for key, text in _STAND_INS.get(plain_type(type_), {}).items()
    }


@dataclass(frozen=True)
class Registration:
    """A resource as the program registered it."""

    urn: str
    request: Any
    """The protocol's `RegisterResourceRequest`."""

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Plain inputs; a secret is a map that `SIGNATURE` marks."""
        return rpc.deserialize_properties(self.request.object)


class RecordingMonitor(MockMonitor):
    """Keeps every registration, and answers with what mocks return.

    Raises:
        ValueError: at a registration of a URN that is registered already.
    """

    def __init__(self, mocks: pulumi.runtime.Mocks, project: str, stack: str) -> None:
        super().__init__(mocks)
        self._stack = f"urn:pulumi:{stack}::{project}"
        self.registrations: dict[str, Registration] = {}
        """By URN: a name alone is not unique while a stack moves."""

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        # The names of project and stack that another run left in this process do not count.
        *_, rest = super().make_urn(parent, type_, name).split("::", 2)
        return f"{self._stack}::{rest}"

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.registrations:
            raise ValueError(f"registered twice: {urn}")
        if request.type != "pulumi:pulumi:Stack":
            self.registrations[urn] = Registration(urn, request)
        return self.answer(urn, request)

    def answer(self, urn: str, request: Any) -> Any:
        """The protocol's answer to a registration."""
        return super().RegisterResource(request)


class _Preview(RecordingMonitor):
    """Answers as a preview does: what an update makes is not known, but for the stand-ins."""

    def answer(self, urn: str, request: Any) -> Any:
        # The inputs as they came, so that unknown ones stay unknown.
        known = struct_pb2.Struct()
        known.CopyFrom(request.object)
        known.update(stand_ins(request.type, request.name))
        return resource_pb2.RegisterResourceResponse(urn=urn, object=known)


class StandIns(pulumi.runtime.Mocks):
    """A provider of every type that makes values up."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", {**args.inputs, **stand_ins(args.typ, args.name)}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        return dict(_ANSWERS.get(args.token, {}))


def preview(program: Callable[[], Any], stack: str) -> dict[str, Registration]:
    """What a program registers in a preview, by URN.

    Args:
        program: registers the resources; an output that it returns is waited for.
        stack: name of the stack.
    """
    monitor = _Preview(StandIns(), "kestra", stack)
    run(program, monitor, stack, is_preview=True)
    return monitor.registrations


def run(
    program: Callable[[], Any],
    monitor: RecordingMonitor,
    stack: str,
    *,
    is_preview: bool = False,
) -> None:
    """Runs a program with a monitor, and waits for all that it registers."""
    ensure_event_loop()
    pulumi.runtime.set_mocks(monitor.mocks, "kestra", stack, preview=is_preview, monitor=monitor)
    pulumi.runtime.test(program)()


def ensure_event_loop() -> None:
    """Makes sure of an event loop, which the SDK does not make itself outside of a program."""
    try:
        asyncio.get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())
