"""Stacks with Pulumi's official Kubernetes provider in place of the stand-in, and how the two differ."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from sandbox.cli import Sandbox
from sandbox.engine.official_plugins import Official, sdk_versions
from sandbox.engine.plugin_choice import PluginChoice
from sandbox.state import State

#: Where the two providers may leave another value in the state: a regular expression of the place, and the reason.
ALLOWED = {
    r"outputs\.metadata\.(managedFields|resourceVersion)\b": "the server writes it, and again at every change",
    r"outputs\.metadata\.annotations\.deployment\.kubernetes\.io/revision$": "the controller writes it",
    r"outputs\.status\b": "controllers write it, at any time",
    r"outputs\.__initialApiVersion$|inputs\.__initialApiVersion$": "the provider's own note",
}
_PREFIX = "kubernetes:"


class SandboxWith(Sandbox):
    """A sandbox whose Kubernetes provider is a chosen one; all others are stand-ins."""

    def __init__(self, state: State, console: Console, stacks: Path, plugin: Path | None) -> None:
        super().__init__(state, console, stacks=stacks, policy=False, offline=True)
        self._plugin = plugin

    def choose_plugins(
        self, stack: str, services: Collection[str], pulumi: Path
    ) -> list[PluginChoice]:
        chosen = super().choose_plugins(stack, services, pulumi)
        if self._plugin is None:
            return chosen
        official = Official("kubernetes", self._plugin, self._plugin.parent)
        return [
            replace(c, is_official=True, reason="the judge", official=official)
            if c.name == "kubernetes"
            else c
            for c in chosen
        ]


def plugin_folder(tool: Path, folder: Path) -> Path:
    """The built provider in a folder as Pulumi keeps plugins; gives the executable.

    The engine asks for the version of the SDK, which is another than the provider's: the name of the folder answers.
    """
    home = folder / f"resource-kubernetes-v{sdk_versions()['kubernetes']}"
    home.mkdir(parents=True)
    executable = home / tool.name
    executable.hardlink_to(tool) if tool.stat().st_dev == home.stat().st_dev else (
        executable.write_bytes(tool.read_bytes())
    )
    executable.chmod(0o755)
    return executable


def objects(state: State, stack: str) -> dict[str, dict[str, Any]]:
    """The Kubernetes resources of a stack's state, by URN."""
    return {
        resource["urn"]: resource
        for resource in state.latest(stack)["resources"]
        if resource["type"].startswith(_PREFIX)
    }


def differences(
    one: Mapping[str, Mapping[str, Any]], other: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Where two states of a stack differ beyond what is allowed: resource and place, without a value."""
    lines = [f"{urn.rpartition('::')[2]}: only in one" for urn in sorted(one.keys() ^ other.keys())]
    for urn in sorted(one.keys() & other.keys()):
        for part in ("id", "inputs", "outputs"):
            for place in _places(part, one[urn].get(part), other[urn].get(part)):
                if not any(re.search(pattern, place) for pattern in ALLOWED):
                    lines.append(f"{urn.rpartition('::')[2]}: {place}")
    return lines


def _places(place: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        # An encrypted value differs at every encryption.
        if "ciphertext" in one and "ciphertext" in other:
            return
        for key in sorted(one.keys() | other.keys()):
            yield from _places(f"{place}.{key}", one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _places(f"{place}[{number}]", left, right)
    elif one != other:
        yield place
