"""A compose file with one service that runs Kestra."""

from __future__ import annotations

from pathlib import Path

from tests.importing.reading_support import Inputs, Result

CONFIGURATION = "kestra: {queue: {type: postgres}, repository: {type: postgres}}"


def compose_service(
    extra: str = "", image: str = "kestra/kestra:v1.3.21", command: str = "server standalone"
) -> str:
    """The file; `extra` are further lines of the service."""
    lines = "\n".join(f"    {line}" for line in extra.strip("\n").split("\n")) if extra else ""
    return (
        f"services:\n  kestra:\n    image: {image}\n    command: {command}\n"
        f"    environment:\n      KESTRA_CONFIGURATION: '{CONFIGURATION}'\n{lines}\n"
    )


def read_compose(tmp_path: Path, extra: str = "", **options: str) -> Result:
    """What an import makes of it."""
    return Inputs(tmp_path).read(compose__yaml=compose_service(extra, **options))
