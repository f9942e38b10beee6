"""What `verify` makes of the answers of pods."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rich.console import Console

from components.rendering.configuration import render
from components.settings import Settings
from components.validation import load
from sandbox.errors import SandboxError
from sandbox.nodes.kestra_api import KestraApi, KestraPod
from sandbox.progress import Progress
from sandbox.verify import flows, pods
from sandbox.verify.job import VerifyJob
from sandbox.verify.report import Report

KEY = base64.b64encode(b"k" * 32).decode()
PASSWORD, DECLARED = "planted-Management-4410", "planted-declared-7c"
DOCUMENT: dict[str, Any] = {
    "version": "1.3",
    "encryption": {"secret-key": KEY},
    "server": {"basic-auth": {"username": "admin@kestra.io", "password": "planted-Api-1177"}},
    "endpoints": {"all": {"basic-auth": {"username": "monitoring", "password": PASSWORD}}},
    "declared-secrets": {"TOKEN": {"namespace": "company.team", "value": DECLARED}},
}


def _encrypted(text: str, key: str = KEY) -> dict[str, str]:
    nonce = b"n" * 12
    data = nonce + AESGCM(base64.b64decode(key)).encrypt(nonce, text.encode(), None)
    return {"type": "io.kestra.datatype:aes_encrypted", "value": base64.b64encode(data).decode()}


class Cluster:
    """Pods that answer as a sound Kestra does; a test spoils what it is about."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, components: tuple[str, ...]) -> None:
        self.settings: Settings = load(DOCUMENT, source="test").settings
        rendered = render(self.settings)
        self.text, self.intended = rendered.yaml(), rendered.intended({})
        self.bound: dict[str, Any] = {}
        self.stand_in, self.replaced, self.plain_in_table = True, [], False
        self.statuses = {"right": 200, "wrong": 401, "none": 401}
        self.key, self.masked = KEY, True
        self.ran_in = "worker" if "worker" in components else "standalone"
        self.inputs: dict[str, str] = {}
        self.messages: list[str] = []
        names = [(f"kestra-{one}-1", one) for one in components]
        monkeypatch.setattr(pods, "running_pods", lambda *_: names)
        monkeypatch.setattr(pods, "log", self._log)
        monkeypatch.setattr(pods, "_REMOVAL_SECONDS", 0)
        monkeypatch.setattr(KestraPod, "inspect", self._inspect)
        monkeypatch.setattr(KestraPod, "status", self._status)
        monkeypatch.setattr(KestraPod, "files_with", lambda *_: [])
        monkeypatch.setattr(KestraApi, "import_flow", self._import_flow)
        monkeypatch.setattr(KestraApi, "execute", self._execute)
        monkeypatch.setattr(KestraApi, "await_end", self._await_end)
        monkeypatch.setattr(KestraApi, "logs", self._logs)

    def verify(self) -> Report:
        """The report."""
        job = VerifyJob("1.3", "oss", self.text, {}, self.intended, {"TOKEN": DECLARED}, Path("."))
        progress = Progress(Console(file=io.StringIO()))
        return pods.verify_in_pods(job, self.settings, Path("kubeconfig"), "kestra", progress)

    def _inspect(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        if not self.stand_in:
            return None
        tables = {text: ["executions"] for text in question.get("search", [])[1:]}
        if self.plain_in_table:
            tables[question.get("search", [""])[0]] = ["queues"]
        bound = {
            path: {"by": "property", "value": value} for path, value in pods.flatten(self.intended)
        }
        return {
            "bound": bound | self.bound,
            "services": {"WORKER": "RUNNING"},
            "tables": tables,
            "replaced": self.replaced,
        }

    def _status(self, port: int, path: str, log_in: tuple[str, str] | None) -> int:
        assert (port, path) == (8081, "/health")
        who = "none" if log_in is None else "right" if log_in[1] == PASSWORD else "wrong"
        return self.statuses[who]

    def _execute(self, namespace: str, flow: str, inputs: Mapping[str, str]) -> dict[str, Any]:
        assert namespace == flows.NAMESPACE
        self.inputs |= inputs
        return {"id": f"of-{flow}"}

    def _await_end(self, execution: str) -> dict[str, Any]:
        secret = self.inputs["secret"]
        outputs: dict[str, Any] = {"value": DECLARED}
        if execution == f"of-{flows.SEED}":
            outputs = {"secret_output": _encrypted(secret, self.key)}
        return {
            "id": execution,
            "state": {"current": "SUCCESS"},
            "inputs": {"secret": _encrypted(secret, self.key)},
            "outputs": outputs,
        }

    def _logs(self, execution: str) -> list[str]:
        return ["the value is " + ("******" if self.masked else DECLARED)]

    def _import_flow(self, source: str) -> None:
        self.messages.append(yaml.safe_load(source)["tasks"][0]["message"])

    def _log(self, kubeconfig: Path, namespace: str, name: str, container: str) -> str:
        if self.ran_in not in name:
            return ""
        value = "******" if self.masked else DECLARED
        return "\n".join(
            message.replace("{{ secret('TOKEN') }}", value) for message in self.messages
        )


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """One pod with everything."""
    return Cluster(monkeypatch, ("standalone",))


def _failed(report: Report) -> list[str]:
    return [one["what"] for group in report.flows for one in group["checks"] if not one["ok"]]


def test_a_sound_stack_passes_and_the_report_holds_no_secret(cluster: Cluster) -> None:
    report = cluster.verify()
    assert report.ok, _failed(report)
    data = report.to_json()
    assert "kestra.server.liveness" not in report.mismatches
    for secret in (KEY, PASSWORD, DECLARED, cluster.inputs["secret"]):
        assert secret not in data


def test_tasks_of_the_distributed_mode_run_in_the_workers_pod(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    components = ("webserver", "executor", "scheduler", "indexer", "worker")
    report = Cluster(monkeypatch, components).verify()
    assert report.ok, _failed(report)
    ran = [
        one["what"] for group in report.flows for one in group["checks"] if "ran in" in one["what"]
    ]
    assert ran == ["its task ran in kestra-worker-1"] * 2


@pytest.mark.parametrize(
    ("spoiled", "value", "failed"),
    [
        ("ran_in", "executor", "its task ran in no pod"),
        ("plain_in_table", True, "it is in table queues"),
        ("key", base64.b64encode(b"o" * 32).decode(), "decrypt with the stack's key"),
        ("masked", False, "is masked in the log"),
        ("masked", False, "kestra-standalone-1 does"),
        ("statuses", {"right": 401, "wrong": 401, "none": 401}, "answers 200 to the log-in"),
        ("statuses", {"right": 200, "wrong": 200, "none": 401}, "answers 401 to a wrong one"),
        ("statuses", {"right": 200, "wrong": 401, "none": 200}, "answers 401 to none"),
    ],
)
def test_what_is_not_as_it_should_be_is_reported(
    cluster: Cluster, spoiled: str, value: object, failed: str
) -> None:
    setattr(cluster, spoiled, value)
    report = cluster.verify()
    assert any(failed in what for what in _failed(report)), _failed(report)
    assert not report.ok


def test_another_value_names_setting_and_pod_and_no_secret(cluster: Cluster) -> None:
    cluster.bound = {
        "kestra.encryption.secret-key": {"by": "property", "value": "planted-other-key"},
        "endpoints.all.basic-auth.username": {"by": "property", "value": "nobody"},
    }
    report = cluster.verify()
    assert {one["path"] for one in report.mismatches} == {
        "kestra.encryption.secret-key (kestra-standalone-1)",
        "endpoints.all.basic-auth.username (kestra-standalone-1)",
    }
    assert "planted-other-key" not in report.to_json()


def test_what_the_image_replaces_is_not_compared(cluster: Cluster) -> None:
    path = "kestra.server.basic-auth.username"
    cluster.bound, cluster.replaced = {path: {"by": "property", "value": "other"}}, [path]
    report = cluster.verify()
    assert report.ok
    assert report.bound[path] == "overlay"
    assert "stands in" in report.unchecked[path]


def test_an_image_of_the_user_runs_the_flows_and_says_what_was_not_asked(cluster: Cluster) -> None:
    cluster.stand_in = False
    report = cluster.verify()
    assert report.ok, _failed(report)
    assert {"database", "settings in kestra-standalone-1"} <= set(report.unchecked)
    whats = [one["what"] for group in report.flows for one in group["checks"]]
    assert "ends with SUCCESS" in whats
    assert not any("nowhere in the database" in what for what in whats)


def test_a_stack_without_ready_pods_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match="No pod of Kestra's runs in namespace kestra"):
        Cluster(monkeypatch, ()).verify()


@pytest.mark.parametrize("value", ["", "no base64 !", base64.b64encode(b"short").decode()])
def test_what_is_no_ciphertext_decrypts_to_nothing(value: str) -> None:
    assert pods.decrypt(KEY, value) is None


def test_a_ciphertext_decrypts_with_its_key_alone() -> None:
    value = _encrypted("größer")["value"]
    assert pods.decrypt(KEY, value) == "größer"
    assert pods.decrypt(base64.b64encode(b"x" * 32).decode(), value) is None
