"""A stack in the namespace of a running Helm release, on a real API server: by the printed plan nothing is lost."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from components.__main__ import main
from components.safeguards.irreversible_changes import fingerprint
from components.stack_encryption import decrypted, key_of
from sandbox.services import ControlPlane
from tests.faults.taken_support import FaultStack, program

pytestmark = pytest.mark.engine

NAMESPACE = "flows"
VALUES = Path(__file__).parent / "fixtures" / "release-values.yaml"
CHART = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "kestra"}
META = {
    "labels": {**CHART, "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "kestra-1.0.70"}
}


def _release(plane: ControlPlane, values: dict[str, Any]) -> None:
    """The objects that the chart makes, a database's among them."""
    pod = {
        "metadata": {"labels": {**CHART, "app.kubernetes.io/component": "standalone"}},
        "spec": {"containers": [{"name": "kestra", "image": "kestra/kestra:v1.3.31"}]},
    }
    workload = {
        "replicas": 1,
        "selector": {"matchLabels": pod["metadata"]["labels"]},
        "template": pod,
    }
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "8Gi"}},
    }
    core, apps = "api/v1", "apis/apps/v1"
    for api, plural, name, fields in (
        (core, "serviceaccounts", "kestra", {}),
        (core, "configmaps", "kestra-config", {"data": {"application.yml": yaml.safe_dump(values)}}),
        (core, "services", "kestra", {"spec": {"selector": CHART, "ports": [{"port": 8080}]}}),
        (core, "secrets", "kestra-pg", {"stringData": {"password": "Planted-Database-1"}}),
        (core, "persistentvolumeclaims", "data-kestra-postgresql-0", {"spec": claim}),
        (apps, "deployments", "kestra-standalone", {"spec": workload}),
        (apps, "statefulsets", "kestra-postgresql", {"spec": workload | {"serviceName": "kestra-postgresql"}}),
    ):  # fmt: skip
        body = {"metadata": META | {"name": name}, **fields}
        _ask(plane, "POST", f"{api}/namespaces/{NAMESPACE}/{plural}", body)


def _ask(plane: ControlPlane, method: str, path: str, body: Any = None) -> Any:
    kind = "merge-patch+json" if method == "PATCH" else "json"
    answer = plane.session().request(
        method,
        f"{plane.url}/{path}",
        json=body,
        headers={"Content-Type": f"application/{kind}"},
        timeout=30,
    )
    assert answer.ok, answer.text
    return answer.json()


def _document(file: Path, passphrase: str) -> dict[str, Any]:
    """The settings of a stack file as the engine hands them on: decrypted."""
    stack = yaml.safe_load(file.read_text())
    key = key_of(passphrase, stack["encryptionsalt"].split(":")[1])

    def opened(node: Any) -> Any:
        if isinstance(node, dict):
            if set(node) == {"secure"}:
                return SecretStr(decrypted(key, node["secure"]).decode())
            return {name: opened(item) for name, item in node.items()}
        return [opened(item) for item in node] if isinstance(node, list) else node

    return {name.removeprefix("kestra:"): opened(item) for name, item in stack["config"].items()}


def test_a_release_becomes_a_stack_and_keeps_its_data_and_its_key(
    tmp_path: Path,
    control_plane: ControlPlane,
    tools: dict[str, Path],
    passphrase: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = yaml.safe_load(VALUES.read_text())["configurations"]["application"]
    key = values["kestra"]["encryption"]["secret-key"]
    _ask(control_plane, "POST", "api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    _release(control_plane, values)
    file = tmp_path / "Pulumi.release.yaml"
    assert main(["import", str(VALUES), "--namespace", NAMESPACE, "--output", str(file)]) == 0
    report = capsys.readouterr().out
    for line in (
        "Deployment kestra-standalone is replaced",
        "ServiceAccount kestra is adopted",
        "ConfigMap kestra-config stays",
    ):
        assert line in report
    assert base64.b64decode(key).decode() not in report + file.read_text()

    document = _document(file, passphrase)
    # As the plan says: the namespace stays its owner's.
    document["deployment"]["create-namespace"] = False
    environment = {"KUBECONFIG": str(control_plane.kubeconfig)}
    stack = FaultStack(tmp_path, tools["pulumi"], ["kubernetes"], environment)
    run = program(document, whole=True)
    assert set(stack.preview(run)) == {"create"}
    # As the plan says: Helm's labels go, and the Deployment.
    labels = dict.fromkeys(("app.kubernetes.io/managed-by", "app.kubernetes.io/instance"))
    account = f"api/v1/namespaces/{NAMESPACE}/serviceaccounts/kestra"
    merge = {"metadata": {"labels": labels}}
    _ask(control_plane, "PATCH", account, merge)
    _ask(
        control_plane,
        "DELETE",
        f"apis/apps/v1/namespaces/{NAMESPACE}/deployments/kestra-standalone",
    )
    followed = stack.up_by_the_ways_out(run)
    assert any(f" {NAMESPACE}/kestra " in command for command in followed), followed
    assert stack.up(run)[0] == {}

    assert stack.resource("guard")["inputs"]["encryptionKey"] == fingerprint(key)
    for path in (
        "api/v1/namespaces/{}/secrets/kestra-pg",
        "api/v1/namespaces/{}/persistentvolumeclaims/data-kestra-postgresql-0",
        "apis/apps/v1/namespaces/{}/statefulsets/kestra-postgresql",
    ):
        _ask(control_plane, "GET", path.format(NAMESPACE))
    for text in ("Planted-Database-1", "Planted-Password-1", key):
        assert text not in stack.told
