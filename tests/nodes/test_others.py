"""What the sandbox brings to a real node because a stack's pods need it and nobody else is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.settings import Settings
from components.validation import load
from sandbox.errors import SandboxError
from sandbox.nodes import others
from sandbox.nodes.control_plane import RealControlPlane
from sandbox.nodes.others import Database, databases, playing_others
from sandbox.services import ControlPlane
from tests.conftest import stack_document

IMAGE = "registry.kestra.io/docker/kestra-ee:v1.3.31"
SERVICE = "/api/v1/namespaces/databases/services/postgres"
DEPLOYMENTS = "/apis/apps/v1/namespaces/kestra-vault/deployments"
POD = {
    "initContainers": [{"name": "configuration"}],
    "containers": [
        {
            "name": "kestra",
            "envFrom": [
                {"secretRef": {"name": "kestra-secret-1"}},
                {"secretRef": {"name": "kestra-platform"}},
                {"secretRef": {"name": "maybe", "optional": True}},
                {"secretRef": {"name": "delivered"}},
            ],
            "env": [
                {"name": "A", "value": "a"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "mail", "key": "password"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "mail", "key": "user"}}},
            ],
        }
    ],
}


def _settings(**changes: Any) -> Settings:
    return load(stack_document("local-vault") | changes, source="test").settings


class Cluster:
    """What is in the cluster, and what the sandbox applies to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.namespace = "kestra-vault"
        self.objects: dict[str, Any] = {"secret kestra-secret-1": {"metadata": {}}}
        self.applied: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._steps: list[Any] = []
        monkeypatch.setattr(others, "Cluster", lambda *_: self)
        monkeypatch.setattr(others, "_apply", self._apply)
        monkeypatch.setattr(others, "meanwhile", self._steps.append)

    def _apply(self, _plane: ControlPlane, documents: list[dict[str, Any]]) -> None:
        self.applied += documents
        for document in documents:
            name = document["metadata"]["name"]
            self.objects[SERVICE if document["kind"] == "Service" else f"secret {name}"] = document

    def get(self, path: str) -> dict[str, Any]:
        return self.objects.get(path, {"items": []})

    def secret(self, name: str) -> dict[str, Any]:
        return self.objects.get(f"secret {name}", {})

    def deliveries(self) -> list[Any]:
        return [type("Delivery", (), {"secret": "delivered"})]

    def bring(self, folder: Path, settings: Settings, image: Path | None = None) -> None:
        """What is done twice a second while the stack is brought up, done twice."""
        if not self._steps:
            plane = RealControlPlane(folder, {})
            playing_others(plane, settings, image, self.notes.append)
        for _ in range(2):
            self._steps[0]()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(monkeypatch)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://postgres.databases.svc:5432/kestra", [("postgres", "databases", 5432)]),
        ("postgresql://postgres.databases/kestra", [("postgres", "databases", 5432)]),
        ("postgresql://pg.a.svc.cluster.local:6432/kestra", [("pg", "a", 6432)]),
        ("postgresql://db.example.com:5432/kestra", []),
        ("postgresql://10.0.0.1:5432/kestra", []),
    ],
)
def test_databases_are_those_at_services_of_the_cluster(
    address: str, expected: list[tuple[str, str, int]]
) -> None:
    sources = {"postgres": {"url": f"jdbc:{address}", "username": "kestra", "password": "${P}"}}
    assert databases(_settings(datasources=sources)) == [Database(*one) for one in expected]


def test_nothing_is_brought_to_simulated_nodes(cluster: Cluster, tmp_path: Path) -> None:
    with playing_others(ControlPlane(tmp_path, {}), _settings(), None, cluster.notes.append):
        pass
    assert cluster.applied == cluster.notes == []


def test_a_database_that_nobody_runs_is_started_once_and_one_that_is_there_is_left_alone(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.bring(tmp_path, _settings())
    kinds = [one["kind"] for one in cluster.applied]
    assert kinds == ["Namespace", "Service", "NetworkPolicy", "Deployment"]
    (container,) = cluster.applied[-1]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE
    assert "-tcpPort 5432" in container["command"][-1]
    assert len(cluster.notes) == 1
    assert "postgres.databases:5432" in cluster.notes[0]


def test_a_database_of_somebody_else_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    cluster.objects[SERVICE] = {"metadata": {}}
    cluster.bring(tmp_path, _settings())
    assert cluster.applied == cluster.notes == []


def test_ones_own_image_gets_no_database_that_it_could_not_use(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.bring(tmp_path, _settings(), tmp_path / "kestra.tar")
    assert cluster.applied == []
    assert len(cluster.notes) == 1
    assert "start one there" in cluster.notes[0]


def test_a_database_in_the_namespace_of_the_stack_waits_for_it(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise SandboxError("namespaces kestra-vault not found")

    sources = {"postgres": {"url": "jdbc:postgresql://postgres.kestra-vault.svc:5432/kestra"}}
    settings = _settings(datasources=sources)
    with monkeypatch.context() as before:
        before.setattr(others, "_apply", refuse)
        with pytest.raises(SandboxError):
            cluster.bring(tmp_path, settings)
    cluster.bring(tmp_path, settings)
    assert [one["kind"] for one in cluster.applied] == ["Service", "NetworkPolicy", "Deployment"]


def test_secrets_of_others_are_made_once_with_the_variables_that_the_settings_name(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.objects[SERVICE] = {"metadata": {}}
    cluster.objects[DEPLOYMENTS] = {"items": [{"spec": {"template": {"spec": POD}}}]}
    cluster.bring(tmp_path, _settings())
    created = {one["metadata"]["name"]: sorted(one["stringData"]) for one in cluster.applied}
    assert created == {
        "kestra-platform": ["MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "POSTGRES_PASSWORD"],
        "mail": ["password", "user"],
    }
    values = [value for one in cluster.applied for value in one["stringData"].values()]
    assert len(set(values)) == len(values)
    assert not any(value in note for value in values for note in cluster.notes)
