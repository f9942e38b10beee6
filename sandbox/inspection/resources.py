"""The resources of a stack: those of the last update's state, else what the program registers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from google.protobuf import json_format
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_TEXT

from components.settings import Settings
from policy.core.model import Resource, plain_type
from policy.core.values import UNKNOWN, Sealed, Undecided
from sandbox.errors import SandboxError
from sandbox.inspection import recorder
from sandbox.state import latest_of


class Closed(Sealed):
    """A secret of a state file: its value is encrypted there, so nobody can judge it."""

    def __init__(self) -> None:
        super().__init__("")

    def __getattribute__(self, name: str) -> Any:
        if name == "value":
            raise Undecided("a secret value, encrypted in the state")
        return super().__getattribute__(name)


@dataclass(frozen=True)
class StackResources:
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


def read_resources(file: Path) -> StackResources | None:
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
    resources = [(e, _from_state(e)) for e in entries if e["type"] != "pulumi:pulumi:Stack"]
    if not resources:
        return None
    return StackResources(
        "state",
        tuple(resource for _, resource in resources),
        tuple(replace(r, props={**r.props, **plain(e.get("outputs") or {})}) for e, r in resources),
    )


def _from_state(entry: Mapping[str, Any]) -> Resource:
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
        if value.get(recorder.SIGNATURE) == recorder.SECRET:
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


def record_resources(settings: Settings, stack: str) -> StackResources:
    """What the program registers with these settings, as in a preview; no engine, no server.

    Raises:
        SandboxError: when the program fails.
    """
    from components.program import build

    try:
        registrations = recorder.preview(lambda: build(settings), stack)
    except Exception as error:
        # Its text may hold values.
        kind = type(error).__name__
        raise SandboxError(
            f"The program failed while its resources were recorded ({kind}). Run"
            f" `python -m sandbox preview {stack}` to see why."
        ) from error
    resources = map(_from_registration, registrations.values())
    return StackResources("recorded", tuple(sorted(resources, key=lambda r: (r.type, r.name))))


def _from_registration(registration: recorder.Registration) -> Resource:
    request = registration.request
    return Resource(
        plain_type(request.type),
        request.name,
        plain(json_format.MessageToDict(request.object)),
        registration.urn,
        request.protect,
        {key: tuple(entry.urns) for key, entry in request.propertyDependencies.items()},
    )


def packages(resources: StackResources) -> Iterator[tuple[str, int]]:
    """Provider and number of its resources."""
    counts: dict[str, int] = {}
    for resource in resources.resources:
        name = resource.type.split(":", 1)[0]
        if name not in ("kestra", "pulumi"):
            counts[name] = counts.get(name, 0) + 1
    yield from sorted(counts.items())
