"""The Kubernetes stand-in through the real engine, against a real API server and controllers."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from kubernetes.client.exceptions import ApiException
from pulumi import automation

from components.kubernetes.cluster_reader import Kubectl
from components.kubernetes.rollout import rollout_annotation
from components.safeguards.error_hooks import register_error_hook
from tests.plugins.kubernetes_stack_support import KubernetesStack

pytestmark = pytest.mark.engine

PLANTED = "planted-value-that-no-file-may-hold"
CONTAINER: Any = {
    "name": "main",
    "image": "example.com/none:1",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    },
}
POD: Any = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [CONTAINER],
}


def _config_map(
    stack: KubernetesStack, data: dict[str, Any], **metadata: Any
) -> Callable[[], None]:
    def program() -> None:
        meta: Any = {"namespace": stack.namespace, **metadata}
        made = kubernetes.core.v1.ConfigMap("config", metadata=meta, data=data)
        pulumi.export("name", made.metadata.name)

    return program


def _deployment(
    stack: KubernetesStack,
    pod: dict[str, Any],
    opts: pulumi.ResourceOptions | None = None,
    **spec: Any,
) -> Callable[[], None]:
    def program() -> None:
        metadata: Any = {"namespace": stack.namespace, "name": "web"}
        template: Any = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
        whole: Any = {
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
            **spec,
        }
        kubernetes.apps.v1.Deployment("web", metadata=metadata, spec=whole, opts=opts)

    return program


def test_a_second_up_and_a_refresh_change_nothing(stack: KubernetesStack) -> None:
    def program() -> None:
        meta: Any = {"namespace": stack.namespace, "name": "web"}
        secret = kubernetes.core.v1.Secret(
            "secret",
            metadata={"namespace": stack.namespace},
            string_data={"A": pulumi.Output.secret(PLANTED)},
        )
        pod: Any = {
            **POD,
            "containers": [
                {
                    **CONTAINER,
                    "envFrom": [{"secretRef": {"name": secret.metadata.name}}],
                    "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
                }
            ],
        }
        template: Any = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
        spec: Any = {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
        }
        kubernetes.apps.v1.Deployment("web", metadata=meta, spec=spec)
        service = kubernetes.core.v1.Service(
            "web",
            metadata=meta,
            spec={"selector": {"app": "web"}, "ports": [{"port": 80}]},
        )
        pulumi.export("address", service.spec.cluster_ip)
        pulumi.export("data", secret.data)

    preview = stack.use(program).preview()
    assert preview.change_summary == {"create": 4}
    assert stack.up(program) == {"create": 4}
    live = stack.apps.read_namespaced_deployment("web", stack.namespace)
    assert live.status.available_replicas == 2
    assert stack.up(program) == {"same": 4}
    assert stack.refresh() == {"same": 4}
    outputs = stack.use(program).outputs()
    assert outputs["address"].value
    assert outputs["data"].secret
    assert outputs["data"].value == {"A": base64.b64encode(PLANTED.encode()).decode()}
    text = stack.state_text()
    assert PLANTED not in text
    assert base64.b64encode(PLANTED.encode()).decode() not in text


def test_changed_data_of_an_auto_named_config_map_makes_a_new_one_first(
    stack: KubernetesStack,
) -> None:
    stack.up(_config_map(stack, {"a": "1"}))
    first = stack.use(_config_map(stack, {"a": "1"})).outputs()["name"].value
    assert first.startswith("config-")
    program = _config_map(stack, {"a": "2"})
    assert stack.up(program) == {"same": 1, "replace": 1}
    second = stack.use(program).outputs()["name"].value
    assert second != first
    assert stack.core.read_namespaced_config_map(second, stack.namespace).data == {"a": "2"}
    with pytest.raises(ApiException):
        stack.core.read_namespaced_config_map(first, stack.namespace)


def test_changed_data_of_a_config_map_with_a_fixed_name_replaces_it_under_the_name(
    stack: KubernetesStack,
) -> None:
    stack.up(_config_map(stack, {"a": "1"}, name="fixed"))
    before = stack.core.read_namespaced_config_map("fixed", stack.namespace)
    assert stack.up(_config_map(stack, {"a": "2"}, name="fixed")) == {
        "same": 1,
        "replace": 1,
    }
    after = stack.core.read_namespaced_config_map("fixed", stack.namespace)
    assert after.data == {"a": "2"}
    assert after.metadata.uid != before.metadata.uid


def test_changed_labels_are_updated_in_place_and_drift_is_found_and_repaired(
    stack: KubernetesStack,
) -> None:
    stack.up(_config_map(stack, {"a": "1"}, name="fixed", labels={"l": "1"}))
    program = _config_map(stack, {"a": "1"}, name="fixed", labels={"l": "2"})
    assert stack.up(program) == {"same": 1, "update": 1}
    patch = {"metadata": {"labels": {"l": "drifted", "other": "theirs"}}}
    stack.core.patch_namespaced_config_map("fixed", stack.namespace, patch)
    assert stack.refresh() == {"same": 1, "update": 1}
    with pytest.raises(automation.CommandError) as caught:
        stack.up(program)
    assert "Server-Side Apply field conflict detected" in str(caught.value)
    assert ".metadata.labels.l" in str(caught.value)
    forced = _config_map(
        stack,
        {"a": "1"},
        name="fixed",
        labels={"l": "2"},
        annotations={"pulumi.com/patchForce": "true"},
    )
    stack.up(forced)
    labels = stack.core.read_namespaced_config_map("fixed", stack.namespace).metadata.labels
    assert labels == {"l": "2", "other": "theirs"}


def test_an_object_that_was_deleted_behind_the_stack_is_made_again(
    stack: KubernetesStack,
) -> None:
    program = _config_map(stack, {"a": "1"}, name="fixed")
    stack.up(program)
    stack.core.delete_namespaced_config_map("fixed", stack.namespace)
    assert stack.refresh() == {"same": 1, "delete": 1}
    assert stack.up(program) == {"same": 1, "create": 1}


def test_creating_an_object_that_exists_is_refused_in_the_server_s_words(
    stack: KubernetesStack,
) -> None:
    def program() -> None:
        kubernetes.core.v1.Namespace("space", metadata={"name": "default"})

    with pytest.raises(automation.CommandError) as caught:
        stack.up(program)
    assert "was not successfully created by the Kubernetes API server" in str(caught.value)
    assert 'namespaces "default" already exists' in str(caught.value)


def test_the_server_refuses_bad_input_already_at_preview(
    stack: KubernetesStack,
) -> None:
    def program() -> None:
        kubernetes.core.v1.ConfigMap("config", metadata={"name": "Not_A_Name"})

    with pytest.raises(automation.CommandError) as caught:
        stack.use(program).preview()
    assert 'ConfigMap "Not_A_Name" is invalid' in str(caught.value)


def test_a_deployment_whose_pods_are_refused_is_kept_in_the_state_and_can_be_repaired(
    stack: KubernetesStack,
) -> None:
    violating = {"containers": [{"name": "main", "image": "example.com/none:1"}]}
    short = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="8s", update="60s"))
    with pytest.raises(automation.CommandError) as caught:
        stack.up(_deployment(stack, violating, short))
    text = str(caught.value)
    assert "'web' timed out waiting to be Ready" in text
    assert 'violates PodSecurity "restricted:latest"' in text
    assert stack.up(_deployment(stack, POD, short)) == {"same": 1, "update": 1}
    live = stack.apps.read_namespaced_deployment("web", stack.namespace)
    assert live.status.available_replicas == 1


def test_a_deployment_that_says_what_to_wait_for_is_updated_when_its_new_pods_are_ready(
    stack: KubernetesStack,
) -> None:
    def program(pod: dict[str, Any], seconds: str = "60s") -> Callable[[], None]:
        def deploy() -> None:
            register_error_hook(Kubectl(kubeconfig=str(stack.kubeconfig)))
            kubernetes.apps.v1.Deployment(
                "web",
                metadata={"namespace": stack.namespace, "annotations": rollout_annotation(1)},
                spec={  # pyright: ignore[reportArgumentType]
                    "replicas": 1,
                    "selector": {"matchLabels": {"app": "web"}},
                    "strategy": {"type": "Recreate"},
                    "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
                },
                opts=pulumi.ResourceOptions(
                    custom_timeouts=pulumi.CustomTimeouts(create=seconds, update=seconds)
                ),
            )

        return deploy

    stack.up(program(POD))
    changed = {**POD, "terminationGracePeriodSeconds": 3}
    assert stack.up(program(changed)) == {"same": 1, "update": 1}
    (live,) = stack.apps.list_namespaced_deployment(stack.namespace).items
    (pod,) = stack.core.list_namespaced_pod(stack.namespace).items
    assert pod.spec.termination_grace_period_seconds == 3
    assert (live.status.replicas, live.status.updated_replicas) == (1, 1)
    refused = {"containers": [{"name": "main", "image": "example.com/none:1"}]}
    with pytest.raises(automation.CommandError) as caught:
        stack.up(program(refused, "5s"))
    text = str(caught.value)
    assert "timed out waiting for the condition" in text
    assert f"kubectl --namespace {stack.namespace} describe pods --selector app=web" in text


def test_a_changed_selector_replaces_a_deployment(stack: KubernetesStack) -> None:
    stack.up(_deployment(stack, POD))
    selector = {"matchLabels": {"app": "web", "tier": "front"}}
    labels = {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": POD}
    program = _deployment(stack, POD, selector=selector, template=labels)
    assert stack.up(program) == {"same": 1, "replace": 1}


def test_a_value_that_is_not_known_at_preview_reaches_the_object_at_up(
    stack: KubernetesStack,
) -> None:
    def program() -> None:
        meta: Any = {"namespace": stack.namespace}
        named: Any = {**meta, "name": "second"}
        first = kubernetes.core.v1.Secret("first", metadata=meta, string_data={"A": "x"})
        kubernetes.core.v1.Secret(
            "second",
            metadata=named,
            string_data={"first": first.id.apply(lambda identity: f"id-{identity}")},
        )

    assert stack.use(program).preview().change_summary == {"create": 3}
    assert stack.up(program) == {"create": 3}
    data = stack.core.read_namespaced_secret("second", stack.namespace).data
    assert base64.b64decode(data["first"]).startswith(f"id-{stack.namespace}/first-".encode())


def test_an_existing_object_can_be_read_and_imported(stack: KubernetesStack) -> None:
    def program() -> None:
        kubernetes.core.v1.ConfigMap(
            "config",
            metadata={"name": "kube-root-ca.crt", "namespace": "default"},
            data=kubernetes.core.v1.ConfigMap.get("seen", "default/kube-root-ca.crt").data,
            opts=pulumi.ResourceOptions(
                import_="default/kube-root-ca.crt",
                retain_on_delete=True,
                ignore_changes=["metadata"],
            ),
        )

    changes = stack.up(program)
    assert changes.get("import") == 1


def test_deleting_ends_when_the_objects_are_gone(stack: KubernetesStack) -> None:
    name = f"t-{uuid.uuid4().hex[:8]}"

    def program() -> None:
        made = kubernetes.core.v1.Namespace("space", metadata={"name": name})
        metadata: Any = {"namespace": made.metadata.name}
        kubernetes.core.v1.ConfigMap("config", metadata=metadata, data={"a": "1"})

    stack.up(program)
    stack.use(program).destroy()
    with pytest.raises(ApiException) as caught:
        stack.core.read_namespace(name)
    assert caught.value.status == 404
