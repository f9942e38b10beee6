"""What a person sees of an update: a line for each resource as it ends, then a summary."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.kubernetes.rollout_report import MARK
from sandbox.judgement import Violation, counted, show
from sandbox.progress import Progress

_VERBS = {
    "create": ("+", "created", "green"),
    "update": ("~", "updated", "yellow"),
    "delete": ("-", "deleted", "red"),
    "replace": ("±", "replaced", "magenta"),
    "create-replacement": ("±", "created anew", "magenta"),
    "delete-replaced": ("-", "deleted (replaced)", "magenta"),
    "refresh": ("↻", "refreshed", "cyan"),
    "read": (">", "read", "cyan"),
    "same": (" ", "unchanged", "dim"),
}
_PLANNED = {"created": "would be created", "updated": "would be updated", "deleted": "would be deleted",
            "replaced": "would be replaced", "created anew": "would be created anew",
            "deleted (replaced)": "would be deleted (replaced)"}  # fmt: skip
_GROUPS = ("pulumi:", "kestra:")
_FAULTED = "ResourceRegistrationFailed"
_NOISE = ("from $PATH", "using pulumi-resource-", "resource plugin")


def short_type(type_: str) -> str:
    """`kubernetes:core/v1:Secret` without the parts that say nothing to a person."""
    package, _, rest = type_.partition(":")
    return f"{package}:{rest.rpartition(':')[2]}" if rest else type_


class Events:
    """Follows the engine's events."""

    def __init__(self, progress: Progress, *, preview: bool = False) -> None:
        self._progress, self._preview = progress, preview
        self._begun: dict[str, float] = {}
        self._running: dict[str, str] = {}
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.violations: list[Violation] = []
        self.changes: Counter[str] = Counter()

    def __call__(self, event: Any) -> None:
        """One event of the Automation API."""
        if event.resource_pre_event is not None:
            metadata = event.resource_pre_event.metadata
            self._begun[metadata.urn] = time.monotonic()
            if not metadata.type.startswith(_GROUPS):
                self._running[metadata.urn] = f"{_op(metadata)} {_name(metadata.urn)}"
            self._show_running()
        elif event.res_outputs_event is not None:
            self._ended(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            metadata = event.res_op_failed_event.metadata
            self._over(metadata.urn)
            self._line("✗", metadata, "failed", "red")
        elif event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)
        elif event.policy_event is not None:
            self.violations.append(Violation.of(event.policy_event))

    def _ended(self, metadata: Any) -> None:
        operation = _op(metadata)
        self._over(metadata.urn)
        if metadata.type.startswith("pulumi:"):
            return
        self.changes[operation] += 1
        sign, word, colour = _VERBS.get(operation, ("·", operation, "white"))
        if operation == "same" or metadata.type.startswith("kestra:"):
            return
        self._line(sign, metadata, _PLANNED.get(word, word) if self._preview else word, colour)

    def _over(self, urn: str) -> None:
        if self._running.pop(urn, None):
            self._show_running()

    def _show_running(self) -> None:
        """What is waited for: the operation that runs longest, and how many beside it."""
        running = list(self._running.values())
        more = f" and {len(running) - 1} more" if len(running) > 1 else ""
        self._progress.detail(f"{running[0]}{more}" if running else "")

    def _line(self, sign: str, metadata: Any, word: str, colour: str) -> None:
        began = self._begun.get(metadata.urn)
        spent = f"{time.monotonic() - began:5.1f} s" if began and not self._preview else ""
        line = Text.assemble(
            (f"  {sign} ", colour),
            (f"{short_type(metadata.type):<34} ", "bold"),
            f"{_name(metadata.urn):<42} ",
            (word, colour),
            (f"  {spent}", "dim"),
        )
        self._progress.console.print(line)

    def _diagnostic(self, event: Any) -> None:
        if event.ephemeral:
            # The program's own words, about all that is waited for, have no resource.
            about = f"{_name(event.urn)}: " if event.urn else ""
            self._progress.detail(f"{about}{_clean(event.message)}")
            return
        text = _clean(event.message)
        if not text or any(word in text for word in _NOISE):
            return
        if event.severity == "error" and _FAULTED in text:
            # The SDK's traceback about what needs a resource that failed; that one has its own error.
            return
        where = (
            f"{short_type(_type(event.urn))} {_name(event.urn)}: "
            if event.urn and "::pulumi:pulumi:Stack::" not in event.urn
            else ""
        )
        if event.severity == "error":
            # The engine repeats at the stack that some resource failed.
            if where or text not in ("update failed", "preview failed"):
                # The program's own report on pods has lines; a server's words may have any.
                text = _without_colour(event.message).strip() if MARK in text else text
                self.errors.append(f"{where}{text}")
        elif event.severity == "warning":
            self.warnings.append(f"{where}{text}")


def _op(metadata: Any) -> str:
    return str(getattr(metadata.op, "value", metadata.op))


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _type(urn: str) -> str:
    parts = urn.split("::")
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""


def _without_colour(message: str) -> str:
    return message.replace("<{%reset%}>", "")


def _clean(message: str) -> str:
    return " ".join(_without_colour(message).split())


class Done(Protocol):
    """What an operation did."""

    @property
    def changes(self) -> Mapping[str, int]: ...
    @property
    def outputs(self) -> Mapping[str, Any]: ...
    @property
    def seconds(self) -> float: ...


def summary(
    console: Console,
    stack: str,
    done: Done,
    events: Events,
    *,
    preview: bool = False,
    judged: bool = False,
) -> None:
    """Resources by operation, outputs (secrets masked), warnings, policy results and the time.

    Args:
        judged: whether a policy pack judged the operation.
    """
    changes, outputs, seconds = done.changes, done.outputs, done.seconds
    moved = {k: v for k, v in changes.items() if k != "same" and v}
    for warning in dict.fromkeys(events.warnings):
        console.print(f"  ! {warning}", style="yellow", markup=False)
    words = ", ".join(f"{v} {_VERBS.get(k, ('', k, ''))[1]}" for k, v in sorted(moved.items()))
    same = changes.get("same", 0)
    if preview:
        told = f"would change: {words}" if words else "would change nothing"
    else:
        told = words or "no change"
    console.print(
        f"Stack {stack}: {told}{f', {same} unchanged' if same else ''} ({seconds:.1f} s)",
        style="bold",
    )
    if judged:
        found = list(dict.fromkeys(events.violations))
        console.print(f"Policy: {counted(found) if found else 'no violation'}", markup=False)
        show(console, found)
    if outputs and not preview:
        table = Table(
            title="Outputs", title_justify="left", show_header=False, box=None, padding=(0, 2)
        )
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in sorted(outputs.items()):
            table.add_row(name, Text(_shown(name, value)))
        console.print(table)


def _shown(name: str, output: Any) -> str:
    if output.secret:
        return "[secret]"
    value = output.value
    if name == "configuration":
        return f"{len(str(value).splitlines())} lines; python -m components render shows them"
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in value.items()) or "none"
    return value if isinstance(value, str) else json.dumps(value)
