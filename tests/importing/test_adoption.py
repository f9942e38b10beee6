"""The plan for a stack in the namespace of a running Helm release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.importing.adoption import KubernetesObject as Object
from components.importing.adoption import inventory_of, plan, release_objects
from components.settings.task_places import task_places
from components.validation import load
from tests.components.inventory_support import documents
from tests.components.pods_support import distributed_document
from tests.components.recording_support import run
from tests.conftest import stack_document
from tests.importing.installation_support import imported, installation
from tests.importing.kubernetes_support import DATABASE, legacy
from tests.importing.kubernetes_support import imported as read_values
from tests.tiers import long

LOCAL = {
    "namespace": "flows",
    "create-namespace": False,
    "storage-volume": {"size": "5Gi"},
    "ingress": {"host": "k.example.com", "tls-secret": "k"},
    "monitoring": {"kind": "pod-monitor"},
}
GROUPS = {
    "http-route": {"gateway": {"name": "edge"}, "host": "k.example.com"},
    "monitoring": {},
    "autoscaling": {"min-replicas": 2, "max-replicas": 4},
    "worker-groups": {
        "gpu": {"service-account": {"name": "gpu-runner"}},
        "big": {"disruption-budget": {"min-available": "1"}},
    },
}
#: One stack of each form; every other stack file is a row of the long tier.
STACKS: dict[str, dict[str, Any]] = {
    "enterprise-2.0": {},
    "one pod with everything around it": LOCAL,
    "worker groups": GROUPS,
}


def _document(name: str) -> dict[str, Any]:
    if name == "worker groups":
        return distributed_document(GROUPS)
    if name in documents():
        return documents()[name]
    local = stack_document("local")
    storage = {"storage": {"type": "local"}, "deployment": LOCAL}
    return {k: v for k, v in local.items() if k != "deployment"} | storage


@pytest.mark.parametrize("name", STACKS)
def test_the_inventory_has_every_object_whose_name_the_program_chooses(name: str) -> None:
    _compare_inventory(_document(name))


@long("stacks")
def test_the_inventory_of_every_stack_file() -> None:
    for document in documents().values():
        _compare_inventory(document)


def _compare_inventory(document: dict[str, Any]) -> None:
    settings = load(document, source="test").settings
    # What is in the namespaces of task pods no chart has.
    tasks = {place.namespace for place in task_places(settings)}
    recorded = {
        (type_.rpartition(":")[2], str(metadata["name"]))
        for type_, inputs in run(document).resources.values()
        if type_.startswith("kubernetes:")
        and (metadata := inputs.get("metadata") or {}).get("name")
        and tasks.isdisjoint({metadata.get("namespace"), metadata["name"]})
    }
    # A policy is no object of the chart's, and a binding is one of the whole cluster.
    expected = {o for o in recorded if o[0] not in ("NetworkPolicy", "ClusterRoleBinding")}
    inventory = inventory_of(settings)
    assert {(item.kind, item.name) for item in inventory} == expected


def test_what_holds_data_stays_and_what_the_stack_runs_itself_is_replaced() -> None:
    document = stack_document("local") | {"deployment": {"namespace": "flows"}}
    settings = load(document, source="test").settings
    release = [
        *release_objects(settings),
        Object("Namespace", "flows"),
        Object("StatefulSet", "kestra-postgresql"),
        Object("PersistentVolumeClaim", "data-kestra-postgresql-0"),
        Object("Secret", "kestra-pg"),
        Object("HorizontalPodAutoscaler", "kestra-worker"),
    ]
    steps = plan(release, inventory_of(settings), namespace="flows", stack="prod")
    fates = {f"{step.object.kind} {step.object.name}": step.fate for step in steps}
    assert fates == {
        "ConfigMap kestra-config": "stays",
        "Deployment kestra-standalone": "replaced",
        "HorizontalPodAutoscaler kestra-worker": "replaced",
        "Namespace flows": "adopted",
        "PersistentVolumeClaim data-kestra-postgresql-0": "stays",
        "Secret kestra-pg": "stays",
        "Service kestra": "stays",
        "ServiceAccount kestra": "adopted",
        "StatefulSet kestra-postgresql": "stays",
    }
    ingress = [Object("Ingress", "kestra")]
    assert plan(ingress, ingress, namespace="flows")[0].fate == "replaced"
    lines = "\n".join(step.line() for step in steps)
    assert (
        "pulumi import kubernetes:core/v1:ServiceAccount kestra-service-account flows/kestra"
        in lines
    )
    assert "kubectl -n flows delete deployment kestra-standalone" in lines
    assert "delete persistentvolumeclaim" not in lines
    assert "delete secret" not in lines


@pytest.mark.parametrize(
    ("values", "account"),
    [
        ("", "flows-kestra"),
        ("serviceAccount: {create: true}", "flows-kestra"),
        ("serviceAccount: {name: runner}", "runner"),
        ("fullnameOverride: own", "own"),
        ("serviceAccount: {create: false, name: runner}", None),
        ("serviceAccount: {create: false}", None),
    ],
)
def test_the_plan_has_the_account_of_the_release(values: str, account: str | None) -> None:
    release = f"""
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: flows}}
spec:
  chart: {{spec: {{chart: kestra, version: 1.0.42}}}}
  values: {{configurations: {{application: {{{DATABASE}}}}}, {values}}}
"""
    source = read_values(release).installation
    assert source.release_account == account
    settings = load(stack_document("local"), source="test").settings
    release_plan = release_objects(settings, source.release, source.release_account)
    names = [item.name for item in release_plan if item.kind == "ServiceAccount"]
    assert names == ([account] if account else [])


def test_a_chart_of_the_first_generation_makes_no_account() -> None:
    assert read_values(legacy("serviceAccountName: runner")).installation.release_account is None


def test_the_plan_names_the_objects_of_the_release_that_was_read(tmp_path: Path) -> None:
    source = installation(settings={"deployment": {"mode": "standalone"}})
    source.sources.append(("values.yaml", "values of the Helm chart 1.x"))
    source.release = "flows-kestra"
    text = imported(tmp_path, source).report.text()
    assert "whose objects begin with flows-kestra:" in text
    assert "Deployment flows-kestra-standalone is replaced" in text
