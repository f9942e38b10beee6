"""ConfigMaps and Secrets of a stack, as its pods refer to them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .core.model import Resource, Stack
from .core.values import UNKNOWN, OutOfView, Sealed, Undecided, get_path, is_unknown, reveal

CONFIG_MAP, SECRET = "kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"
_FIELDS = ("data", "binaryData", "stringData")


@dataclass(frozen=True)
class Entry:
    """An entry of a ConfigMap or Secret."""

    resource: Resource
    path: str
    """Where it is in the resource: `data.application.yaml`."""
    value: Any
    """Text, UNKNOWN, or Sealed when it is an entry of a Secret; None when it is no text."""


def entries(resource: Resource) -> Iterator[tuple[str, Entry]]:
    """Key and entry; an entry that is there twice counts as the second, as in the cluster.

    Raises:
        Undecided: when the keys are unknown.
    """
    for field in _FIELDS:
        values = resource.props.get(field)
        if is_unknown(values):
            raise Undecided(f"{field} of {resource.name}")
        if not isinstance(values, Mapping):
            continue
        is_encoded = field == "binaryData" or (field == "data" and resource.type == SECRET)
        for key, value in values.items():
            value = UNKNOWN if is_unknown(value) else value
            text = _decoded(value) if is_encoded else value
            if resource.type == SECRET and text is not UNKNOWN and text is not None:
                text = Sealed(str(reveal(text)))
            yield key, Entry(resource, f"{field}.{key}", text)


def _decoded(text: Any) -> Any:
    if text is UNKNOWN:
        return text
    try:
        return base64.b64decode(str(reveal(text)), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def is_encrypted(resource: Resource) -> bool:
    """Whether a saved state hides all that an object holds."""
    return any(
        isinstance(value, Sealed) and is_unknown(value)
        for value in map(resource.props.get, _FIELDS)
    )


class ClusterObjects:
    """Finds what the pods of a workload refer to."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def find(self, kind: str, name: Any, workload: Resource) -> Resource:
        """The ConfigMap or Secret that a workload means by a name.

        A name that is known at the update only is the one object of the kind that the workload's
        specification comes from.

        Raises:
            Undecided: when the name is not known yet, and several may be meant.
            OutOfView: when the stack has none of this name.
        """
        if name is UNKNOWN:
            referred = [r for r in self._stack.of(kind) if workload.refers_to(r, "spec")]
            if len(referred) == 1:
                return referred[0]
            raise Undecided(f"the name of a {_noun(kind)}")
        fitting = [
            r
            for r in self._stack.of(kind)
            if _is_called(r, str(name)) and may_share_namespace(r, workload)
        ]
        if not fitting:
            raise OutOfView(f"the {_noun(kind)} {name}")
        return max(fitting, key=lambda r: _known(r, "metadata.namespace") is not None)

    def entry(self, kind: str, name: Any, key: str, workload: Resource) -> Entry:
        """An entry of what a workload means by a name.

        Raises:
            Undecided, OutOfView: as `find`, and when it has no such entry.
        """
        resource = self.find(kind, name, workload)
        chosen = dict(entries(resource)).get(key)
        if chosen is None or chosen.value is None:
            raise OutOfView(f"the entry {key} of {resource.name}")
        return chosen


def _noun(kind: str) -> str:
    return kind.rpartition(":")[2]


def _known(resource: Resource, path: str) -> Any:
    try:
        return get_path(resource.props, path)
    except Undecided:
        return None


def _is_called(resource: Resource, name: str) -> bool:
    """Whether an object has a name, or will get it: the provider appends to the resource's own."""
    own = _known(resource, "metadata.name")
    if own is not None:
        return own == name
    return name == resource.name or name.startswith(f"{resource.name}-")


def may_share_namespace(resource: Resource, workload: Resource) -> bool:
    """Whether both are in one namespace; one that says none may be in any, by its provider."""
    namespaces = {_known(r, "metadata.namespace") for r in (resource, workload)}
    return len(namespaces - {None}) < 2
