"""What was meant against what Kestra bound."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from components.settings.durations import milliseconds
from components.settings.placeholders import is_placeholder
from sandbox.verify.report import Report

_DURATIONS = re.compile(
    r"kestra\.server\.(liveness\.(interval|timeout|initial-delay|heartbeat-interval)|"
    r"termination-grace-period|service\.purge\.(retention|initial-delay|fixed-delay))"
    r"|kestra\.secret\.cache\.expire-after-write|kestra\.security\.invitations\.expire-after"
)
#: Where the overlay stands in for what this machine lacks.
_LAID_OVER = re.compile(r"datasources\.|kestra\.(queue|repository|storage|worker\.controllers)\.")
#: Closed parts of the Enterprise Edition: what the configuration system resolves is compared, what their code
#: makes of it is not.
_CLOSED = ("kestra.secret.", "kestra.security.", "kestra.ee.")
#: Parts that only Kestra's web server uses, which is not among the published artifacts.
_WEB = ("kestra.server.basic-auth.", "kestra.url", "kestra.tutorial-flows.")
#: The server of the management endpoints is among them, and is not started here.
_MANAGEMENT = "endpoints."


def flatten(document: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a document with its dotted path; a list is one leaf."""
    for name, value in document.items():
        at = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from flatten(value, at)
        else:
            yield at, value


def kind(path: str, value: Any) -> str:
    """How the harness reads a setting: `list`, `duration` or `text`."""
    if isinstance(value, list):
        return "list"
    return "duration" if _DURATIONS.fullmatch(path) else "text"


def compare(
    leaves: Mapping[str, Any],
    bound: Mapping[str, Any],
    report: Report,
    written: Mapping[str, Any],
    replaced: Collection[str] | None = None,
) -> None:
    """What was meant against what Kestra has; a secret is never told, only that it differs.

    `written` are the leaves of the file: a placeholder stands there for itself only where it is also
    what was meant. A secret that merely contains `${` is compared like any other. `replaced` are the settings
    that the image of a pod replaces; None: this machine's process, with the overlay.
    """
    for path, meant in leaves.items():
        if _LAID_OVER.match(path) if replaced is None else path in replaced:
            report.bound[path] = "overlay"
            report.unchecked[path] = (
                "this machine lacks the database, queue, storage or network; the overlay stands in"
                if replaced is None
                else "the image lacks the database or storage, and something stands in for it"
            )
            continue
        if (
            isinstance(meant, str)
            and written.get(path) == meant
            and re.search(r"\$\{[A-Za-z_]", meant)
        ):
            report.unchecked[path] = (
                "comes from an environment variable that this stack does not set"
            )
            continue
        if isinstance(meant, str) and written.get(path) != meant and is_placeholder(meant):
            # A secret `${NAME:default}` went into a variable of ours; nothing here sets NAME.
            meant = meant[2:-1].partition(":")[2]
        value = bound.get(path, {})
        if same(path, meant, value.get("value")):
            report.bound[path] = value["by"]
            if path.startswith(_CLOSED):
                report.unchecked[path] = (
                    "Kestra's closed Enterprise code, of which no artifact can be had, uses it"
                )
            elif path.startswith(_MANAGEMENT) and replaced is None:
                report.unchecked[path] = (
                    "the management endpoints' server, which is not started here, uses it "
                    "(docs/kestra-behaviour.md tells what it makes of it)"
                )
            elif path.startswith(_WEB):
                report.unchecked[path] = (
                    "Kestra's web server, of which no artifact can be had, uses it"
                )
            continue
        shown = not _sensitive(path)
        report.mismatches.append(
            {
                "path": path,
                "meant": str(meant) if shown else "[secret]",
                "bound": str(value.get("value", value.get("error", "nothing")))
                if shown
                else "[another]",
            }
        )


def _sensitive(path: str) -> bool:
    last = path.rpartition(".")[2]
    return re.search(r"secret|password|token|key|service-account|credential", last) is not None


def same(path: str, meant: Any, bound: Any) -> bool:
    """Whether a bound value is the one that was meant: durations by length, the rest by text."""
    if bound is None:
        return False
    if isinstance(meant, list):
        return [str(m) for m in meant] == [str(b) for b in bound]
    if _DURATIONS.fullmatch(path):
        return milliseconds(str(meant)) == milliseconds(str(bound))
    if isinstance(meant, bool):
        return str(meant).lower() == str(bound).lower()
    return str(meant) == str(bound)
