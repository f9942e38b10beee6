"""Every figure that there is to measure; with its target, where it has one."""

from __future__ import annotations

from collections.abc import Collection

from benchmarks.growth import SIZES
from benchmarks.production import OPERATIONS
from benchmarks.settings import STACKS

GROWTH = ("preview", "up")
#: Value or ratio, whichever is judged, at most.
TARGETS: dict[str, float] = {
    "settings.load-check-render": 50,
    "imports.aws": 1.2,
    **{f"production.{name}": 1.15 for name in OPERATIONS},
    **{f"growth.{name}.1000{what}": 1.1 for name in GROWTH for what in ("", ".memory")},
    **{f"growth.{name}.exponent": 1.1 for name in GROWTH},
    "pack.preview.cost": 1,
    "pack.up-again.cost": 1,
}
#: Figures that are only told.
TOLD = (
    "settings.load-check-render.first",
    *(f"imports.{name}" for name in STACKS),
    *(f"production.{name}.{what}" for name in OPERATIONS for what in ("cpu", "memory")),
    *(f"growth.{n}.{size}{what}" for n in GROWTH for size in SIZES for what in ("", ".cpu", ".memory")),
    *(f"pack.{name}" for name in ("preview", "up-again", "start")),
    *(f"sandbox.{name}" for name in ("up-warm", "up-again", "verify", "down")),
)  # fmt: skip


def missing(measured: Collection[str]) -> list[str]:
    """What is still to be measured, in order, each once."""
    return [name for name in dict.fromkeys((*TARGETS, *TOLD)) if name not in measured]
