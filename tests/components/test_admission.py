"""Every object of every inventoried stack, judged by a real API server: schema, validation, Pod Security."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.services import ControlPlane
from tests.components import every_pod_setting_support
from tests.components.inventory_support import SECRET_MARK, documents
from tests.components.recording_support import run
from tests.conftest import stack_document

PLURALS = {
    "ClusterRoleBinding": "clusterrolebindings",
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "Ingress": "ingresses",
    "LimitRange": "limitranges",
    "NetworkPolicy": "networkpolicies",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "ResourceQuota": "resourcequotas",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
}


def _stacks() -> dict[str, dict[str, Any]]:
    plain = stack_document("local") | {
        "deployment": {
            "storage-volume": {"size": "10Gi", "class-name": "fast"},
            "image": {"pull-secrets": ["registry"]},
            "components": {"standalone": {"worker-threads": 4, "java-options": "-Xmx1g"}},
        }
    }
    plain.pop("endpoints")
    return documents() | {
        "local, plain probes and a volume": plain,
        "local, task runner": stack_document("local") | {"deployment": {"task-runner": {}}},
        "local, every setting of pods": every_pod_setting_support.standalone(),
        "worker groups, every setting of pods": every_pod_setting_support.with_worker_group(),
        "worker groups of 2.0, every setting of pods": every_pod_setting_support.with_worker_group(
            "2.0"
        ),
    }


def _plain(value: Any) -> Any:
    """What Pulumi sends: secrets in clear, whole numbers as such."""
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return _plain(value["value"])
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _post(plane: ControlPlane, path: str, body: dict[str, Any]) -> requests.Response:
    return plane.session().post(
        f"{plane.url}/{path}?dryRun=All&fieldValidation=Strict", json=body, timeout=30
    )


def _accepted(answer: requests.Response) -> None:
    assert answer.status_code == 201, answer.json().get("message")
    assert "Warning" not in answer.headers, answer.headers["Warning"]


@pytest.mark.engine
@pytest.mark.parametrize("stack", _stacks())
def test_the_api_server_takes_every_object_as_it_is(
    control_plane: ControlPlane, stack: str, request: pytest.FixtureRequest
) -> None:
    namespace = f"admission-{request.node.callspec.indices['stack']}"
    objects = [
        _plain(inputs)
        # A Deployment and a network policy may have one name.
        for registration, inputs in run(_stacks()[stack]).registered.values()
        if registration.type.startswith("kubernetes:") and not registration.type.endswith("Patch")
    ]
    made, *others = [o for o in objects if o["kind"] == "Namespace"]
    for other in others:
        _accepted(_post(control_plane, "api/v1/namespaces", other))
    made["metadata"]["name"] = namespace
    # The rest is a dry run, but a dry run needs its namespace.
    url = f"{control_plane.url}/api/v1/namespaces?fieldValidation=Strict"
    assert control_plane.session().post(url, json=made, timeout=30).status_code == 201

    for item in objects:
        if item["kind"] == "Namespace":
            continue
        item["metadata"].setdefault("generateName", "kestra-")
        group = item["apiVersion"]
        root = f"api/{group}" if group == "v1" else f"apis/{group}"
        if item["kind"] != "ClusterRoleBinding":
            item["metadata"]["namespace"] = namespace
            root += f"/namespaces/{namespace}"
        _accepted(_post(control_plane, f"{root}/{PLURALS[item['kind']]}", item))
        if item["kind"] == "Deployment":
            template = item["spec"]["template"]
            pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
            # Admission of pods asks for the account, which exists in the dry run only.
            # Priority and runtime classes are objects of the cluster.
            pod["spec"] = {**template["spec"], "serviceAccountName": "default"}
            for name in ("priorityClassName", "runtimeClassName"):
                pod["spec"].pop(name, None)
            pod["metadata"] = {**template["metadata"], "name": "from-template"}
            _accepted(_post(control_plane, f"api/v1/namespaces/{namespace}/pods", pod))
