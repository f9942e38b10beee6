"""A resource that could not be created, and what the hints about a taken name are made of; pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FailedResource:
    """A resource that failed."""

    urn: str
    inputs: Mapping[str, Any]
    """Its plain inputs; no secrets."""
    message: str
    """What the server said."""
    parent: str = ""
    """URN of the component that it belongs to."""
    operation: str = "create"
    """What failed: `create`, `update` or `delete`."""

    @property
    def type(self) -> str:
        """Its type."""
        return self.urn.split("::")[-2].rpartition("$")[2]

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.urn.split("::")[-1]

    def input_text(self, *path: str) -> str:
        """An input's text; empty where it is unknown or not given."""
        value: Any = self.inputs
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else ""

    def import_command(self, id_: str) -> str:
        """The command that takes an existing object over; `$(…)` in the id is the shell's."""
        if self.type.startswith("aws:") and (region := self.input_text("region")):
            # The provider's own way to name a region that is not its default.
            id_ = f"{id_}@{region}"
        id_ = f'"{id_}"' if "$(" in id_ else shlex.quote(id_)
        parent = ""
        if self.parent:
            name = self.parent.split("::")[-1]
            parent = f" --parent {shlex.quote(f'{name}={self.parent}')}"
        return (
            f"pulumi import {self.type} {shlex.quote(self.name)} {id_}{parent}"
            " --protect=false --generate-code=false --yes"
        )


@dataclass(frozen=True)
class ConflictHint:
    """A row of the table."""

    types: str
    """Pattern of the resource types."""
    message: str
    """Pattern of what the server says."""
    advice: Callable[[FailedResource], tuple[str, str, str]]
    """What is the matter; the way to go on with what is there; the other ways."""


#: What to do before an object is taken over.
COMPARE_TAGS = "compare the tags first, it may be another stack's"


def renamed(failed: FailedResource, prefix: str) -> str:
    """How to give a secret another name, which the setting `prefix` decides."""
    # The copy of the key is named after the namespace and by no prefix.
    setting = "kestra:deployment.namespace" if "encryption-key" in failed.name else prefix
    return f"choose another name ({setting})."


def by_name(
    noun: str, setting: str, key: str = "name"
) -> Callable[[FailedResource], tuple[str, str, str]]:
    """Advice where the name is the id.

    Args:
        noun: what it is, with its article.
        setting: what decides its name.
        key: the input that is the name.
    """

    def advice(failed: FailedResource) -> tuple[str, str, str]:
        id_ = failed.input_text(key)
        return (
            f"There is {noun} {id_} already, and this stack did not make it ({COMPARE_TAGS}).",
            failed.import_command(id_),
            renamed(failed, setting),
        )

    return advice
