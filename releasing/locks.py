"""The locked requirements as data: packages, their hashes, who asks for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
#: One asker stands behind `# via`; of several each has a line of its own.
_VIA = re.compile(r"    #   (\S.*)$|    # via (\S.*)$")
_INPUT = re.compile(r"-r (?:requirements/)?(\w+)\.in$")


@dataclass(frozen=True)
class Pin:
    """A package of a lock."""

    name: str
    """As indexes compare it."""
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of each file that the index has of it."""
    asked_by: frozenset[str]
    """Names of packages; none for what only an input asks for."""
    inputs: frozenset[str]
    """Files of `requirements/` that ask for it themselves: `core`, `aws`."""


def normalized(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(file: Path) -> dict[str, Pin]:
    """The packages of a lock, by name.

    Args:
        file: written by `make lock`.
    """
    pins: dict[str, Pin] = {}
    name, version, hashes, asked = "", "", [], []

    def end() -> None:
        if name:
            inputs = {match[1] for one in asked if (match := _INPUT.match(one))}
            packages = {normalized(one) for one in asked if not one.startswith("-")}
            pins[name] = Pin(name, version, tuple(hashes), frozenset(packages), frozenset(inputs))

    for line in file.read_text(encoding="utf-8").splitlines():
        if match := _PIN.match(line):
            end()
            name, version, hashes, asked = normalized(match[1]), match[2], [], []
        elif match := _VIA.match(line):
            asked.append(match[1] or match[2])
        hashes += _HASH.findall(line)
    end()
    return pins
