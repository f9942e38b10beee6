"""Where a real management and web server of each version answers, against what the pods' probes and Services ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.rendering.configuration import render
from components.rendering.document import dump
from components.rendering.web_server import WebServer
from components.validation import load
from sandbox import kestra
from sandbox.kestra import RELEASES
from sandbox.progress import Progress
from sandbox.services import free_port
from sandbox.verify import overlay
from sandbox.verify.boot import boot
from tests.kestra.harness_support import on_free_ports, with_class

pytestmark = [pytest.mark.kestra]

TLS = {"enabled": True, "build-self-signed": True}
#: Name to what stands under kestra:micronaut; `PORT` is a free one.
SETTINGS: dict[str, dict[str, Any]] = {
    "as it is": {"server": {"port": "PORT"}},
    "context path": {"server": {"port": "PORT", "context-path": "/kestra"}},
    "context path without slashes": {"server": {"port": "PORT", "context-path": "a/b"}},
    "TLS of the server": {
        "server": {"port": "PORT", "context-path": "/k", "ssl": TLS | {"port": "PORT"}}
    },
    "TLS of Micronaut": {"server": {"port": "PORT"}, "ssl": TLS | {"port": "PORT"}},
}
NOTHING = 0
"""Status where nobody listens, or not in this protocol."""


def _with_ports(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _with_ports(value) for name, value in node.items()}
    return free_port() if node == "PORT" else node


@pytest.fixture(scope="module", params=list(RELEASES))
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, progress: Progress
) -> dict[str, tuple[WebServer, dict[str, int]]]:
    """Name to what the program takes the server for, and the status of each address that was asked."""
    version, folder = request.param, tmp_path_factory.mktemp("servers")
    harness = with_class(
        kestra.ensure(version, progress), Path(__file__).with_name("EndpointsMatrix.java"), folder
    )
    servers: dict[str, WebServer] = {}
    runs: list[dict[str, Any]] = []

    def attempt() -> list[Any]:
        runs.clear()
        for number, (name, block) in enumerate(SETTINGS.items()):
            document: dict[str, Any] = {
                "version": version,
                "server": {"basic-auth": {"username": "admin@kestra.io"}},
                "endpoints": {"all": {"port": free_port()}},
                "micronaut": _with_ports(block),
            }
            settings = load(document, source="test").settings
            configuration = render(settings).document
            servers[name] = WebServer.of(configuration, settings)
            runs.append(_run(version, configuration, servers[name], folder / str(number)))
        return boot(harness, {}, folder, {"runs": runs}, main="EndpointsMatrix")["runs"]

    result = on_free_ports(folder, attempt)
    return {
        name: (
            servers[name],
            {
                f"{one['origin']}{one['path']}": answer["status"]
                for one, answer in zip(run["requests"], answered, strict=True)
            },
        )
        for name, run, answered in zip(servers, runs, result, strict=True)
    }


def _run(version: str, document: Any, server: WebServer, folder: Path) -> dict[str, Any]:
    roots = {name: document[name] for name in ("endpoints", "micronaut")}
    files = overlay.files(dump(roots), version, folder)
    local = folder / "local.yaml"
    local.write_text(yaml.safe_dump({"micronaut": {"server": {"host": "127.0.0.1"}}}))
    plain = document["micronaut"]["server"]["port"]
    origins = [
        f"{scheme}://127.0.0.1:{port}"
        for port in dict.fromkeys((server.port, server.management_port, plain))
        for scheme in ("http", "https")
    ]
    paths = dict.fromkeys(
        (server.management("/health"), server.management("/health/liveness"), "/health")
    )
    return {
        "files": f"{files},{local}",
        "port": server.management_port,
        "requests": [
            {"origin": origin, "path": path, "method": "GET", "body": ""}
            for origin in origins
            for path in paths
        ],
    }


@pytest.mark.parametrize("name", list(SETTINGS))
def test_probes_and_services_ask_where_the_server_answers(
    answers: dict[str, tuple[WebServer, dict[str, int]]], name: str
) -> None:
    server, status = answers[name]
    management = f"http://127.0.0.1:{server.management_port}"
    for path in ("/health", "/health/liveness"):
        assert status[f"{management}{server.management(path)}"] == 200
    if server.management_path:
        assert status[f"{management}/health"] == 404
    # The management port speaks no TLS, whatever the web port does.
    assert status[f"https://127.0.0.1:{server.management_port}/health"] == NOTHING
    web = f"127.0.0.1:{server.port}{server.management('/health')}"
    assert status[f"{server.scheme}://{web}"] == 404
    other = "http" if server.is_tls else "https"
    assert status[f"{other}://{web}"] in (NOTHING, 400)


@pytest.mark.parametrize("name", ["TLS of the server", "TLS of Micronaut"])
def test_with_tls_nobody_listens_on_the_plain_port(
    answers: dict[str, tuple[WebServer, dict[str, int]]], name: str
) -> None:
    server, status = answers[name]
    ports = {address.split("/")[2].partition(":")[2] for address in status}
    (plain,) = ports - {str(server.port), str(server.management_port)}
    assert {code for address, code in status.items() if f":{plain}/" in address} == {NOTHING}
