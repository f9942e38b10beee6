"""What a component's properties are that are no settings: outputs, and what components know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Property(NamedTuple):
    """An argument that is no setting, or an output."""

    type: str
    """`string`, `boolean`, `map` or `list` of strings, or the name of an `ObjectType`."""
    text: str
    is_secret: bool = False
    is_required: bool = True
    """Of an output: whether it always has a value."""
    is_plain: bool = False
    """Of an argument: whether it decides what is registered, so that no output can stand for it. The values of a map
    may still be outputs."""


class ObjectType(NamedTuple):
    """A type of objects that are no settings."""

    text: str
    properties: Mapping[str, Property]
