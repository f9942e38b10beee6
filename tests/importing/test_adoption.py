"""The plan for a stack in the namespace of a running Helm release."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.importing.adoption import KubernetesObject as Object
from components.importing.adoption import inventory_of, plan, release_objects
from components.validation import load
from tests.components.inventory_support import documents
from tests.components.recording_support import run
from tests.conftest import stack_document
from tests.importing.installation_support import imported, installation


@pytest.mark.parametrize("name", ["enterprise-2.0"])
def test_the_inventory_has_every_object_whose_name_the_program_chooses(name: str) -> None:
    document = documents()[name]
    recorded = {
        (type_.rpartition(":")[2], str(inputs["metadata"]["name"]))
        for type_, inputs in run(document).resources.values()
        if type_.startswith("kubernetes:") and (inputs.get("metadata") or {}).get("name")
    }
    # A policy is no object of the chart's, and a binding is one of the whole cluster.
    expected = {o for o in recorded if o[0] not in ("NetworkPolicy", "ClusterRoleBinding")}
    inventory = inventory_of(load(document, source="test").settings)
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


def test_the_plan_names_the_objects_of_the_release_that_was_read(tmp_path: Path) -> None:
    source = installation(settings={"deployment": {"mode": "standalone"}})
    source.sources.append(("values.yaml", "values of the Helm chart 1.x"))
    source.release = "flows-kestra"
    text = imported(tmp_path, source).report.text()
    assert "whose objects begin with flows-kestra:" in text
    assert "Deployment flows-kestra-standalone is replaced" in text
