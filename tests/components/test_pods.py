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

from components.kubernetes.pods import (
    COPY,
    LOADED,
    MOUNTED,
    PROBE_PASSWORD,
    probe_command,
    probe_password,
)
from components.settings.endpoints import EndpointsBasicAuth
from tests.components.recording_support import run
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


@pytest.mark.parametrize("name", ["local", "local-vault"])
def test_a_hung_process_is_not_waited_for_as_tasks_are(name: str) -> None:
    for deployment in run(stack_document(name)).of("Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] >= 360
        main = pod["containers"][0]
        for probe in ("startupProbe", "livenessProbe"):
            assert main[probe]["terminationGracePeriodSeconds"] == 30
        # Kubernetes refuses it where a failed probe ends nothing.
        assert "terminationGracePeriodSeconds" not in main["readinessProbe"]
        hung = main["livenessProbe"]
        assert hung["periodSeconds"] * hung["failureThreshold"] + 30 <= 90


def test_the_token_is_mounted_only_where_the_identity_needs_it() -> None:
    for name, is_mounted in (("local", False), ("local-vault", True)):
        for deployment in run(stack_document(name)).of("Deployment").values():
            assert (
                deployment["spec"]["template"]["spec"]["automountServiceAccountToken"] is is_mounted
            )
        for account in run(stack_document(name)).of("ServiceAccount").values():
            assert account["automountServiceAccountToken"] is False


def test_version_ids_are_hashed_never_values() -> None:
    recorded = run(stack_document("local-vault"))
    for deployment in recorded.of("Deployment").values():
        annotation = deployment["spec"]["template"]["metadata"]["annotations"]
        assert len(annotation["kestra.pulumi/secret-versions"]) == 32


@pytest.mark.parametrize(("enforced", "hashes"), [(True, 2), (False, 1)])
def test_only_components_that_may_read_secrets_carry_their_versions(
    enforced: bool, hashes: int
) -> None:
    document: dict[str, Any] = stack_document("local-vault")
    document["secret"]["isolation"]["enabled"] = enforced
    versions: dict[str, set[str]] = {}
    for name, deployment in run(document).of("Deployment").items():
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        versions.setdefault(annotations["kestra.pulumi/secret-versions"], set()).add(name)
    assert len(versions) == hashes
    denied = {"kestra-executor", "kestra-scheduler", "kestra-indexer"}
    assert (denied in versions.values()) is enforced


def test_without_a_log_in_probes_are_plain_and_with_one_they_hold_no_password() -> None:
    document = stack_document("local")
    (deployment,) = run(document).of("Deployment").values()
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    assert PROBE_PASSWORD in probe["exec"]["command"][2]
    assert "Password-1-of" not in str(deployment)
    (secret,) = run(document).of("Secret").values()
    assert secret["stringData"]["value"][PROBE_PASSWORD].startswith("Password-1-of")
    document.pop("endpoints")
    (deployment,) = run(document).of("Deployment").values()
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    assert probe["httpGet"] == {"path": "/health/liveness", "port": "management"}


class _Health(http.server.BaseHTTPRequestHandler):
    authorization = "Basic " + base64.b64encode(b"monitoring:Pa:ss w0rd").decode()

    def do_GET(self) -> None:
        authorised = self.headers.get("Authorization") == self.authorization
        self.send_response(200 if authorised and self.path == "/health/liveness" else 401)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def health() -> Iterator[int]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Health)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _probe(
    port: int, path: str, user: str, password: str, environment: dict[str, str] | None = None
) -> bool:
    return _probed(port, path, user, password, environment).returncode == 0


def _probed(
    port: int, path: str, user: str, password: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    login = EndpointsBasicAuth.model_validate({"username": user, "password": password})
    done = subprocess.run(
        probe_command(login, port, path),
        env={
            "PATH": os.environ["PATH"],
            PROBE_PASSWORD: probe_password(password),
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert "w0rd" not in done.stdout + done.stderr
    return done


PASSWORD = "Pa:ss w0rd"


def test_the_probe_logs_in_and_tells_healthy_from_not(health: int) -> None:
    assert _probe(health, "/health/liveness", "monitoring", PASSWORD)
    assert not _probe(health, "/health/liveness", "monitoring", "other")
    assert not _probe(health, "/elsewhere", "monitoring", PASSWORD)
    assert not _probe(1, "/health/liveness", "monitoring", PASSWORD)


def test_a_failed_probe_prints_why_as_kubelet_says_it_of_its_own(health: int) -> None:
    assert _probed(health, "/health/liveness", "monitoring", PASSWORD).stdout == ""
    refused = _probed(health, "/health/liveness", "monitoring", "other")
    assert refused.stdout == "HTTP probe failed with statuscode: 401\n"
    assert "Connection refused" in _probed(1, "/health/liveness", "monitoring", PASSWORD).stderr


@pytest.mark.parametrize(
    ("user", "password", "environment", "healthy"),
    [
        ("monitoring", "${MANAGEMENT}", {"MANAGEMENT": PASSWORD}, True),
        ("monitoring", "${MANAGEMENT:other}", {"MANAGEMENT": PASSWORD}, True),
        ("monitoring", f"${{MANAGEMENT:`{PASSWORD}`}}", {}, True),
        ("monitoring", "${MANAGEMENT}", {}, False),
        ("${OPERATOR}", PASSWORD, {"OPERATOR": "monitoring"}, True),
        ("${OPERATOR:monitoring}", PASSWORD, {}, True),
    ],
)
def test_the_probe_takes_placeholders_from_the_environment_as_kestra_does(
    health: int, user: str, password: str, environment: dict[str, str], healthy: bool
) -> None:
    assert _probe(health, "/health/liveness", user, password, environment) is healthy


@pytest.mark.parametrize("user", ["it's", 'a"b', "$(touch x)", "`id`", "$HOME", "a\\b"])
def test_a_user_name_is_a_text_and_never_a_command(user: str, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    login = EndpointsBasicAuth.model_validate({"username": user, "password": "p"})
    *bash, script, name, first = probe_command(login, 1, "/health")
    only = script.split(" && ")[0] + f' && printf %s "$login" | base64 -d > {seen}'
    subprocess.run([*bash, only, name, first], env={**os.environ, PROBE_PASSWORD: "p"}, check=True)
    assert seen.read_text() == f"{user}:p"


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


def _resources(resources: dict[str, Any]) -> dict[str, Any]:
    document = stack_document("local")
    document["deployment"] = {"components": {"standalone": {"resources": resources}}}
    (deployment,) = run(document).of("Deployment").values()
    return deployment["spec"]["template"]["spec"]["containers"][0]["resources"]


@pytest.mark.parametrize(
    ("given", "requests", "limits"),
    [
        ({}, {"cpu": "500m", "memory": "1Gi"}, {"memory": "2Gi"}),
        (
            {"requests": {"memory": "4Gi"}},
            {"cpu": "500m", "memory": "4Gi"},
            {"memory": "4Gi"},
        ),
        (
            {"limits": {"memory": "512Mi", "cpu": "0.25"}},
            {"cpu": "0.25", "memory": "512Mi"},
            {"memory": "512Mi", "cpu": "0.25"},
        ),
    ],
)
def test_a_default_never_contradicts_what_is_set(
    given: dict[str, Any], requests: dict[str, str], limits: dict[str, str]
) -> None:
    assert _resources(given) == {"requests": requests, "limits": limits}


def test_a_volume_is_claimed_only_for_local_storage() -> None:
    document = stack_document("local")
    document["deployment"] = {"storage-volume": {"size": "10Gi"}}
    recorded = run(document)
    (claim,) = recorded.of("PersistentVolumeClaim").values()
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    (deployment,) = recorded.of("Deployment").values()
    volumes = {v["name"]: v for v in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes["storage"] == {
        "name": "storage",
        "persistentVolumeClaim": {"claimName": "kestra-storage"},
    }


@pytest.mark.parametrize(
    ("version", "components"),
    [
        ("1.3", ["executor", "indexer", "scheduler", "webserver", "worker"]),
        ("2.0", ["controller", "executor", "indexer", "scheduler", "webserver", "worker"]),
    ],
)
def test_distributed_means_one_deployment_a_component(version: str, components: list[str]) -> None:
    document = stack_document("local-vault") | {"version": version}
    if version == "2.0":
        document["security"] = {"instance-owner": {"username": "admin@kestra.io"}}
    recorded = run(document)
    deployments = {
        d["spec"]["template"]["spec"]["containers"][0]["args"][1]: d["spec"]["replicas"]
        for d in recorded.of("Deployment").values()
    }
    assert sorted(deployments) == components
    budgets = {
        b["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]
        for b in recorded.of("PodDisruptionBudget").values()
    }
    assert budgets == {name for name, replicas in deployments.items() if replicas > 1}
    workers = next(d for n, d in recorded.of("Deployment").items() if n.endswith("worker"))
    args = workers["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args == ["server", "worker", "--thread=8"]
