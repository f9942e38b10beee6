"""The secret paths as boxes and arrows, laid out; the template draws them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from components.backends.registry import backend_of
from components.settings import Settings
from sandbox.report.paths import (
    SecretPath,
    recovery_place,
)

WIDTH, BOX, HEIGHT, GAP, TOP = 1120, 226, 92, 26, 34
_COLUMNS = (0, 298, 596, 894)
_LONGEST = 30


@dataclass(frozen=True)
class Box:
    """A place where secrets are."""

    id: str
    title: str
    lines: tuple[str, ...]
    x: int
    y: int
    height: int = HEIGHT
    kind: str = "plain"
    """`plain`, `store`, `kept` (out of Kestra's reach) or `kestra`."""

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Arrow:
    """A way between two places."""

    start: Box
    end: Box
    label: str = ""
    level: float | None = None
    """Height at which it arrives; None: in the middle."""

    @property
    def path(self) -> str:
        """The line, as SVG writes it."""
        x1, y1 = self.start.x + BOX, self.start.middle
        x2, y2 = self.end.x - 9, self.end.middle if self.level is None else self.level
        bend = (x2 - x1) / 2
        return f"M {x1} {y1:g} C {x1 + bend:g} {y1:g}, {x2 - bend:g} {y2:g}, {x2} {y2:g}"

    @property
    def at(self) -> tuple[float, float]:
        """Where its label stands."""
        end = self.end.middle if self.level is None else self.level
        return (self.start.x + BOX + self.end.x) / 2, (self.start.middle + end) / 2 - 9


@dataclass(frozen=True)
class Diagram:
    """The whole drawing."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    height: int
    text: str
    """The drawing in words."""
    columns: tuple[tuple[int, str], ...] = field(
        default=tuple(
            zip(_COLUMNS, ("Origin", "Kept in", "Handed over as", "Used by"), strict=True)
        )
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def diagram(settings: Settings, paths: Sequence[SecretPath]) -> Diagram:
    """The drawing of a stack's secret paths."""
    counts = Counter(p.origin for p in paths)
    variables = [p for p in paths if p.variable and p.origin != "elsewhere"]
    kept = [p for p in paths if p.kept and not p.is_recovery]
    backend, recovery = backend_of(settings), recovery_place(settings)
    namespace = settings.deployment.namespace

    def box(
        id: str, column: int, row: int, title: str, *lines: str, kind: str = "plain", rows: int = 1
    ) -> Box:
        y, height = TOP + row * (HEIGHT + GAP), rows * HEIGHT + (rows - 1) * GAP
        return Box(
            id,
            title,
            tuple(_short(line) for line in lines if line),
            _COLUMNS[column],
            y,
            height,
            kind,
        )

    middle: list[Box] = []
    store = settings.secret is not None
    if store:
        written = (
            _many(len(kept), "declared secret")
            if backend.provisions(settings)
            else "not written by this stack"
        )
        middle.append(
            box(
                "store",
                1,
                0,
                backend.title,
                backend.store_description(settings),
                written,
                kind="store",
            )
        )
    if recovery:
        middle.append(
            box(
                "recovery", 1, len(middle), "Recovery copy", "encryption key", recovery, kind="kept"
            )
        )
    second = settings.secondary
    if second is not None:
        middle.append(
            box(
                "second",
                1,
                len(middle),
                f"Also {backend_of(second).title}",
                backend_of(second).store_description(second),
                "while the stack moves",
                kind="kept",
            )
        )
    secret = box(
        "secret",
        1,
        len(middle),
        "Kubernetes Secret",
        f"namespace {namespace}",
        _many(sum(not p.is_delivered for p in variables), "entry").replace("entrys", "entries"),
    )
    middle.append(secret)
    if counts["elsewhere"]:
        middle.append(
            box(
                "others",
                1,
                len(middle),
                "Secrets of others",
                ", ".join(settings.deployment.environment_from),
                "not made by this stack",
            )
        )
    rows = max(len(middle), 2)
    origins: list[Box] = []
    for origin, title, line in (
        ("settings", "Stack settings", "encrypted by Pulumi"),
        ("clear", "Stack file, in clear", "not encrypted"),
        ("generator", "Generator", "values nobody has seen"),
        ("store", "Store and identity", "made for this stack"),
        ("others", "People and pipelines", "never in Pulumi's state"),
        ("existing", "Made by others", "never in Pulumi's state"),
    ):
        if counts[origin]:
            origins.append(
                box(f"from-{origin}", 0, len(origins), title, _many(counts[origin], "secret"), line)
            )
    rows = max(rows, len(origins))
    environment = box(
        "environment",
        2,
        middle.index(secret),
        "Environment variables",
        _many(len(variables), "variable"),
        "named by ${…} in the file",
    )
    kestra = box(
        "kestra",
        3,
        0,
        "Kestra",
        *(
            ("of another stack",)
            if settings.is_secrets_alone
            else (settings.deployment.mode, *(workload.name for workload in settings.workloads))
        ),
        kind="kestra",
        rows=rows,
    )
    by_id = {b.id: b for b in (*middle, *origins, environment, kestra)}
    arrows: list[Arrow] = []
    for start, end in sorted({pair for p in paths for pair in _ways(p)}):
        arrows.append(Arrow(by_id[start], by_id[end]))
    if any(not p.is_delivered for p in variables):
        arrows.append(Arrow(secret, environment))
    if not settings.is_secrets_alone:
        arrows.append(Arrow(environment, kestra, level=environment.middle))
    if counts["elsewhere"]:
        arrows.append(Arrow(by_id["others"], environment, level=environment.middle + 24))
    if settings.is_secrets_alone:
        arrows.append(Arrow(by_id["store"], kestra, "as granted", level=by_id["store"].middle))
    elif settings.uses_external_secrets:
        level = environment.middle - 24
        arrows.append(Arrow(by_id["store"], environment, "External Secrets", level=level))
    elif store:
        manager = settings.secret
        assert manager is not None
        mode = "read-only: get and list" if manager.is_read_only else "managed: read and write"
        arrows.append(Arrow(by_id["store"], kestra, mode, level=by_id["store"].middle))
    pods = () if settings.is_secrets_alone else (environment,)
    return Diagram(
        (*origins, *(b for b in middle if pods or b is not secret), *pods, kestra),
        tuple(arrows),
        TOP + rows * (HEIGHT + GAP),
        _words(arrows),
    )


def _ways(path: SecretPath) -> set[tuple[str, str]]:
    if path.origin == "elsewhere":
        return set()
    ways = set()
    if path.variable and not path.is_delivered:
        ways.add((f"from-{path.origin}", "secret"))
    if path.kept:
        ways.add((f"from-{path.origin}", "recovery" if path.is_recovery else "store"))
    if path.also:
        ways.add((f"from-{path.origin}", "second"))
    return ways


def _words(arrows: Sequence[Arrow]) -> str:
    ways = (f"{a.start.title} to {a.end.title}{f' ({a.label})' if a.label else ''}" for a in arrows)
    return f"Secrets go from {'; from '.join(ways)}."
