"""One process with a real Kestra in it; the job and its answer hold secrets and go through pipes only."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox import kestra
from sandbox.errors import SandboxError

BOOT_SECONDS = 240


def boot(
    harness: kestra.Harness,
    environment: Mapping[str, str],
    folder: Path,
    request: Mapping[str, Any],
    *,
    main: str = "Harness",
    options: Sequence[str] = (),
    seconds: float = BOOT_SECONDS,
) -> dict[str, Any]:
    """What the harness answers.

    Args:
        harness: what starts Kestra.
        environment: variables of Kestra's own, secret.
        folder: working folder; Kestra's log is there.
        request: the runs.
        main: the class that reads them.
        options: of Java, beside the usual ones.
        seconds: how long it may take.

    Raises:
        SandboxError: when Kestra ends early, or never answers.
    """
    log = folder / "kestra.log"
    command = [
        str(harness.java), "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        f"-Dlogback.configurationFile={kestra.HERE / 'logback.xml'}",
        "--add-opens=java.base/java.lang=ALL-UNNAMED", *options, "-cp", harness.classpath, main,
    ]  # fmt: skip
    system = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
    }
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            env=system | dict(environment),
            cwd=folder,
        )
        try:
            answer, _ = process.communicate(json.dumps(request), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise SandboxError(
                f"Kestra did not answer in {seconds:g} s; its log is {log}."
            ) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    # Not `splitlines()`, which also ends a line at U+0085 and its like within a value.
    lines = [line for line in answer.split("\n") if line.startswith('{"runs"')]
    if process.returncode or not lines:
        raise SandboxError(
            f"Kestra ended before it answered (exit {process.returncode}); its log is {log}."
        )
    return json.loads(lines[-1])
