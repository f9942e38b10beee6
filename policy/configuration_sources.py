"""What gives Kestra's settings their values: files, variables, and what the stack does not show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .configuration_texts import Leaf, Leaves
from .container_variables import ContainerVariables, Variable
from .core.model import Resource
from .core.values import UNKNOWN, Sealed, Undecided, reveal
from .environment_variables import bind, canonical, variable_name


@dataclass(frozen=True)
class Setting:
    """The value that a source gives a key."""

    value: Any
    """A scalar, a list, or UNKNOWN; a secret one is revealed, for judging only."""
    resource: Resource
    where: str
    """The property to change, with the key or variable in it."""
    is_secret: bool = False
    """Whether a message must not show the value."""
    reason: Undecided | None = None
    """Why the value is unknown."""
    setting: str = ""
    """What this project's stack file calls it, when it is no setting of Kestra's own name."""
    entries: Mapping[int, Setting] = field(default_factory=dict)
    """Entries of a list that another source than the list's own gives."""


@dataclass(frozen=True)
class FileSource:
    """A file of the configuration, or the `-D` options of one variable."""

    resource: Resource
    path: str
    leaves: Leaves
    is_secret: bool = False
    mark: str = ""
    """What stands before a key: `-D`."""

    def get(self, key: str) -> Setting | None:
        """What it gives a key."""
        leaf = self.leaves.get(key)
        if leaf is None or leaf.value is None:
            return None
        return self._setting(leaf)

    def entries(self, key: str) -> Mapping[int, Setting]:
        """What it gives single entries of a list: `key[0]`."""
        fitting = (
            (re.fullmatch(rf"{re.escape(key)}\[(\d+)\]", k), v) for k, v in self.leaves.items()
        )
        return {int(match[1]): self._setting(leaf) for match, leaf in fitting if match}

    def _setting(self, leaf: Leaf) -> Setting:
        where = f"{self.path}: {self.mark}{leaf.written}"
        entries = leaf.value if isinstance(leaf.value, list) else [leaf.value]
        # Of values that a program gives a chart, some may be secret.
        is_secret = self.is_secret or any(isinstance(entry, Sealed) for entry in entries)
        value = [*map(reveal, entries)] if isinstance(leaf.value, list) else reveal(leaf.value)
        return Setting(value, self.resource, where, is_secret)

    def inside(self, block: str) -> Setting | None:
        """A key below another one that it gives; where the block stands."""
        for key, leaf in self.leaves.items():
            if key.startswith(f"{block}."):
                written = ".".join(leaf.written.split(".")[: block.count(".") + 1])
                return self._setting(Leaf(written, leaf.value))
        return None

    def keys(self, block: str) -> Iterator[str]:
        """The keys below another one that it gives."""
        return (key for key in self.leaves if key.startswith(f"{block}."))

    def unseen(self, key: str) -> Undecided | None:
        """Why it may give a key that is not seen; a file is seen whole."""
        return None


@dataclass(frozen=True)
class UnseenSource:
    """A file that is not known yet, or not in the stack: it may give any key."""

    reason: Undecided

    def get(self, key: str) -> None:
        """Nothing is known of it."""

    def entries(self, key: str) -> Mapping[int, Setting]:
        return {}

    def inside(self, block: str) -> None:
        """Nothing is known of it."""

    def keys(self, block: str) -> Iterator[str]:
        return iter(())

    def unseen(self, key: str) -> Undecided:
        return self.reason


@dataclass(frozen=True)
class VariableSource:
    """Variables that are named as settings."""

    variables: ContainerVariables

    @cached_property
    def _by_path(self) -> Mapping[str, Variable]:
        """What a variable sets (`kestra.url`, `a.b[0]`, words apart) to the variable."""
        return {bind(variable.name).path: variable for variable in self.variables.known.values()}

    def get(self, key: str) -> Setting | None:
        """What the variable of a key's name gives it."""
        variable = self._by_path.get(canonical(key))
        return _setting(variable) if variable else None

    def entries(self, key: str) -> Mapping[int, Setting]:
        """What they give single entries of a list: those named `KEY_0`, `KEY_1`, …"""
        start = f"{canonical(key)}["
        return {
            int(path[len(start) : -1]): _setting(variable)
            for path, variable in self._by_path.items()
            if path.startswith(start) and path[len(start) : -1].isdigit()
        }

    def inside(self, block: str) -> Setting | None:
        """A variable that is named as a key below another one."""
        start = f"{canonical(block)}."
        inside = (v for path, v in self._by_path.items() if path.startswith(start))
        return next(map(_setting, inside), None)

    def keys(self, block: str) -> Iterator[str]:
        """None: a variable does not say where the words of a name below a block end; `inside` knows that it is there."""
        return iter(())

    def unseen(self, key: str) -> Undecided | None:
        """Why a variable of a key may be there that is not seen."""
        for unseen in self.variables.unseen:
            if unseen.name:
                may_set = bind(unseen.name).sets(key)
            else:
                may_set = variable_name(key).startswith(unseen.prefix.upper())
            if may_set:
                return unseen.reason
        return None


Source = FileSource | VariableSource | UnseenSource


def _setting(variable: Variable) -> Setting:
    mine = f"kestra:deployment.environment.{variable.name}"
    is_literal = variable.resource.type.startswith("kubernetes:apps/")
    return Setting(
        variable.value if variable.value is UNKNOWN else reveal(variable.value),
        variable.resource,
        f"{variable.path}: the variable {variable.name}",
        variable.is_secret,
        variable.reason,
        mine if is_literal else "",
    )


_OPTION = re.compile(r"""-D(?P<key>[^\s=]+)=(?P<value>"[^"]*"|'[^']*'|\S*)""")


def system_properties(text: str) -> Iterator[tuple[str, str]]:
    """Key and value of the `-D` options in a text."""
    for match in _OPTION.finditer(text):
        yield match["key"], match["value"].strip("\"'")
