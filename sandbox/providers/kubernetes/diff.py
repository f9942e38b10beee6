"""The difference between what is live and what is wanted, path by path.

Only fields that the inputs speak of count: the old side is the live object cut to the shape of
the old inputs, so fields that the server or a controller filled in are never a difference, and a
field that someone else changed is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.providers.kubernetes.immutable import Path, touches
from sandbox.providers.runtime.provider import Change, PropertyChange
from sandbox.providers.runtime.values import UNKNOWN


class _Missing:
    pass


_MISSING = _Missing()


def path_text(path: tuple[str | int, ...]) -> str:
    """A path in Pulumi's spelling: ``metadata.annotations["a.b/c"]``, ``spec.ports[0].port``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(c in part for c in '."[]'):
            escaped = part.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{part}" if text else part
    return text


def compare(
    old: Mapping[str, Any], new: Mapping[str, Any], replacing: list[Path]
) -> dict[str, PropertyChange]:
    """The changes from the old side to the new inputs, by path."""
    changes: dict[str, PropertyChange] = {}
    _mapping((), old, new, replacing, changes)
    return changes


def _mapping(
    path: tuple[str | int, ...],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    replacing: list[Path],
    changes: dict[str, PropertyChange],
) -> None:
    for key in sorted({*old, *new}):
        was, desired = old.get(key, _MISSING), new.get(key, _MISSING)
        _value((*path, key), was, desired, replacing, changes)


def _value(
    path: tuple[str | int, ...],
    old: Any,
    new: Any,
    replacing: list[Path],
    changes: dict[str, PropertyChange],
) -> None:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        _mapping(path, old, new, replacing, changes)
        return
    if isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            was = old[index] if index < len(old) else _MISSING
            desired = new[index] if index < len(new) else _MISSING
            _value((*path, index), was, desired, replacing, changes)
        return
    if new is not UNKNOWN and type(old) is type(new) and old == new:
        return
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    if numbers and old == new and isinstance(old, bool) == isinstance(new, bool):
        return
    if new is _MISSING or new is None:
        if old is _MISSING or old is None:
            return
        changes[path_text(path)] = PropertyChange(
            Change.DELETE, touches(path, None, replacing), input_only=True
        )
        return
    change = Change.ADD if old is _MISSING else Change.UPDATE
    changes[path_text(path)] = PropertyChange(change, touches(path, new, replacing))


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch from old inputs to new ones (client-side apply)."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        was = old.get(key)
        if isinstance(was, Mapping) and isinstance(value, Mapping):
            inner = merge_patch(was, value)
            if inner:
                patch[key] = inner
        elif key not in old or was != value:
            patch[key] = value
    return patch
