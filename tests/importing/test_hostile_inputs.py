"""Hostile inputs: the import ends with a message or with a stack file, and shows no secret."""

from __future__ import annotations

import base64
import contextlib
import io
from pathlib import Path

import pytest

from components.__main__ import main
from components.importing.command import UNEXPECTED
from tests.importing.hostile_inputs_support import NUMBER, HostileInput, hostile_inputs
from tests.tiers import long

SAMPLE = 6


def _run(source: HostileInput, folder: Path) -> tuple[int, str]:
    """The exit status, and everything that was shown and written."""
    file, output = folder / source.name, folder / "Pulumi.hostile.yaml"
    file.write_bytes(source.content)
    output.unlink(missing_ok=True)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        status = main(["import", str(file), "--output", str(output), "--force"])
    file.unlink()
    assert output.exists() == (status == 0)
    return status, shown.getvalue() + (output.read_text() if output.exists() else "")


def _judge(sources: list[tuple[int, HostileInput]], folder: Path) -> dict[int, int]:
    statuses: dict[int, int] = {}
    for seed, source in sources:
        status, text = _run(source, folder)
        assert status in (0, 1), seed
        assert "Traceback" not in text, seed
        assert UNEXPECTED not in text, (seed, text)
        for planted in source.planted:
            encoded = base64.b64encode(planted.encode()).decode().rstrip("=")
            assert planted not in text, (seed, planted)
            assert encoded[:-1] not in text, (seed, planted)
        statuses[seed] = status
    return statuses


@pytest.mark.usefixtures("passphrase")
def test_a_sample_of_hostile_inputs(tmp_path: Path) -> None:
    sources = list(enumerate(hostile_inputs(SAMPLE)))
    statuses = _judge(sources, tmp_path)
    assert set(statuses.values()) == {0, 1}


@long("hostile")
@pytest.mark.usefixtures("passphrase")
def test_every_hostile_input(tmp_path: Path) -> None:
    assert len(_judge(list(enumerate(hostile_inputs())), tmp_path)) == NUMBER
