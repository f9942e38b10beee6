"""Boots of a real Kestra on one database, each with a key of its own, in one process of Java."""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import kestra
from sandbox.progress import Progress
from sandbox.services.process import private
from sandbox.verify import overlay
from tests.rotation.rotation_support import section

HERE = Path(__file__).parent
FLOW, KEEPING = "my_secret_flow", "keeps_old_value"


@dataclass(frozen=True)
class Boot:
    """One boot: its configuration, and what is run."""

    name: str
    application_yaml: str
    """With its secrets in clear, or with placeholders of `environment`."""
    flows: tuple[Mapping[str, Any], ...] = ()
    late: tuple[Mapping[str, Any], ...] = ()
    """Flows that are run last, and are given a stored output that the key of this boot does not open."""
    replay: tuple[str, ...] = ()


def with_key(key: str) -> str:
    """A configuration with a key."""
    return yaml.safe_dump({"kestra": {"encryption": {"secret-key": key}}})


def secret_flow(text: str) -> dict[str, Any]:
    """A run of the flow with a SECRET input that becomes a SECRET output."""
    return {"id": FLOW, "namespace": "company.team", "inputs": {"secret": text}}


def keeping_flow(old_key: str, new_key: str) -> dict[str, Any]:
    """A run of the flow that decrypts with an old key what is stored."""
    inputs = {"old_key": old_key}
    expected = {"output": "secret_output", "key": new_key, "otherKey": old_key}
    return {"id": KEEPING, "namespace": "company.team", "inputs": inputs, **expected}


def boot(
    folder: Path,
    boots: Iterable[Boot],
    progress: Progress,
    environment: Mapping[str, str] | None = None,
) -> list[Mapping[str, Any]]:
    """Boots one after another on the database of the folder."""
    harness = kestra.ensure("1.3", progress)
    folder.mkdir(parents=True, exist_ok=True)
    flows, classes = folder / "flows", folder / "classes"
    for made in (flows, classes):
        made.mkdir(exist_ok=True)
    seed = kestra.HERE / "flows" / f"{FLOW}.yml"
    (flows / seed.name).write_text(seed.read_text())
    (flows / f"{KEEPING}.yml").write_text(_of_the_page(KEEPING))
    arguments = folder / "arguments"
    arguments.write_text(f'-cp "{harness.classpath}"')
    subprocess.run(
        [harness.java.parent / "javac", "-proc:none", "-d", classes, f"@{arguments}", HERE / "Keys.java"],
        check=True, capture_output=True,
    )  # fmt: skip
    url = f"jdbc:h2:file:{folder / 'database'};TIME ZONE=UTC;DB_CLOSE_ON_EXIT=FALSE"
    database = private(
        folder / "database.yaml",
        yaml.safe_dump(
            {
                "datasources": {"h2": {"url": url}},
                "kestra": {"storage": {"local": {"base-path": str(folder / "storage")}}},
            }
        ),
    )
    runs = [_run(folder, one, database, flows) for one in boots]
    command = [
        str(harness.java), "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        f"-Dlogback.configurationFile={kestra.HERE / 'logback.xml'}",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "-cp", f"{classes}{os.pathsep}{harness.classpath}", "Keys",
    ]  # fmt: skip
    done = subprocess.run(
        command,
        input=json.dumps({"runs": runs}),
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
        | dict(environment or {}),
        timeout=300,
    )
    (folder / "kestra.log").write_text(done.stderr)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"runs"')]
    assert lines, f"Kestra ended with {done.returncode}; its log is {folder / 'kestra.log'}"
    return json.loads(lines[-1])["runs"]


def _of_the_page(flow: str) -> str:
    """A flow as docs/rotation.md has it."""
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", section("The encryption key"), re.M | re.S)
    (found,) = (block for block in map(textwrap.dedent, blocks) if f"id: {flow}\n" in block)
    return found


def _run(folder: Path, one: Boot, database: Path, flows: Path) -> dict[str, Any]:
    files = overlay.files(one.application_yaml, "1.3", folder / one.name)
    return {
        "files": f"{files},{database}",
        "flows": list(one.flows),
        "flowFolder": str(flows),
        "late": list(one.late),
        "replay": list(one.replay),
    }
