"""What a provider is to the protocol: its operations, and what a diff answers."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, NamedTuple

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.values import Properties

Failures = list[tuple[str, str]]
"""Property and reason of each refused input. Without a property, so that the engine prints no value of it."""

_LOG_SECONDS = 5.0


class Urn(str):
    """A resource's name in the engine."""

    __slots__ = ()

    @classmethod
    def of(cls, type_: str, name: str) -> Urn:
        """The URN of a resource without a parent, in a stack of no name."""
        return cls(f"urn:pulumi:stack::project::{type_}::{name}")

    @property
    def type(self) -> str:
        """The type token, without those of its parents."""
        return self.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        """The name in the program."""
        return self.split("::", 3)[3]


@dataclass(frozen=True)
class Autonaming:
    """What the engine asks of names that the provider makes up."""

    proposed: str = ""
    disabled: bool = False


class Change(Enum):
    """What happens to one property."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True)
class PropertyChange:
    """What happens to a property, and whether that replaces the resource."""

    change: Change = Change.UPDATE
    replaces: bool = False
    input_only: bool = False
    """Whether the inputs alone differ, not the outputs."""


@dataclass(frozen=True)
class Diff:
    """What an update would change, by path, as in `a.b[0].c`."""

    changes: Mapping[str, PropertyChange]
    delete_first: bool = False
    """Whether a replacement has to wait until the old resource is gone."""

    @classmethod
    def of(
        cls, changed: Iterable[str], replacing: Collection[str] = (), *, delete_first: bool = False
    ) -> Diff:
        """A difference of updated properties, some of which replace the resource."""
        changes = {path: PropertyChange(replaces=path in replacing) for path in changed}
        return cls(changes, delete_first)

    @property
    def changed(self) -> set[str]:
        """All paths."""
        return set(self.changes)

    @property
    def replacing(self) -> set[str]:
        """The paths whose change replaces the resource."""
        return {path for path, change in self.changes.items() if change.replaces}

    def without(self, ignored: Iterable[str]) -> Diff:
        """The difference without what is at or below the ignored paths."""
        prefixes = tuple(ignored)
        kept = {k: v for k, v in self.changes.items() if not any(_below(k, p) for p in prefixes)}
        return Diff(kept, self.delete_first)


def _below(path: str, prefix: str) -> bool:
    rest = path[len(prefix) :]
    return path.startswith(prefix) and (not rest or rest[0] in ".[")


class Engine:
    """The engine's log. A lost message never fails an operation."""

    def __init__(self, address: str) -> None:
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None

    def status(self, urn: str, message: str) -> None:
        """Progress of a resource; replaced by the next one."""
        self._log(urn, message, engine_pb2.INFO, ephemeral=True)

    def warn(self, urn: str, message: str) -> None:
        """A warning that stays."""
        self._log(urn, message, engine_pb2.WARNING, ephemeral=False)

    def _log(self, urn: str, message: str, severity: Any, *, ephemeral: bool) -> None:
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(
            severity=severity, message=message, urn=urn, ephemeral=ephemeral
        )
        with contextlib.suppress(grpc.RpcError):  # the engine may be ending
            self._stub.Log(request, timeout=_LOG_SECONDS)


@dataclass(frozen=True)
class Read:
    """What a server has of a resource."""

    id: str
    inputs: Properties
    outputs: Properties


class Checked(NamedTuple):
    """The inputs as they will be used, and what is wrong with them."""

    inputs: Properties
    failures: Failures


class Provider:
    """A provider that takes everything and changes nothing. Properties may hold `Secret` and `UNKNOWN`.

    `timeout` is in seconds; 0 where the program says nothing.
    """

    version: ClassVar[str]
    replaced_by: ClassVar[tuple[str, ...]] = ()
    """Settings of the provider that replace it, with all its resources, while they are unknown."""
    supports_autonaming: ClassVar[bool] = False
    ends_by_itself: ClassVar[bool] = False
    """Whether its operations end by deadlines of their own, so that the protocol sets none."""

    def configure(self, config: Properties, engine: Engine) -> None:
        """Takes the provider's settings; whatever is no text is JSON."""

    def cancel(self) -> None:
        """Ends all waits."""

    def check(
        self,
        urn: Urn,
        olds: Properties,
        news: Properties,
        seed: bytes = b"",
        autonaming: Autonaming = Autonaming(),
    ) -> Checked:
        """The inputs as they will be used, and what is wrong with them."""
        return Checked(news, [])

    def diff(
        self,
        urn: Urn,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        ignored: Collection[str] = (),
    ) -> Diff:
        """What changes from the state, old inputs and outputs, to the new inputs."""
        return Diff({})

    def create(
        self, urn: Urn, news: Properties, preview: bool = False, timeout: float = 0
    ) -> tuple[str, Properties]:
        """Id and outputs of a new resource; in a preview the id is empty."""
        raise NotImplementedError

    def read(self, urn: Urn, id_: str, inputs: Properties, olds: Properties) -> Read | None:
        """What is there; None when it is gone. Without a state it is an import."""
        return Read(id_, inputs, olds)

    def update(
        self,
        urn: Urn,
        id_: str,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        preview: bool = False,
        timeout: float = 0,
        ignored: Collection[str] = (),
    ) -> Properties:
        """The outputs after a change in place."""
        raise NotImplementedError

    def delete(self, urn: Urn, id_: str, olds: Properties, timeout: float = 0) -> None:
        """Removes the resource; one that is gone is no error."""

    def invoke(self, token: str, args: Properties) -> Properties:
        """A function's answer.

        Raises:
            ProviderError: for a function that the stand-in does not know.
        """
        raise unsupported(token)


def unsupported(token: str) -> ProviderError:
    """The error for a type or a function that the stand-in does not know."""
    return ProviderError(
        f"{token} is not known to this stand-in; install the official plugin to use it"
    )
