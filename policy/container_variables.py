"""The environment variables of a container, as far as the stack shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .cluster_objects import CONFIG_MAP, SECRET, ClusterObjects, Entry, entries
from .core.model import Resource
from .core.values import UNKNOWN, OutOfView, Sealed, Undecided, get_path, is_unknown, raw, reveal

_EXPANSION = re.compile(r"\$(?:\$|\((?P<name>[^()]*)\))")
_REFERENCES = {"secretKeyRef": SECRET, "configMapKeyRef": CONFIG_MAP}
_SOURCES = {"secretRef": SECRET, "configMapRef": CONFIG_MAP}

Located = Iterable[tuple[str, Any]]
"""Entries of `env` or `envFrom`, each with its path in the resource."""


@dataclass(frozen=True)
class Variable:
    """A variable that the container certainly has."""

    name: str
    value: Any
    """Text, Sealed when it comes from a Secret, or UNKNOWN."""
    resource: Resource
    """Where its value is changed, and where in it."""
    path: str
    reason: Undecided | None = None
    """Why the value is unknown."""
    is_secret: bool = False
    """Whether a Secret holds the value, or Pulumi keeps it as one, be it known or not."""

    def text(self) -> str:
        """The value, for judging only. Raises Undecided when it is unknown."""
        if self.value is UNKNOWN:
            raise self.reason or Undecided(self.path)
        return str(reveal(self.value))


@dataclass(frozen=True)
class UnseenVariables:
    """Variables that the container may have."""

    reason: Undecided
    prefix: str = ""
    """What their names begin with."""
    name: str = ""
    """The one name; empty: any name with the prefix."""

    def may_be(self, name: str) -> bool:
        """Whether one of them may have a name."""
        return name == self.name if self.name else name.startswith(self.prefix)


class ContainerVariables:
    """The variables of a container: `envFrom` in its order, then `env`, later ones winning."""

    def __init__(
        self, workload: Resource, env: Located, env_from: Located, objects: ClusterObjects
    ) -> None:
        self._workload, self._objects = workload, objects
        self.unseen: list[UnseenVariables] = []
        self._known: dict[str, Variable] = {}
        for path, source in env_from:
            if source is UNKNOWN:
                self.unseen.append(UnseenVariables(Undecided(path)))
            else:
                self._add_all(source)
        for path, entry in env:
            self._add(path, entry)

    @property
    def known(self) -> Mapping[str, Variable]:
        """Name to variable."""
        return self._known

    def get(self, name: str) -> Variable | None:
        """A variable; None when the container does not have it.

        Raises:
            Undecided: when it may have it from what the stack does not show.
        """
        if name in self._known:
            return self._known[name]
        for unseen in self.unseen:
            if unseen.may_be(name):
                raise unseen.reason
        return None

    def _add_all(self, source: Any) -> None:
        try:
            prefix = str(get_path(source, "prefix") or "")
        except Undecided as reason:
            self.unseen.append(UnseenVariables(reason))
            return
        for field, kind in _SOURCES.items():
            if raw(source, field) is None:
                continue
            try:
                resource = self._objects.find(kind, raw(source, field, "name"), self._workload)
                for key, entry in entries(resource):
                    if entry.value is not None:
                        self._set(_from_entry(f"{prefix}{key}", entry))
            except Undecided as reason:
                self.unseen.append(UnseenVariables(reason, prefix))

    def _add(self, path: str, entry: Any) -> None:
        if entry is UNKNOWN or raw(entry, "name") is UNKNOWN:
            self.unseen.append(UnseenVariables(Undecided(path)))
            return
        name, source = str(get_path(entry, "name")), raw(entry, "valueFrom")
        if source is None:
            self._set(self._expanded(name, raw(entry, "value"), f"{path}.value"))
            return
        for field, kind in _REFERENCES.items():
            if source is not UNKNOWN and raw(source, field) is not None:
                self._refer(name, kind, source[field], f"{path}.valueFrom.{field}")
                return
        reason = Undecided if source is UNKNOWN else OutOfView
        reason = reason(f"the value of the variable {name}")
        self._set(Variable(name, UNKNOWN, self._workload, f"{path}.valueFrom", reason))

    def _refer(self, name: str, kind: str, reference: Any, path: str) -> None:
        try:
            key = str(get_path(reference, "key"))
            entry = self._objects.entry(kind, raw(reference, "name"), key, self._workload)
        except Undecided as reason:
            if raw(reference, "optional") is True:
                self._known.pop(name, None)
                self.unseen.append(UnseenVariables(reason, name=name))
            else:
                secret = kind == SECRET
                self._set(Variable(name, UNKNOWN, self._workload, path, reason, secret))
            return
        self._set(_from_entry(name, entry))

    def _expanded(self, name: str, value: Any, path: str) -> Variable:
        """A value with its `$(NAME)` replaced, as the kubelet does."""
        secret = isinstance(value, Sealed)
        if is_unknown(value):
            reason = Undecided(f"the variable {name}")
            return Variable(name, UNKNOWN, self._workload, path, reason, secret)
        text = "" if value is None else str(reveal(value))
        parts: list[str] = []
        end = 0
        try:
            for match in _EXPANSION.finditer(text):
                referred = self.get(match["name"]) if match["name"] else None
                secret = secret or (referred is not None and referred.is_secret)
                whole = "$" if match[0] == "$$" else match[0]
                parts += [text[end : match.start()], referred.text() if referred else whole]
                end = match.end()
        except Undecided as reason:
            return Variable(name, UNKNOWN, self._workload, path, reason, secret)
        text = "".join(parts) + text[end:]
        shown = Sealed(text) if secret else text
        return Variable(name, shown, self._workload, path, is_secret=secret)

    def expand(self, text: str) -> str:
        """A text of the command line with its `$(NAME)` replaced. Raises Undecided."""
        return self._expanded("", text, "args").text()

    def _set(self, variable: Variable) -> None:
        # Of two entries of a name the last counts, wherever the first stood.
        self._known.pop(variable.name, None)
        self._known[variable.name] = variable


def _from_entry(name: str, entry: Entry) -> Variable:
    reason = Undecided(f"the variable {name}") if entry.value is UNKNOWN else None
    secret = entry.resource.type == SECRET or isinstance(entry.value, Sealed)
    return Variable(name, entry.value, entry.resource, entry.path, reason, secret)
