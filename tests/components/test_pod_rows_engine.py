"""The rows of the settings of pods, judged by a real API server: it takes what is valid and refuses what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import yaml

from components.validation import stack_file
from sandbox.services import ControlPlane
from tests.components.pods_support import settings, templates
from tests.settings.pod_rows_fixtures import REFUSED, VALID

#: Setting to its place in a pod.
PLACES = {
    "init-containers": ("spec", "initContainers"),
    "node-selector": ("spec", "nodeSelector"),
    "tolerations": ("spec", "tolerations"),
    "affinity": ("spec", "affinity"),
    "topology-spread-constraints": ("spec", "topologySpreadConstraints"),
    "extra-volumes": ("spec", "volumes"),
    "host-aliases": ("spec", "hostAliases"),
    "dns-config": ("spec", "dnsConfig"),
    "labels": ("metadata", "labels"),
    "annotations": ("metadata", "annotations"),
}
#: What only this project refuses: names and paths that are its own, what it says of Kestra, spellings.
OURS = (
    "env of", "env elsewhere", "env over", "env name", "env spelled", "env unknown in kebab", "encrypted", "claim",
    "no claim", "groups", "component", "label of", "annotation of the program", "volume of the program",
    "mount of the configuration", "mount path", "mount on", "mount in", "container name", "container of two kinds",
    "env twice", "container env", "env-from prefix", "priority-class", "runtime-class", "volume mode",
)  # fmt: skip


def _post(plane: ControlPlane, pod: dict[str, Any], namespace: str) -> requests.Response:
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod"} | pod
    body["metadata"] = {**body.get("metadata", {}), "name": "row"}
    url = f"{plane.url}/api/v1/namespaces/{namespace}/pods?dryRun=All&fieldValidation=Strict"
    return plane.session().post(url, json=body, timeout=30)


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"metadata": {"generateName": "rows-", "labels": labels}}
    answer = control_plane.session().post(f"{control_plane.url}/api/v1/namespaces", json=body)
    return answer.json()["metadata"]["name"]


def _settings(rows: str) -> dict[str, Any]:
    document = yaml.load(f"a:\n    {rows}\n", Loader=stack_file.BoundedLoader)
    return stack_file.mark_encrypted(document)["a"]


@pytest.mark.engine
def test_the_api_server_takes_every_valid_row(control_plane: ControlPlane, namespace: str) -> None:
    for name, rows in VALID.items():
        (template,) = templates(settings(_settings(rows))).values()
        spec = template["spec"] | {"serviceAccountName": "default"}
        for field in ("priorityClassName", "runtimeClassName"):
            spec.pop(field, None)
        answer = _post(control_plane, template | {"spec": spec}, namespace)
        assert answer.status_code == 201, (name, answer.json().get("message"))


def _pod(rows: str) -> dict[str, Any]:
    """A pod with what a row says, as it is written."""
    (template,) = templates(settings({})).values()
    pod: dict[str, Any] = {
        "metadata": {},
        "spec": template["spec"] | {"serviceAccountName": "default"},
    }
    main = pod["spec"]["containers"][0]
    for key, value in _settings(rows).items():
        if key in PLACES:
            at, field = PLACES[key]
            old = pod[at].get(field)
            pod[at][field] = [*old, *value] if old and isinstance(value, list) else value
        elif key == "extra-env":
            main["env"] = [*main["env"], *value] if isinstance(value, list) else value
        elif key == "extra-env-from":
            main["envFrom"] = [*main["envFrom"], *value]
        elif key == "extra-volume-mounts":
            main["volumeMounts"] = [*main["volumeMounts"], *value]
        elif key == "extra-containers":
            pod["spec"]["containers"] = [main, *value]
    restricted = main["securityContext"]
    for field in ("initContainers", "containers"):
        for container in pod["spec"].get(field, []):
            own = container.pop("security-context", {})
            written = container.get("securityContext", {})
            container["securityContext"] = {**restricted, **written, **own}
    return pod


@pytest.mark.engine
def test_the_api_server_refuses_every_wrong_row(
    control_plane: ControlPlane, namespace: str
) -> None:
    assert _post(control_plane, _pod("extra-env: []"), namespace).status_code == 201
    taken = [
        name
        for name, (rows, *_) in REFUSED.items()
        if not name.startswith(OURS)
        and _post(control_plane, _pod(rows), namespace).status_code == 201
    ]
    assert "\n".join(taken) == ""
