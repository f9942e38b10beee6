"""The problems that the pack has in the naive stack; `python -m docsgen --tests` writes them."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.policy.analyzer_support import R, everything, pack

FOLDER = Path(__file__).parent / "naive"
GOLDEN = FOLDER / "problems.txt"
COMMAND = "python -m docsgen --tests"


def stack() -> list[R]:
    """The naive stack's resources."""
    entries = yaml.safe_load((FOLDER / "stack.yaml").read_text())
    return [R(e["type"], e.get("props", {}), e["name"]) for e in entries]


def problems() -> list[str]:
    """One line a problem: control and message."""
    reported = everything(pack("production"), stack())
    return [f"{control}  {message}" for control, message in reported]


def files() -> dict[Path, str]:
    """For `docsgen`."""
    return {GOLDEN: "\n".join(problems()) + "\n"}
