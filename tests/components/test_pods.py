"""Pods: what they promise, and that their scripts work for real."""

from __future__ import annotations

import base64
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.pods import COPY, LOADED, MOUNTED, PROBE, PROBE_VARIABLE
from tests.components.recording import run
from tests.conftest import stack_document


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("name", ["local", "local-vault"])
def test_every_pod_is_restricted_and_read_only(name: str) -> None:
    for deployment in run(stack_document(name)).of("Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 1000
        for container in _containers(pod):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert ":latest" not in container["image"]
            assert "memory" in container["resources"]["limits"]


def test_pods_end_a_minute_after_kestra_gives_its_tasks() -> None:
    document = stack_document("local")
    document["server"] = {**document["server"], "termination-grace-period": "7m"}  # type: ignore[dict-item]
    (deployment,) = run(document).of("Deployment").values()
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 480


def test_the_token_is_mounted_only_where_the_identity_needs_it() -> None:
    for name, wanted in (("local", False), ("local-vault", True)):
        for deployment in run(stack_document(name)).of("Deployment").values():
            assert deployment["spec"]["template"]["spec"]["automountServiceAccountToken"] is wanted
        for account in run(stack_document(name)).of("ServiceAccount").values():
            assert account["automountServiceAccountToken"] is False


def test_version_ids_are_hashed_never_values() -> None:
    recorded = run(stack_document("local-vault"))
    for deployment in recorded.of("Deployment").values():
        annotation = deployment["spec"]["template"]["metadata"]["annotations"]
        assert len(annotation["kestra.pulumi/secret-versions"]) == 32


def test_without_a_log_in_probes_are_plain_and_with_one_they_hold_no_password() -> None:
    document = stack_document("local")
    (deployment,) = run(document).of("Deployment").values()
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    assert PROBE_VARIABLE in probe["exec"]["command"][2]
    assert "Password-1-of" not in str(deployment)
    document.pop("endpoints")
    (deployment,) = run(document).of("Deployment").values()
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    assert probe["httpGet"] == {"path": "/health/liveness", "port": "management"}


class _Health(http.server.BaseHTTPRequestHandler):
    wanted = "Basic " + base64.b64encode(b"monitoring:Pa:ss w0rd").decode()

    def do_GET(self) -> None:
        authorised = self.headers.get("Authorization") == self.wanted
        self.send_response(200 if authorised and self.path == "/health/liveness" else 401)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def health() -> Iterator[int]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _probe(port: int, path: str, login: str) -> int:
    script = PROBE.format(port=port, path=path)
    environment = {
        "PATH": os.environ["PATH"],
        PROBE_VARIABLE: base64.b64encode(login.encode()).decode(),
    }
    return subprocess.run(["bash", "-c", script], env=environment, capture_output=True).returncode


def test_the_probe_logs_in_and_tells_healthy_from_not(health: int) -> None:
    assert _probe(health, "/health/liveness", "monitoring:Pa:ss w0rd") == 0
    assert _probe(health, "/health/liveness", "monitoring:other") != 0
    assert _probe(health, "/elsewhere", "monitoring:Pa:ss w0rd") != 0
    assert _probe(1, "/health/liveness", "monitoring:Pa:ss w0rd") != 0


def test_a_container_that_restarts_finds_the_file_that_kestra_deleted(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "confs").mkdir()
    mounted, loaded = tmp_path / "etc" / "application.yaml", tmp_path / "confs" / "application.yaml"
    mounted.write_text("kestra: {}")
    script = COPY.replace(MOUNTED, str(mounted)).replace(LOADED, str(loaded))
    for _ in range(3):
        assert subprocess.run(["sh", "-c", f"{script} && test -s {loaded}"]).returncode == 0
        loaded.unlink()  # what Kestra does once it has started
    assert mounted.exists()


def test_delete_files_on_start_gives_a_writable_copy_in_memory() -> None:
    (deployment,) = run(stack_document("local")).of("Deployment").values()
    pod = deployment["spec"]["template"]["spec"]
    volumes = {v["name"]: v for v in pod["volumes"]}
    assert volumes["loaded"]["emptyDir"]["medium"] == "Memory"
    assert pod["initContainers"][0]["command"][2] == COPY
    main = pod["containers"][0]
    assert COPY in main["command"][2]
    assert {"name": "MICRONAUT_CONFIG_FILES", "value": LOADED} in main["env"]
    for deployment in run(stack_document("local-vault")).of("Deployment").values():
        assert "initContainers" not in deployment["spec"]["template"]["spec"]
