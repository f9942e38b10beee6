"""`python -m tests.policy.naive_support`: rewrites the problems that the pack finds in the naive stack."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.policy.sdk_support import R, everything, pack

FOLDER = Path(__file__).parent / "naive"
GOLDEN = FOLDER / "problems.txt"
COMMAND = ".venv/bin/python -m tests.policy.naive_support"


def stack() -> list[R]:
    """The naive stack's resources."""
    entries = yaml.safe_load((FOLDER / "stack.yaml").read_text())
    return [R(e["type"], e.get("props", {}), e["name"]) for e in entries]


def problems() -> list[str]:
    """One line a problem: control and message."""
    found = everything(pack("production"), stack())
    return [f"{control}  {message}" for control, message in found]


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(problems()) + "\n")
    print(f"wrote {GOLDEN.name}")
