"""An interruption asks the engine once to end, and waits for it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from pulumi import automation as auto

from sandbox.engine.command import EngineCommand

ENGINE = """#!/bin/sh
if [ "$1" = version ]; then echo v3.259.0; exit 0; fi
trap 'asked=$((asked+1)); echo "asked $asked" >> asked' INT
case "$2" in
  fail) echo "error: no such thing" >&2; exit 3 ;;
  wait) touch ready; n=0; while [ $n -lt 100 ] && [ ! -e asked ]; do n=$((n+1)); sleep 0.05; done
        sleep 0.3; echo ended >> asked ;;
  *) echo "said $2" ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path) -> EngineCommand:
    binary = tmp_path / "bin" / "pulumi"
    binary.parent.mkdir()
    binary.write_text(ENGINE)
    binary.chmod(0o755)

    def told(text: str) -> None:
        (tmp_path / "told").write_text(text)

    return EngineCommand(str(tmp_path), told)


def test_output_is_collected_and_handed_on(engine: EngineCommand, tmp_path: Path) -> None:
    lines: list[str] = []
    result = engine.run(["hello"], str(tmp_path), {}, on_output=lines.append)
    assert (result.stdout, result.code, lines) == ("said hello", 0, ["said hello"])


def test_a_failure_has_the_engines_words(engine: EngineCommand, tmp_path: Path) -> None:
    with pytest.raises(auto.CommandError, match="no such thing"):
        engine.run(["fail"], str(tmp_path), {})


def test_an_interruption_reaches_the_engine_once_and_is_waited_for(
    engine: EngineCommand, tmp_path: Path
) -> None:
    def interrupt() -> None:
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        engine.run(["wait"], str(tmp_path), {})
    assert (tmp_path / "asked").read_text().split("\n") == ["asked 1", "ended", ""]
    assert "ends the operations that are under way" in (tmp_path / "told").read_text()
