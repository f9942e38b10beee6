"""The result of a verification, as data and for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass
class Report:
    """The result of a verification. Holds no secret."""

    version: str
    bound: dict[str, str] = field(default_factory=dict)
    """Setting to how it was seen: `bean`, `property` or `overlay`."""
    mismatches: list[dict[str, str]] = field(default_factory=list)
    unchecked: dict[str, str] = field(default_factory=dict)
    overlay: dict[str, Any] = field(default_factory=dict)
    flows: list[dict[str, Any]] = field(default_factory=list)
    stores: list[dict[str, Any]] = field(default_factory=list)
    while_running: list[str] = field(default_factory=list)
    """Tables of Kestra's database that held the plain SECRET input while the flow ran."""

    def note(self, id_: str, state: str | None, checks: Mapping[str, bool]) -> None:
        """Adds what was seen of a flow: check to whether it holds."""
        results = [{"what": what, "ok": ok} for what, ok in checks.items()]
        self.flows.append({"id": id_, "state": state or "NONE", "checks": results})

    @property
    def ok(self) -> bool:
        """Whether every setting is as meant and every check holds."""
        checks = [c["ok"] for group in (*self.flows, *self.stores) for c in group["checks"]]
        return not self.mismatches and bool(self.bound) and all(checks)

    def to_json(self) -> str:
        """The report as data."""
        return json.dumps(
            {
                "ok": self.ok,
                "kestra": {
                    "version": self.version,
                    "bound": self.bound,
                    "mismatches": self.mismatches,
                    "unchecked": self.unchecked,
                },
                "overlay": self.overlay,
                "flows": self.flows,
                "stores": self.stores,
                "whileRunning": self.while_running,
            },
            indent=2,
        )

    def render(self, console: Console) -> None:
        """The report for a person."""
        table = Table(
            title=f"Kestra {self.version}", title_justify="left", box=None, padding=(0, 1)
        )
        table.add_column("")
        table.add_column("what")
        table.add_column("result", overflow="fold")
        by = {
            how: sum(v == how for v in self.bound.values())
            for how in ("bean", "property", "overlay")
        }
        table.add_row(
            _mark(not self.mismatches),
            "settings",
            f"{len(self.bound) - by['overlay']} as meant ({by['bean']} seen in Kestra's own objects, "
            f"{by['property']} in its configuration), {by['overlay']} in the overlay below, "
            f"{len(self.mismatches)} different",
        )
        for wrong in self.mismatches:
            table.add_row(
                "[red]✗", wrong["path"], escape(f"meant {wrong['meant']}, bound {wrong['bound']}")
            )
        for group in (*self.flows, *self.stores):
            for check in group["checks"]:
                table.add_row(_mark(check["ok"]), group["id"], check["what"])
        console.print(table)
        if not all(check["ok"] for group in self.stores for check in group["checks"]):
            console.print(
                "How the stack's value of a secret comes back: docs/runbook.md, Drift.",
                style="yellow",
                markup=False,
            )
        if self.while_running:
            console.print(
                f"While the flow ran, Kestra had the plain value of its SECRET input in {' and '.join(self.while_running)} "
                "of its database, and removed it: see docs/kestra-behaviour.md.",
                style="yellow",
                markup=False,
            )
        if self.overlay:
            console.print("What this machine lacks and the overlay stands in for:")
            console.print(
                yaml.safe_dump(self.overlay, sort_keys=False).strip(), style="dim", markup=False
            )
        reasons: dict[str, int] = {}
        for reason in self.unchecked.values():
            reasons[reason] = reasons.get(reason, 0) + 1
        for reason, count in reasons.items():
            console.print(
                f"Not checked further, {count} settings: {reason}", style="dim", markup=False
            )
        verdict = "every check passed" if self.ok else "some checks failed"
        console.print(
            f"Kestra {self.version}: {verdict}", style="bold green" if self.ok else "bold red"
        )


def _mark(ok: bool) -> str:
    return "[green]✓" if ok else "[red]✗"
