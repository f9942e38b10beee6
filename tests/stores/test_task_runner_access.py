"""What Kestra's workers and the pods of tasks may do in a real cluster, request by request, and which pods it takes."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from components.kubernetes.task_runner import TASK_LABEL, VERBS
from components.rendering.configuration import render
from components.rendering.plugin_defaults import POD_CREATE
from sandbox.services import ControlPlane
from sandbox.vault_check import service_account_token
from tests.components.pods_support import distributed, distributed_document
from tests.components.recording_support import run

pytestmark = pytest.mark.engine

KESTRA, TASKS, GPU = "runner", "runner-tasks", "runner-tasks-gpu"
DEPLOYMENT: dict[str, Any] = {
    "namespace": KESTRA,
    "task-runner": {
        "quota": {"pods": 3},
        "network-policy": {"egress-cidrs": ["0.0.0.0/0"], "except-cidrs": ["10.96.0.0/12"]},
    },
    "worker-groups": {"gpu": {"task-runner": {}}},
}
PLURALS = {
    "Namespace": "api/v1/namespaces",
    "ServiceAccount": "api/v1/namespaces/{}/serviceaccounts",
    "Role": "apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ResourceQuota": "api/v1/namespaces/{}/resourcequotas",
    "LimitRange": "api/v1/namespaces/{}/limitranges",
    "NetworkPolicy": "apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}
JSON, MERGE = "application/json", "application/merge-patch+json"
IN, HERE = f"api/v1/namespaces/{TASKS}", f"api/v1/namespaces/{KESTRA}"
POD = f"{IN}/pods/target"
RBAC = f"apis/rbac.authorization.k8s.io/v1/namespaces/{TASKS}"

#: Method, path and query, body, and whether a worker may: first what the plugin asks.
REQUESTS: list[tuple[str, str, Any, bool]] = [
    ("GET", f"{IN}/pods?labelSelector={TASK_LABEL}%3Dx", None, True),
    ("POST", f"{IN}/pods?dryRun=All", "pod", True),
    ("GET", POD, None, True),
    ("GET", f"{IN}/pods?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dtarget", None, True),
    ("GET", f"{POD}/log?container=main&timestamps=true", None, True),
    ("GET", f"{POD}/log?container=main&follow=true", None, True),
    ("UPGRADE", f"{POD}/exec?command=true&container=main&stdout=true", None, True),
    ("POST", f"{POD}/exec?command=true&container=main&stdout=true", {}, True),
    ("DELETE", POD, {"dryRun": ["All"]}, True),
    ("PUT", f"{POD}?dryRun=All", "pod", False),
    ("PATCH", f"{POD}?dryRun=All", {"metadata": {"labels": {"a": "b"}}}, False),
    ("DELETE", f"{IN}/pods", {"dryRun": ["All"]}, False),
    ("UPGRADE", f"{POD}/attach?container=main&stdout=true", None, False),
    ("POST", f"{POD}/attach?container=main&stdout=true", {}, False),
    ("UPGRADE", f"{POD}/portforward?ports=80", None, False),
    ("GET", f"{POD}/proxy/", None, False),
    ("PATCH", f"{POD}/ephemeralcontainers?dryRun=All", {}, False),
    ("PATCH", f"{POD}/status?dryRun=All", {}, False),
    ("POST", f"{POD}/binding", {}, False),
    ("POST", f"{POD}/eviction", {}, False),
    ("GET", f"{IN}/secrets", None, False),
    ("POST", f"{IN}/secrets", {}, False),
    ("GET", f"{IN}/configmaps", None, False),
    ("GET", f"{IN}/events", None, False),
    ("GET", f"{IN}/serviceaccounts", None, False),
    ("POST", f"{IN}/serviceaccounts/kestra-tasks/token", {}, False),
    ("POST", f"{IN}/serviceaccounts/default/token", {}, False),
    ("PATCH", f"{IN}/serviceaccounts/kestra-tasks", {}, False),
    ("POST", f"{IN}/services", {}, False),
    ("POST", f"{IN}/persistentvolumeclaims", {}, False),
    ("PATCH", f"{IN}/resourcequotas/kestra-tasks", {}, False),
    ("DELETE", f"{IN}/limitranges/kestra-tasks", {}, False),
    ("POST", f"apis/batch/v1/namespaces/{TASKS}/jobs", {}, False),
    ("POST", f"apis/apps/v1/namespaces/{TASKS}/deployments", {}, False),
    (
        "DELETE",
        f"apis/networking.k8s.io/v1/namespaces/{TASKS}/networkpolicies/kestra-tasks-default-deny",
        {},
        False,
    ),
    ("POST", f"{RBAC}/roles", {}, False),
    ("PATCH", f"{RBAC}/roles/kestra-task-runner", {}, False),
    ("PATCH", f"{RBAC}/rolebindings/kestra-task-runner", {}, False),
    ("PATCH", f"api/v1/namespaces/{TASKS}", {}, False),
    ("GET", f"{HERE}/pods", None, False),
    ("POST", f"{HERE}/pods?dryRun=All", "pod", False),
    ("UPGRADE", f"{HERE}/pods/kestra/exec?command=true", None, False),
    ("GET", f"{HERE}/secrets", None, False),
    ("POST", f"{HERE}/serviceaccounts/kestra/token", {}, False),
    ("POST", f"api/v1/namespaces/{GPU}/pods?dryRun=All", "pod", False),
    ("POST", "api/v1/namespaces/default/pods?dryRun=All", "pod", False),
    ("GET", "api/v1/namespaces/kube-system/secrets", None, False),
    ("GET", "api/v1/pods", None, False),
    ("GET", "api/v1/nodes", None, False),
    ("GET", "api/v1/namespaces", None, False),
    ("POST", "api/v1/namespaces", {}, False),
    ("GET", "apis/rbac.authorization.k8s.io/v1/clusterroles", None, False),
]
#: Verb of the Role to the requests of the plugin that are refused without it. Until Kubernetes 1.35 a command over a
#: WebSocket needs `get` alone, and one over SPDY `create` alone; from 1.35 on the first needs both.
NEEDED = {
    ("pods", "list"): {0},
    ("pods", "create"): {1},
    ("pods", "get"): {2},
    ("pods", "watch"): {3},
    ("pods/log", "get"): {4, 5},
    ("pods/exec", "get"): {6},
    ("pods/exec", "create"): {7},
    ("pods", "delete"): {8},
}


@dataclass(frozen=True)
class Cluster:
    """A real API server with the objects of a stack that has a task runner."""

    plane: ControlPlane

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> requests.Response:
        """The answer to a request, as the administrator or with a service account's token."""
        headers = {"Content-Type": MERGE if method == "PATCH" else JSON}
        if method == "UPGRADE":
            method = "GET"
            headers |= {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Protocol": "v5.channel.k8s.io",
            }
        session = self.plane.session()
        if token:
            session.cert = None
            headers["Authorization"] = f"Bearer {token}"
        return session.request(
            method, f"{self.plane.url}/{path}", json=body, headers=headers, stream=True, timeout=30
        )

    def token(self, namespace: str, account: str) -> str:
        return service_account_token(self.plane, namespace, account, None)

    def asked(self, token: str, position: int) -> bool:
        """Whether the API server lets somebody ask for this; what it answers then is another matter."""
        method, path, body, _ = REQUESTS[position]
        answer = self.call(method, path, task_pod("asked") if body == "pod" else body, token)
        refused = answer.status_code == 403 and "cannot" in answer.json().get("message", "")
        answer.close()
        return not refused

    def make(self, name: str, namespace: str = TASKS, **changed: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a pod."""
        answer = self.call("POST", f"api/v1/namespaces/{namespace}/pods", task_pod(name, **changed))
        return answer.status_code, answer.json()


def task_pod(name: str, **changed: Any) -> dict[str, Any]:
    """A pod as `PodCreate` makes it of a flow that says nothing but a container, by the plugin's defaults."""
    defaults = render(distributed(DEPLOYMENT)).document["kestra"]["plugins"]["defaults"]
    (values,) = (one["values"] for one in defaults if one["type"] == POD_CREATE)
    container = {
        "name": "main",
        "image": "busybox:1.36",
        "command": ["true"],
        **copy.deepcopy(values["containerDefaultSpec"]),
        **changed.pop("container", {}),
    }
    spec = {**copy.deepcopy(values["spec"]), "restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {TASK_LABEL: name}},
        "spec": {key: value for key, value in {**spec, **changed}.items() if value is not None},
    }


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> Cluster:
    """The namespaces, accounts, roles and bounds of the stack; no Kestra, and `target` as a pod of a task."""
    cluster = Cluster(control_plane)
    recorded = run(distributed_document(DEPLOYMENT)).registered.values()
    objects = [i for r, i in recorded if i.get("kind") in PLURALS and not r.type.endswith("Patch")]
    for item in sorted(objects, key=lambda one: one["kind"] != "Namespace"):
        path = PLURALS[item["kind"]].format(item["metadata"].get("namespace"))
        answer = cluster.call("POST", f"{path}?fieldValidation=Strict", _whole(item))
        assert answer.status_code == 201, answer.json()
    for registration, item in recorded:
        if registration.type.endswith("Patch"):
            name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
            answer = control_plane.session().patch(
                f"{control_plane.url}/api/v1/namespaces/{namespace}/serviceaccounts/{name}",
                params={"fieldManager": "test", "force": "true"},
                json=item,
                headers={"Content-Type": "application/apply-patch+yaml"},
                timeout=30,
            )
            assert answer.ok, answer.json()
    deadline = time.monotonic() + 60
    while (made := cluster.make("target"))[0] == 403 and time.monotonic() < deadline:
        time.sleep(0.2)  # The quota is counted first.
    assert made[0] == 201, made
    return cluster


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def worker(cluster: Cluster) -> str:
    return cluster.token(KESTRA, "kestra")


@pytest.mark.parametrize("position", range(len(REQUESTS)))
def test_a_worker_may_what_the_plugin_asks_and_nothing_else(
    cluster: Cluster, worker: str, position: int
) -> None:
    assert cluster.asked(worker, position) is REQUESTS[position][3]


def test_the_pods_of_tasks_and_of_other_groups_may_nothing_there(cluster: Cluster) -> None:
    for namespace, account in (
        (TASKS, "kestra-tasks"), (TASKS, "default"), (KESTRA, "kestra-worker-gpu"),
    ):  # fmt: skip
        token = cluster.token(namespace, account)
        allowed = [REQUESTS[n][:2] for n in range(len(REQUESTS)) if cluster.asked(token, n)]
        own = [("POST", f"api/v1/namespaces/{GPU}/pods?dryRun=All")]
        assert allowed == (own if account == "kestra-worker-gpu" else [])


def test_every_verb_of_the_role_is_needed_by_a_request_of_the_plugin(
    cluster: Cluster, worker: str
) -> None:
    assert {(resource, verb) for resource, verbs in VERBS.items() for verb in verbs} == set(NEEDED)
    path = f"{RBAC}/roles/kestra-task-runner"
    rules = cluster.call("GET", path).json()["rules"]
    plugin = [n for n, request in enumerate(REQUESTS) if request[3]]
    for (resource, verb), refused in NEEDED.items():
        fewer = copy.deepcopy(rules)
        (rule,) = (one for one in fewer if one["resources"] == [resource])
        rule["verbs"].remove(verb)
        assert cluster.call("PATCH", path, {"rules": [r for r in fewer if r["verbs"]]}).ok
        assert _settled(cluster, worker, plugin, refused) == refused, (resource, verb)
    assert cluster.call("PATCH", path, {"rules": rules}).ok
    assert _settled(cluster, worker, plugin, set()) == set()


def _settled(cluster: Cluster, token: str, plugin: list[int], expected: set[int]) -> set[int]:
    """The requests that are refused; the API server takes a moment to know a changed Role."""
    deadline = time.monotonic() + 20
    while (
        refused := {n for n in plugin if not cluster.asked(token, n)}
    ) != expected and time.monotonic() < deadline:
        time.sleep(0.3)
    return refused


def test_a_pod_by_the_plugins_defaults_is_taken_and_has_neither_token_nor_room_without_end(
    cluster: Cluster,
) -> None:
    spec = cluster.call("GET", POD).json()["spec"]
    assert spec["serviceAccountName"] == "kestra-tasks"
    assert spec.get("volumes", []) == []
    assert spec["containers"][0]["resources"] == {
        "limits": {"cpu": "4", "memory": "1Gi"},
        "requests": {"cpu": "100m", "memory": "128Mi"},
    }
    # Nor has one whose flow overrides the account and the mount: the account itself has no token.
    status, pod = cluster.make("plain", serviceAccountName=None, automountServiceAccountToken=None)
    assert status == 201, pod
    assert pod["spec"]["serviceAccountName"] == "default"
    assert pod["spec"].get("volumes", []) == []
    assert cluster.call("DELETE", f"{IN}/pods/plain?gracePeriodSeconds=0", {}).ok


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "root": ({"securityContext": {"runAsUser": 0}}, "violates PodSecurity"),
    "no security context": ({"securityContext": None, "container": {"securityContext": {}}}, "violates PodSecurity"),
    "a capability": (
        {"container": {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}}, "violates PodSecurity",
    ),
    "the node's files": ({"volumes": [{"name": "n", "hostPath": {"path": "/"}}]}, "violates PodSecurity"),
    "the node's network": ({"hostNetwork": True}, "violates PodSecurity"),
    "more than the maximum": (
        {"container": {"resources": {"limits": {"memory": "9Gi"}}}}, "maximum memory usage per Container is 8Gi",
    ),
    "Kestra's own account": ({"serviceAccountName": "kestra"}, 'serviceaccount "kestra" not found'),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_pod_beyond_its_bounds_is_refused(cluster: Cluster, name: str) -> None:
    changed, words = REFUSED[name]
    status, body = cluster.make("refused", **copy.deepcopy(changed))
    assert status == 403
    assert words in body["message"]


def test_the_quota_ends_the_pods(cluster: Cluster) -> None:
    answers = [cluster.make(f"more-{number}") for number in range(3)]
    try:
        assert [status for status, _ in answers] == [201, 201, 403]
        assert "exceeded quota: kestra-tasks" in answers[-1][1]["message"]
        # That of a worker group is its own.
        assert cluster.make("elsewhere", GPU)[0] == 201
    finally:
        for number in range(2):
            cluster.call("DELETE", f"{IN}/pods/more-{number}?gracePeriodSeconds=0", {})
