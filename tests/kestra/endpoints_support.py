"""Kestra's management server with the rendered endpoints, asked with and without the log-in."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.rendering.configuration import render
from components.rendering.document import dump
from components.validation import load
from sandbox import kestra
from sandbox.progress import Progress
from sandbox.services import free_port
from sandbox.verify import overlay
from sandbox.verify.boot import boot
from tests.kestra.harness_support import on_free_ports, with_class

USER, PASSWORD = "monitoring", "Endpoints-31-word"
LOG_IN = {"basic-auth": {"username": USER, "password": PASSWORD}}
#: What Kestra's command line, which is not among the artifacts, has of its own.
#: Source: Kestra documentation, migration-guide/v2.0.0/management-endpoint-hardening.
COMMAND_LINE: dict[str, dict[str, Any]] = {
    "1.3": {
        "all": {"enabled": True, "sensitive": False},
        "health": {"details-visible": "ANONYMOUS"},
        "loggers": {"write-sensitive": False},
        "env": {"enabled": True},
    },
    "2.0": {
        "all": {"enabled": True},
        "health": {"details-visible": "AUTHENTICATED"},
        "loggers": {"write-sensitive": True},
        "env": {"enabled": False},
    },
}
WRITES = {"/loggers/io.kestra": '{"configuredLevel": "INFO"}', "/refresh": "{}", "/stop": "{}"}
WHO: dict[str, str | None] = {
    "nobody": None,
    "log-in": f"{USER}:{PASSWORD}",
    "wrong": f"{USER}:another",
}


@dataclass(frozen=True)
class Answers:
    """What one configuration answered: who asked and what, to status and body."""

    by_request: Mapping[tuple[str, str], tuple[int, str]]

    def status(self, path: str, who: str = "log-in") -> int:
        """The status of an answer."""
        return self.by_request[who, path][0]

    def body(self, path: str, who: str = "log-in") -> str:
        """The text of an answer."""
        return self.by_request[who, path][1]


def rendered(version: str, endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """The root `endpoints` that a stack gets, its password in clear."""
    document: dict[str, Any] = {
        "version": version,
        "server": {"basic-auth": {"username": "admin@kestra.io"}},
        "endpoints": endpoints,
    }
    configuration = render(load(document, source="test").settings)
    text = re.sub(r"\$\{STACK_ENDPOINTS_[A-Z_]+\}", PASSWORD, configuration.yaml())
    return yaml.safe_load(text).get("endpoints", {})


def ask(
    version: str,
    configurations: Mapping[str, Mapping[str, Any]],
    paths: Iterable[str],
    folder: Path,
    progress: Progress,
) -> dict[str, Answers]:
    """Starts the server with each configuration, and asks each path as everybody of `WHO`.

    Args:
        version: Kestra version of the settings.
        configurations: name to root `endpoints` of Kestra's file.
        paths: what is asked; those in `WRITES` by POST.
        folder: takes the files.
        progress: for a harness that has to be built.
    """
    source = Path(__file__).with_name("EndpointsMatrix.java")
    harness = with_class(kestra.ensure(version, progress), source, folder)
    requests = [(who, path) for path in paths for who in WHO]

    def attempt() -> list[Any]:
        runs = [
            _run(version, endpoints, requests, folder / str(number))
            for number, endpoints in enumerate(configurations.values())
        ]
        return boot(harness, {}, folder, {"runs": runs}, main="EndpointsMatrix")["runs"]

    answers = on_free_ports(folder, attempt)
    return {
        name: Answers(
            {key: (one["status"], one["body"]) for key, one in zip(requests, answer, strict=True)}
        )
        for name, answer in zip(configurations, answers, strict=True)
    }


def _run(
    version: str, endpoints: Mapping[str, Any], requests: Iterable[tuple[str, str]], folder: Path
) -> dict[str, Any]:
    port = free_port()
    base, *others = overlay.files(dump({"endpoints": dict(endpoints)}), version, folder).split(",")
    command_line, server = folder / "command-line.yaml", folder / "server.yaml"
    command_line.write_text(yaml.safe_dump({"endpoints": COMMAND_LINE[version]}))
    server.write_text(
        yaml.safe_dump(
            {
                "micronaut": {"server": {"port": free_port(), "host": "127.0.0.1"}},
                "endpoints": {"all": {"port": port}},
            }
        )
    )
    return {
        "files": ",".join([base, str(command_line), *others, str(server)]),
        "port": port,
        "requests": [
            {
                "path": path,
                "method": "POST" if path in WRITES else "GET",
                "body": WRITES.get(path, ""),
                "authorization": _header(WHO[who]),
            }
            for who, path in requests
        ],
    }


def _header(log_in: str | None) -> str | None:
    return log_in and f"Basic {base64.b64encode(log_in.encode()).decode()}"
