"""Boots of a real Kestra on one database, each with a key of its own, in one process of Java."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox import kestra
from sandbox.progress import Progress
from sandbox.services.process import private
from sandbox.verify import VerifyJob, _files

HERE = Path(__file__).parent
FLOW, KEEPING = "my_secret_flow", "keeps_old_value"

#: What a person runs to keep an old value: Kestra's own function `decrypt`, given the key of before.
_KEEPING = {
    "id": KEEPING,
    "namespace": "company.team",
    "inputs": [{"id": "old_key", "type": "SECRET"}, {"id": "stored", "type": "STRING"}],
    "tasks": [
        {"id": "log", "type": "io.kestra.plugin.core.log.Log", "message": "keeps an old value"}
    ],
    "outputs": [
        {
            "id": "secret_output",
            "type": "SECRET",
            "value": "{{ decrypt(inputs.old_key, inputs.stored) }}",
        }
    ],
}


@dataclass(frozen=True)
class Boot:
    """One boot: its configuration, and what is run."""

    name: str
    application_yaml: str
    """With its secrets in clear, or with placeholders of `environment`."""
    flows: tuple[Mapping[str, Any], ...] = ()
    replay: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What a boot saw."""

    answer: Mapping[str, Any]
    stored: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Plain texts and errors by execution."""

    @property
    def ran(self) -> list[Mapping[str, Any]]:
        """The flows that were run."""
        return list(self.answer["flows"])


def with_key(key: str) -> str:
    """A configuration with a key."""
    return yaml.safe_dump({"kestra": {"encryption": {"secret-key": key}}})


def secret_flow(text: str) -> dict[str, Any]:
    """A run of the flow with a SECRET input that becomes a SECRET output."""
    return {"id": FLOW, "namespace": "company.team", "inputs": {"secret": text}}


def keeping_flow(old_key: str, stored: str) -> dict[str, Any]:
    """A run of the flow that decrypts with an old key."""
    inputs = {"old_key": old_key, "stored": stored}
    return {"id": KEEPING, "namespace": "company.team", "inputs": inputs}


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
    (flows / f"{KEEPING}.yml").write_text(yaml.safe_dump(_KEEPING, sort_keys=False))
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


def _run(folder: Path, one: Boot, database: Path, flows: Path) -> dict[str, Any]:
    job = VerifyJob("1.3", "oss", one.application_yaml, {}, {}, {}, folder)
    files = _files(job, yaml.safe_load(one.application_yaml), folder, one.name)
    return {
        "files": f"{files},{database}",
        "flows": list(one.flows),
        "flowFolder": str(flows),
        "replay": list(one.replay),
    }
