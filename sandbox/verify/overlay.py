"""The configuration files of a run: what one machine lacks is laid over what the API server has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from components.rendering.document import dump
from sandbox.services import free_port
from sandbox.services.process import private

#: What Kestra's own command line supplies, which is not among the published artifacts.
_COMMAND_LINE = """
micronaut:
  application: {name: kestra}
  server: {port: -1}
  executors: {scheduled: {type: scheduled, core-pool-size: 1}}
jackson:
  serialization: {writeDatesAsTimestamps: false, writeDurationsAsTimestamps: false}
  serialization-inclusion: non_null
  deserialization: {FAIL_ON_UNKNOWN_PROPERTIES: false}
kestra:
  server-type: STANDALONE
  variables: {cache-enabled: true, cache-size: 1000}
  metrics: {prefix: kestra}
  retries: {attempts: 5, multiplier: 2.0, delay: 1s, maxDelay: ""}
  jdbc:
    queues: {min-poll-interval: 10ms, max-poll-interval: 100ms, poll-switch-interval: 5s}
    cleaner: {initial-delay: 1h, fixed-delay: 1h, retention: 7d}
  server: {service: {purge: {initial-delay: 1h, fixed-delay: 1d, retention: 30d}}}
"""
#: 1.3 brings its tables up with Flyway, 2.0 with its own migrations.
_FLYWAY = """
flyway:
  datasources:
    h2:
      enabled: true
      locations: ["classpath:migrations/h2"]
      ignore-migration-patterns: "*:missing,*:future"
      out-of-order: true
"""


def command_line(version: str) -> str:
    """What Kestra's own command line supplies for an H2 database, as YAML."""
    return _COMMAND_LINE + (_FLYWAY if version == "1.3" else "")


def describe(document: Mapping[str, Any], folder: Path, version: str) -> dict[str, Any]:
    """What is laid over the configuration, for the report."""
    laid: dict[str, Any] = {
        "datasources.h2": f"jdbc:h2:file:{folder.name}/database",
        "kestra.queue.type": "h2",
        "kestra.repository.type": "h2",
        "kestra.storage": f"local, {folder.name}/storage",
    }
    if version != "1.3":
        laid["kestra.worker.controllers"] = "STATIC, this machine"
    if others := left_out(document):
        laid["left out"] = ", ".join(others)
    return laid


def left_out(document: Mapping[str, Any]) -> list[str]:
    """Blocks of the configuration whose servers this machine lacks."""
    databases = [
        f"datasources.{name}" for name in document.get("datasources") or {} if name != "h2"
    ]
    storage = (document.get("kestra") or {}).get("storage") or {}
    return databases + [
        f"kestra.storage.{name}" for name in storage if name not in ("type", "local")
    ]


def without(document: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of the document without some blocks."""
    copy = json.loads(json.dumps(document))
    for path in paths:
        *parents, last = path.split(".")
        block = copy
        for name in parents:
            block = block.get(name) or {}
        block.pop(last, None)
    return copy


def files(text: str, version: str, folder: Path, *, with_key: bool = True) -> str:
    """Writes the files of a run into its folder; their paths as Micronaut reads them, the last one wins.

    Args:
        text: the configuration as the API server has it.
        version: Kestra version of the settings.
        folder: where the run's files, database and storage are.
        with_key: whether the configuration keeps its encryption key.
    """
    folder.mkdir(exist_ok=True)
    document = yaml.safe_load(text)
    gone = left_out(document) + ([] if with_key else ["kestra.encryption"])
    if gone:
        # Byte for byte as the API server has it, unless something must be left out.
        text = dump(without(document, gone))
    lines = []
    for name, content in (
        ("base", command_line(version)),
        ("application", text),
        ("overlay", _laid(folder, version)),
    ):
        file = folder / f"{name}.yaml"
        private(file, content)
        lines.append(str(file))
    return ",".join(lines)


def _laid(folder: Path, version: str) -> str:
    kestra: dict[str, Any] = {
        "queue": {"type": "h2"},
        "repository": {"type": "h2"},
        "storage": {"type": "local", "local": {"base-path": str(folder / "storage")}},
    }
    if version != "1.3":
        port = free_port()
        kestra["controller"] = {"port": port}
        kestra["worker"] = {
            "controllers": {
                "type": "STATIC",
                "static": {"endpoints": [{"host": "127.0.0.1", "port": port}]},
            }
        }
    database = {
        "url": f"jdbc:h2:file:{folder / 'database'};TIME ZONE=UTC;DB_CLOSE_ON_EXIT=FALSE",
        "username": "sa",
        "password": "",
        "driver-class-name": "org.h2.Driver",
        # A stack's own pool is laid over like the rest of its database: with one connection Kestra does not start.
        "maximum-pool-size": 10,
    }
    return yaml.safe_dump({"datasources": {"h2": database}, "kestra": kestra}, sort_keys=False)
