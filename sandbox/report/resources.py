"""The resources that the report judges: those of the last update's state, else what the program registers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pulumi
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.mocks import MockMonitor, Mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_TEXT

from components.settings import Settings
from policy.core.model import Resource, plain_type
from policy.core.values import UNKNOWN, Sealed, Undecided
from sandbox.errors import SandboxError
from sandbox.services.aws import ACCOUNT
from sandbox.services.gcp import PROJECT
from sandbox.state import latest_of

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - how the engine marks secrets
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
}
_STAND_IN = "Stand-in-for-a-value-that-is-made-at-the-update-1"
_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{_ZERO}"

#: What the stack makes itself and hands on, by the form that it will have, so that whatever holds it can be judged.
_STAND_INS: Mapping[str, Mapping[str, str]] = {
    "random:index/randomPassword:RandomPassword": {"result": _STAND_IN},
    "aws:kms/key:Key": {"arn": _KEY, "keyId": _ZERO},
    "azure-native:managedidentity:UserAssignedIdentity": {
        "clientId": _ZERO,
        "principalId": _ZERO,
    },
    "gcp:serviceaccount/account:Account": {
        "email": f"kestra@{PROJECT}.iam.gserviceaccount.com",
        "member": f"serviceAccount:kestra@{PROJECT}.iam.gserviceaccount.com",
    },
    "vault:appRole/authBackendRole:AuthBackendRole": {"roleId": _STAND_IN},
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": {"secretId": _STAND_IN},
    "vault:index/token:Token": {"clientToken": _STAND_IN},
}


class Closed(Sealed):
    """A secret of a state file: its value is encrypted there, so nobody can judge it."""

    def __init__(self) -> None:
        super().__init__("")

    def __getattribute__(self, name: str) -> Any:
        if name == "value":
            raise Undecided("a secret value, encrypted in the state")
        return super().__getattribute__(name)


@dataclass(frozen=True)
class Found:
    """Resources, and where they come from."""

    origin: Literal["state", "recorded"]
    resources: tuple[Resource, ...]
    """With their inputs."""
    outputs: tuple[Resource, ...] = ()
    """The same with their outputs, by which the engine judges whole stacks; empty: there are none yet."""

    @property
    def whole(self) -> tuple[Resource, ...]:
        """What rules for whole stacks judge."""
        return self.outputs or self.resources


def of_state(file: Path) -> Found | None:
    """The resources of a state file of the sandbox's backend; None when there is none.

    Raises:
        SandboxError: when the file cannot be read.
    """
    try:
        latest = latest_of(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise SandboxError(
            f"The state {file} cannot be read. Run `python -m sandbox refresh` for this stack first."
        ) from None
    entries = [e for e in latest.get("resources") or [] if not e.get("delete")]
    made = [(e, _of_entry(e)) for e in entries if e["type"] != "pulumi:pulumi:Stack"]
    if not made:
        return None
    return Found(
        "state",
        tuple(resource for _, resource in made),
        tuple(replace(r, props={**r.props, **plain(e.get("outputs") or {})}) for e, r in made),
    )


def _of_entry(entry: Mapping[str, Any]) -> Resource:
    return Resource(
        plain_type(entry["type"]),
        entry["urn"].rpartition("::")[2],
        plain(entry.get("inputs") or {}),
        entry["urn"],
        bool(entry.get("protect")),
        {k: tuple(v or ()) for k, v in (entry.get("propertyDependencies") or {}).items()},
    )


def plain(value: Any) -> Any:
    """A value of the engine's as the controls see it: unknown and secret values marked."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return Closed() if "ciphertext" in value else _sealed(plain(_inner(value)))
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if value == UNKNOWN_TEXT:
        return UNKNOWN
    # JSON of the protocol has no whole numbers.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _inner(secret: Mapping[str, Any]) -> Any:
    if "plaintext" in secret:
        return json.loads(secret["plaintext"])
    return secret.get("value")


def _sealed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sealed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_sealed(inner) for inner in value]
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return Sealed(str(value))
    return value


class _Nobody(Mocks):
    def new_resource(self, args: Any) -> tuple[str | None, dict[Any, Any]]:
        return None, {}

    def call(self, args: Any) -> Any:
        return {}


class _Recorder(MockMonitor):
    """Keeps every registration, and answers as a preview does: what is made is not known yet."""

    def __init__(self) -> None:
        super().__init__(_Nobody())
        self.found: list[Resource] = []

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type != "pulumi:pulumi:Stack":
            references = request.propertyDependencies
            self.found.append(
                Resource(
                    plain_type(request.type),
                    request.name,
                    plain(json_format.MessageToDict(request.object)),
                    urn,
                    request.protect,
                    {key: tuple(entry.urns) for key, entry in references.items()},
                )
            )
        known = struct_pb2.Struct()
        known.CopyFrom(request.object)
        known.update(_STAND_INS.get(plain_type(request.type), {}))
        return resource_pb2.RegisterResourceResponse(urn=urn, object=known)

    def Invoke(self, request: Any) -> Any:
        answer = struct_pb2.Struct()
        answer.update(_ANSWERS.get(request.tok, {}))
        fields: Any = {"return": answer}
        return resource_pb2.ResourceInvokeResponse(**fields)


def recorded(settings: Settings, stack: str) -> Found:
    """What the program registers with these settings, as in a preview; no engine, no server.

    Raises:
        SandboxError: when the program fails.
    """
    from components.program import build

    monitor = _Recorder()
    _event_loop()
    pulumi.runtime.set_mocks(_Nobody(), "kestra", stack, preview=True, monitor=monitor)
    try:
        pulumi.runtime.test(lambda: build(settings))()
    except Exception as error:
        # Its text may hold values.
        what = type(error).__name__
        raise SandboxError(
            f"The program failed while its resources were recorded ({what}). Run"
            f" `python -m sandbox preview {stack}` to see why."
        ) from error
    return Found("recorded", tuple(sorted(monitor.found, key=lambda r: (r.type, r.name))))


def _event_loop() -> None:
    """Makes sure of an event loop, which the SDK does not make itself outside of a program."""
    try:
        asyncio.get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())


def packages(found: Found) -> Iterator[tuple[str, int]]:
    """Provider and number of its resources."""
    counts: dict[str, int] = {}
    for resource in found.resources:
        name = resource.type.split(":", 1)[0]
        if name not in ("kestra", "pulumi"):
            counts[name] = counts.get(name, 0) + 1
    yield from sorted(counts.items())
