"""Routes, monitors, autoscalers and budgets against the definitions of their projects, and a real API server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from pulumi import automation

from components.kubernetes.cluster_apis import not_served
from components.kubernetes.deployment import Kestra, KestraArgs
from components.kubernetes.scaling import still_autoscaled
from components.rendering.configuration import render
from components.rendering.web_server import WebServer
from components.validation import load
from sandbox.custom_resources import (
    CERT_MANAGER,
    GATEWAY_API,
    PROMETHEUS_OPERATOR,
    fetch,
    install,
)
from sandbox.doctor.callers import missing_apis
from sandbox.progress import Progress
from tests.components.pods_support import distributed_document
from tests.components.recording_support import run
from tests.plugins.kubernetes_stack_support import KubernetesStack

pytestmark = pytest.mark.engine

ROUTE = {
    "host": "k.example.com",
    "gateway": {"name": "public", "namespace": "gateways", "section-name": "https"},
    "annotations": {"example.com/a": "b"},
}
EDGE: dict[str, Any] = {
    "ingress": {"host": "k.example.com", "class-name": "nginx", "cluster-issuer": "letsencrypt"},
    "http-route": ROUTE,
    "monitoring": {"interval": "30s", "scrape-timeout": "10s", "labels": {"release": "prometheus"}},
}
BASE: dict[str, Any] = {
    "version": "1.3",
    "server": {"basic-auth": {"username": "admin@example.com"}},
    "endpoints": {"all": {"basic-auth": {"username": "monitoring", "password": "Engine-Pass-1"}}},
    "datasources": {"postgres": {"url": "jdbc:postgresql://db:5432/kestra", "username": "kestra"}},
    "queue": {"type": "postgres"},
    "repository": {"type": "postgres"},
    "storage": {"type": "s3", "s3": {"bucket": "kestra"}},
}
SCALED = {
    "webserver": {"autoscaling": {"min-replicas": 2, "max-replicas": 5, "cpu-percentage": 70}}
}


def _strict(schema: Any) -> Any:
    """A schema under which fields that it does not name are wrong."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        strict.pop("anyOf", None)
        strict["type"] = ["integer", "string"]
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if schema.get("type") == "object" and "properties" in schema and not is_open:
        strict["additionalProperties"] = False
    return strict


def _validators(definitions: list[dict[str, Any]]) -> dict[str, Any]:
    """API version and kind to what judges its `spec`."""
    import jsonschema  # Two seconds, for its grammars of formats.

    return {
        f"{d['spec']['group']}/{v['name']}:{d['spec']['names']['kind']}": jsonschema.Draft202012Validator(
            _strict(v["schema"]["openAPIV3Schema"]["properties"]["spec"])
        )
        for d in definitions
        for v in d["spec"]["versions"]
    }


STACKS: dict[str, dict[str, Any]] = {
    "all of it": {"deployment": EDGE},
    "least": {
        "deployment": {
            "http-route": {"host": "k.example.com", "gateway": {"name": "public"}},
            "monitoring": {"kind": "pod-monitor"},
        }
    },
    "context path and TLS": {
        "micronaut": {"server": {"context-path": "/k", "ssl": {"enabled": True}}},
        "deployment": EDGE
        | {"monitoring": {"kind": "pod-monitor", "log-in-secret": {"name": "s"}}},
    },
    "no log-in": {
        "endpoints": {"prometheus": {"sensitive": False}},
        "deployment": {"monitoring": {"labels": {"release": "p"}}},
    },
    "certificates": distributed_document({"grpc-tls": {}}, version="2.0"),
    "certificates of an issuer": distributed_document(
        {"grpc-tls": {"cluster-issuer": "company", "duration": "1h", "renew-before": "20m"}},
        version="2.0",
    ),
}


@pytest.fixture(scope="module")
def definitions(progress: Progress) -> list[dict[str, Any]]:
    projects = (GATEWAY_API, PROMETHEUS_OPERATOR, CERT_MANAGER)
    return [d for one in projects for d in fetch(one, progress)]


@pytest.mark.parametrize("name", list(STACKS))
def test_what_is_registered_is_as_the_definitions_say(
    definitions: list[dict[str, Any]], name: str
) -> None:
    validators = _validators(definitions)
    resources = run(BASE | STACKS[name]).resources.values()
    judged = [
        (validators[type_.removeprefix("kubernetes:")], inputs["spec"])
        for type_, inputs in resources
        if type_.removeprefix("kubernetes:") in validators
    ]
    assert judged
    for validator, spec in judged:
        assert [e.message for e in validator.iter_errors(spec)] == []


def test_the_judges_know_what_is_wrong(definitions: list[dict[str, Any]]) -> None:
    route = _validators(definitions)["gateway.networking.k8s.io/v1:HTTPRoute"]
    assert list(route.iter_errors({"parentRefs": [{"nam": "public"}]}))
    monitor = _validators(definitions)["monitoring.coreos.com/v1:ServiceMonitor"]
    assert list(monitor.iter_errors({"endpoints": [], "selector": {}, "jobLabels": "x"}))


@pytest.mark.parametrize("kind", ["ClusterIssuer", "Issuer"])
def test_cert_manager_has_the_kinds_that_the_annotations_name(
    progress: Progress, kind: str
) -> None:
    assert kind in {d["spec"]["names"]["kind"] for d in fetch(CERT_MANAGER, progress)}


def test_definitions_of_another_content_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Progress
) -> None:
    monkeypatch.setenv("KESTRA_SANDBOX_CACHE", str(tmp_path))
    other = replace(GATEWAY_API, source=replace(GATEWAY_API.source, sum="h1:another="))
    with pytest.raises(Exception, match="is not the one that is pinned"):
        fetch(other, progress)
    assert not list(tmp_path.rglob("*.yaml"))


def _kestra(namespace: str, **deployment: Any) -> Callable[[], None]:
    """A program with the component alone, which needs no other provider."""
    document = BASE | {
        "deployment": {
            "namespace": namespace,
            "create-namespace": False,
            "mode": "distributed",
            **deployment,
        }
    }

    def program() -> None:
        settings = load(document, source="test").settings
        configuration = render(settings)
        Kestra(
            "kestra",
            KestraArgs(
                settings,
                configuration.yaml(),
                dict.fromkeys(configuration.environment, "Engine-Value-1"),
                management_password="Engine-Pass-1",
                server=WebServer.of(configuration.document, settings),
            ),
        )

    return program


def test_a_cluster_without_the_definitions_says_what_is_missing(
    stack: KubernetesStack, control_plane: Any
) -> None:
    kinds = [("gateway.networking.k8s.io/v1", "HTTPRoute"), ("apps/v1", "Deployment")]
    assert missing_apis(kinds, control_plane.kubeconfig) == [
        "HTTPRoute of gateway.networking.k8s.io/v1"
    ]
    program = _kestra(stack.namespace, **{"http-route": ROUTE})
    previewed = stack.use(program).preview()
    assert "a preview does not ask whether the cluster serves" in previewed.stdout
    with pytest.raises(automation.CommandError) as error:
        stack.up(program)
    assert 'no matches for kind "HTTPRoute"' in str(error.value)
    advice = not_served("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", str(error.value))
    assert "install the custom resource definitions of the Gateway API" in advice


def test_a_real_api_server_takes_all_of_it_and_an_autoscaler_keeps_its_number(
    stack: KubernetesStack, control_plane: Any, definitions: list[dict[str, Any]]
) -> None:
    install(control_plane, definitions)
    assert (
        missing_apis([("monitoring.coreos.com/v1", "ServiceMonitor")], control_plane.kubeconfig)
        == []
    )
    before = _kestra(stack.namespace, **EDGE, components={"webserver": {"replicas": 3}})
    assert set(stack.up(before)) == {"create"}
    scaled = _kestra(stack.namespace, **EDGE, components=SCALED)
    stack.up(scaled)
    # Whoever had three pods has three until the autoscaler has counted.
    assert _replicas(stack) == 3
    scale: Any = {"spec": {"replicas": 4}}
    stack.apps.patch_namespaced_deployment_scale(
        "kestra-webserver", stack.namespace, scale, field_manager="kube-controller-manager"
    )
    assert stack.up(scaled).keys() == {"same"}
    changed = {"webserver": SCALED["webserver"] | {"heap-percentage": 60}}
    assert stack.up(_kestra(stack.namespace, **EDGE, components=changed))["update"] == 1
    assert _replicas(stack) == 4
    custom: Any = client.CustomObjectsApi()
    for group, plural in (
        ("gateway.networking.k8s.io", "httproutes"),
        ("monitoring.coreos.com", "servicemonitors"),
    ):
        assert (
            len(custom.list_namespaced_custom_object(group, "v1", stack.namespace, plural)["items"])
            == 1
        )
    autoscaling: Any = client.AutoscalingV2Api()
    (scaler,) = autoscaling.list_namespaced_horizontal_pod_autoscaler(stack.namespace).items
    assert (scaler.spec.min_replicas, scaler.spec.max_replicas) == (2, 5)
    policy: Any = client.PolicyV1Api()
    names = [
        b.metadata.name for b in policy.list_namespaced_pod_disruption_budget(stack.namespace).items
    ]
    assert names == ["kestra-webserver"]
    assert "Engine-Pass-1" not in stack.state_text()
    # The way back: for the API server the autoscaler still owns the number.
    with pytest.raises(automation.CommandError) as error:
        stack.up(before)
    assert "run this one update with PULUMI_K8S_ENABLE_PATCH_FORCE=true" in still_autoscaled(
        str(error.value)
    )
    workspace: Any = stack.use(before).workspace
    workspace.env_vars["PULUMI_K8S_ENABLE_PATCH_FORCE"] = "true"
    stack.up(before)
    assert _replicas(stack) == 3


def _replicas(stack: KubernetesStack) -> int:
    return stack.apps.read_namespaced_deployment("kestra-webserver", stack.namespace).spec.replicas
