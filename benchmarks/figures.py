"""Every figure that there is to measure; with its target, where it has one."""

from __future__ import annotations

from collections.abc import Collection

from benchmarks import growth, production, settings, teams

#: Value or ratio, whichever is judged, at most.
TARGETS: dict[str, float] = {
    "settings.load-check-render": settings.MILLISECONDS,
    "imports.aws": settings.IMPORT_RATIO,
    **{f"production.{name}": production.RATIO for name in production.OPERATIONS},
    **{
        f"growth.{name}.{growth.JUDGED}{what}": growth.RATIO
        for name in growth.OPERATIONS
        for what in ("", ".memory")
    },
    **{f"growth.{name}.exponent": growth.RATIO for name in growth.OPERATIONS},
    **{f"pack.{name}.cost": production.PACK_SECONDS for name in ("preview", "up-again")},
}
#: Figures that are only told.
TOLD = (
    "settings.load-check-render.first",
    *(f"imports.{name}" for name in settings.STACKS),
    *(f"production.{name}.{what}" for name in production.OPERATIONS for what in ("cpu", "memory")),
    *(
        f"growth.{name}.{size}{what}"
        for name in growth.OPERATIONS
        for size in growth.SIZES
        for what in ("", ".cpu", ".memory")
    ),
    *(
        f"teams.{name}{one}{what}"
        for name in teams.OPERATIONS
        for one in ("", *((".each",) if name != "change" else ()))
        for what in ("", ".cpu", ".memory")
    ),
    "teams.state",
    "teams.state.each",
    *(f"pack.{name}" for name in ("preview", "up-again", "start")),
    *(f"sandbox.{name}" for name in ("up-warm", "up-again", "verify", "down")),
)  # fmt: skip


def missing(measured: Collection[str]) -> list[str]:
    """What is still to be measured, in order, each once."""
    return [name for name in dict.fromkeys((*TARGETS, *TOLD)) if name not in measured]
