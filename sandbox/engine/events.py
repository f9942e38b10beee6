"""The engine's events as they arrive: without secrets, kept in a file, handed on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.redaction.secrets import Redaction


class Recorder:
    """Takes the events of one operation."""

    def __init__(self, file: Path, redaction: Redaction, act: Callable[[Any], None]) -> None:
        """
        Args:
            file: gets a line for each event that says what happened to a resource, or what was said.
            redaction: of the stack.
            act: gets every event, its texts without secrets.
        """
        self._file, self._redaction, self._act = file, redaction, act

    def __call__(self, event: Any) -> None:
        """One event of the Automation API."""
        diagnostic = event.diagnostic_event
        if diagnostic is not None and diagnostic.severity == "debug":
            # The SDK's debug lines quote secret outputs in clear; the engine masks only its own events.
            return
        self._redaction.event(event)
        with self._file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(_without_values(event)) + "\n")
        self._act(event)


def _without_values(event: Any) -> dict[str, Any]:
    """What happened to which resource, and what was said; the events themselves hold outputs in clear."""
    kept: dict[str, Any] = {"sequence": event.sequence, "timestamp": event.timestamp}
    for name in ("resource_pre_event", "res_outputs_event", "res_op_failed_event"):
        if (step := getattr(event, name, None)) is not None:
            metadata = step.metadata
            operation = str(getattr(metadata.op, "value", metadata.op))
            kept |= {"event": name, "op": operation, "urn": metadata.urn}
    said = event.diagnostic_event
    if said is not None:
        kept |= {"severity": said.severity, "urn": said.urn, "message": said.message}
    return kept
