"""`kestra:store.install` by Pulumi's official Kubernetes provider: Helm, the operator's chart and a real API server.

Pods are simulated: what is shown is that the chart takes the values, that the API server takes what it renders, within
Pod Security `restricted`, and that it ends with the stack.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto
from pulumi_kubernetes import core

from components.kubernetes import operator_install
from components.kubernetes.operator_install import OPERATOR_NAMESPACE, install_operator
from sandbox.progress import Progress
from sandbox.services import ControlPlane
from sandbox.tools import OFFICIAL_KUBERNETES, ensure
from tests.plugins.official_kubernetes_support import plugin_folder
from tests.plugins.operator_chart_support import packed_chart, repository
from tests.plugins.workspace_support import workspace

pytestmark = [pytest.mark.engine, pytest.mark.long("plugins")]

KESTRA = "kestra-with-operator"


def _program() -> None:
    namespace = core.v1.Namespace("kestra", metadata={"name": KESTRA})
    labels = {"app.kubernetes.io/part-of": "kestra"}
    install_operator("kestra", namespace.metadata.name, labels, pulumi.ResourceOptions())


class Plane:
    """Looks at the API server."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def items(self, path: str) -> list[dict[str, Any]]:
        """The objects of a kind."""
        with self._plane.session() as session:
            answer = session.get(f"{self._plane.url}{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()["items"]

    def of_operator(self, path: str) -> dict[str, dict[str, Any]]:
        """Those whose name begins with the operator's, by name."""
        every = {item["metadata"]["name"]: item for item in self.items(path)}
        return {name: item for name, item in every.items() if name.startswith("external-secrets")}


def _arguments(deployment: dict[str, Any]) -> list[str]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container["args"]


def test_the_operator_is_installed_for_one_namespace_and_ends_with_the_stack(
    control_plane: ControlPlane,
    tools: dict[str, Path],
    progress: Progress,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tool = ensure([OFFICIAL_KUBERNETES], progress)[OFFICIAL_KUBERNETES]
    plugin = plugin_folder(tool, tmp_path / "plugin")
    plane = Plane(control_plane)
    served = packed_chart(tmp_path / "chart")
    options = workspace(
        tmp_path / "stack",
        tools["pulumi"],
        [plugin.parent, os.environ["PATH"]],
        {
            "KUBECONFIG": str(control_plane.kubeconfig),
            "HELM_CACHE_HOME": str(tmp_path / "helm-cache"),
            "HELM_CONFIG_HOME": str(tmp_path / "helm-config"),
            "HELM_DATA_HOME": str(tmp_path / "helm-data"),
        },
    )
    with repository(served) as address:
        monkeypatch.setattr(operator_install, "_REPOSITORY", address)
        stack = auto.create_or_select_stack("dev", "operator", _program, opts=options)
        stack.up()
        again = stack.up()
        assert set(again.summary.resource_changes or {}) == {"same"}

        apps = f"/apis/apps/v1/namespaces/{OPERATOR_NAMESPACE}/deployments"
        deployments = plane.of_operator(apps)
        assert set(deployments) == {
            "external-secrets",
            "external-secrets-cert-controller",
            "external-secrets-webhook",
        }
        for deployment in deployments.values():
            # Pods that Pod Security refused would be none.
            assert deployment["status"]["readyReplicas"] == 1
        (image,) = {
            container["image"]
            for deployment in deployments.values()
            for container in deployment["spec"]["template"]["spec"]["containers"]
        }
        assert image == f"{operator_install._IMAGE}:v{operator_install.OPERATOR_VERSION}"
        assert f"--namespace={KESTRA}" in _arguments(deployments["external-secrets"])

        # It reads Secrets in that one namespace: no role of the whole cluster lets it.
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        assert "external-secrets-controller" in plane.of_operator(
            f"{rbac}/namespaces/{KESTRA}/roles"
        )
        for name, role in plane.of_operator(f"{rbac}/clusterroles").items():
            resources = {one for rule in role["rules"] or () for one in rule.get("resources", ())}
            assert name == "external-secrets-cert-controller" or "secrets" not in resources
        definitions = {
            item["metadata"]["name"]: [v["name"] for v in item["spec"]["versions"] if v["served"]]
            for item in plane.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        }
        assert "v1" in definitions["externalsecrets.external-secrets.io"]
        assert "v1" in definitions["secretstores.external-secrets.io"]

        stack.destroy()
    namespaces = {item["metadata"]["name"] for item in plane.items("/api/v1/namespaces")}
    assert not namespaces & {KESTRA, OPERATOR_NAMESPACE}
    assert not plane.of_operator(f"{rbac}/clusterroles")
