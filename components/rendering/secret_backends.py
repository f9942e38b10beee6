"""``kestra.secret``: the block of one backend in the shape that the backend takes."""

from __future__ import annotations

from collections.abc import Iterable

from ..backends.registry import backend
from .leaves import GeneratedValueRef, Node


def secret(settings: dict[str, Node], provided: Iterable[str] = ()) -> dict[str, Node]:
    """The ``secret`` settings as Kestra's ``kestra.secret`` block.

    Only the block of ``type`` is rendered. What the stack provides (see the settings reference)
    appears as :class:`GeneratedValueRef`; ``provided`` names what its store or identity provides, keys of the block.
    """
    kind = str(settings["type"])
    own = settings.get(kind)
    block: dict[str, Node] = dict(own) if isinstance(own, dict) else {}
    for name in provided:
        block.setdefault(name, GeneratedValueRef(f"secret.{kind}.{name}"))
    block = backend(kind).rendered(block, settings.get("read-only"))
    out: dict[str, Node] = {"type": kind}
    if "read-only" in settings or block.get("read-only") is not None:
        # For Vault the documentation names both places; the same value stands in both.
        out["read-only"] = settings.get("read-only", block.get("read-only", False))
    if block:
        out[kind] = block
    out |= {key: settings[key] for key in ("cache", "isolation") if key in settings}
    return out
