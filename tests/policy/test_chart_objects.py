"""A release of Kestra's chart is judged as the objects that the chart makes, at the values that make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from policy.chart_objects import chart_objects
from policy.core.model import Resource, Stack
from policy.core.values import UNKNOWN, OutOfView, Undecided
from policy.effective_configuration import configurations
from tests.policy.analyzer_support import R, judge, pack, secret

RELEASE = "kubernetes:helm.sh/v3:Release"
SECURE = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def release(chart: Any = "kestra", namespace: Any = "kestra", **values: Any) -> R:
    return R(RELEASE, {"chart": chart, "namespace": namespace, "values": values}, "flows")


def said(control: str, *stack: R) -> list[str]:
    return judge(pack("production"), control, stack).messages


def objects(**values: Any) -> Mapping[str, Resource]:
    """Kind and name of what a release makes to it."""
    resources = chart_objects(Resource(RELEASE, "flows", {"chart": "kestra", "values": values}))
    return {f"{r.type.rpartition(':')[2]} {r.props['metadata']['name']}": r for r in resources}


def test_the_chart_makes_what_its_values_enable() -> None:
    assert list(objects()) == [
        "Deployment flows-standalone",
        "ServiceAccount flows",
        "Service flows",
    ]
    distributed = objects(
        fullnameOverride="k",
        common={"kind": "StatefulSet"},
        deployments={
            "standalone": {"enabled": False},
            "webserver": {"enabled": True, "kind": "Deployment"},
            "executor": {"enabled": True},
            "scheduler": {"enabled": False},
        },
        workerGroups={"gpu": {"enabled": True}},
        ingress={"enabled": True, "hosts": []},
    )
    assert list(distributed) == [
        "Deployment k-webserver", "StatefulSet k-executor", "StatefulSet k-gpu", "ServiceAccount k",
        "Service k", "Ingress k",
    ]  # fmt: skip


def test_a_component_has_its_own_values_before_the_common_ones() -> None:
    weak = SECURE | {"readOnlyRootFilesystem": False}
    webserver = {"enabled": True, "securityContext": weak}
    deployments = {"standalone": {"enabled": False}, "webserver": webserver}
    stack = release(common={"securityContext": SECURE}, deployments=deployments)
    (message,) = said("ks-kubernetes-02", stack)
    assert message.startswith("flows (kubernetes:helm.sh/v3:Release): container kestra-webserver")
    assert "Change values.deployments.webserver.securityContext.readOnlyRootFilesystem" in message
    assert said("ks-kubernetes-02", release(common={"securityContext": SECURE})) == []


def test_what_several_components_share_is_said_once_for_each_value() -> None:
    enabled = {name: {"enabled": True} for name in ("webserver", "executor")}
    proxy = {"name": "proxy", "image": "proxy:latest"}
    stack = release(common={"extraContainers": [proxy]}, deployments=enabled)
    messages = [m for m in said("ks-kubernetes-07", stack) if "proxy" in m]
    assert len(messages) == 1
    assert "Change values.common.extraContainers.0.image" in messages[0]
    assert len([m for m in said("ks-kubernetes-07", stack) if "values.image.tag" in m]) == 1
    assert len(said("ks-kubernetes-06", stack)) == 1


def test_a_chart_that_contains_kestras_is_judged_at_its_values() -> None:
    own = {"configurations": {"application": {"kestra": {}}}, "common": {"securityContext": {}}}
    starter = release("kestra-starter", kestra=own, postgres={"settings": {"userDatabase": {"password": {"value": "Planted-1x"}}}})  # fmt: skip
    assert any(
        "Change values.kestra.common.securityContext" in m
        for m in said("ks-kubernetes-01", starter)
    )
    (message,) = said("ks-kubernetes-10", starter)
    assert "Change values.postgres.settings.userDatabase.password.value" in message
    assert "Planted" not in message


@pytest.mark.parametrize(
    ("values", "is_clear"),
    [
        ({"auth": {"password": "Planted-2x"}}, True),
        ({"global": {"postgresql": {"auth": {"postgresPassword": "Planted-2x"}}}}, True),
        ({"auth": {"password": secret("Planted-2x")}}, False),
        ({"auth": {"password": ""}}, False),
        ({"auth": {"password": "{{ .Values.other }}"}}, False),
        ({"auth": {"existingSecret": "credentials", "secretKeys": {"userPasswordKey": "password"}}}, False),
        ({"auth": {"passwordSecret": "credentials", "existingPassword": "yes"}}, False),
    ],
)  # fmt: skip
def test_a_password_among_the_values_of_another_chart(
    values: dict[str, Any], is_clear: bool
) -> None:
    messages = said("ks-kubernetes-10", release("postgresql", **values))
    assert (len(messages) == 1) is is_clear, messages


@pytest.mark.parametrize(
    ("values", "starts"),
    [
        ({}, True),
        ({"dind": {"enabled": False}}, False),
        ({"deployments": {"standalone": {"dind": {"enabled": False}}}}, False),
        ({"deployments": {"standalone": {"enabled": False}, "webserver": {"enabled": True}}}, False),
        ({"deployments": {"standalone": {"enabled": False}, "worker": {"enabled": True}}}, True),
        ({"deployments": {"standalone": {"enabled": False}}, "workerGroups": {"a": {"enabled": True}}}, True),
    ],
)  # fmt: skip
def test_docker_is_beside_workers_and_a_standalone_server_alone(
    values: dict[str, Any], starts: bool
) -> None:
    assert bool(said("ks-kestra-19", release(**values))) is starts


def test_what_the_values_add_as_manifests_counts() -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    assert len(said("ks-kubernetes-06", release())) == 1
    assert said("ks-kubernetes-06", release(extraManifests=[policy])) == []


def test_a_secret_among_kestras_values_is_one_that_the_chart_writes_into_a_config_map() -> None:
    application = {"kestra": {"encryption": {"secret-key": secret("Planted-3x")}}}
    (message,) = said("ks-kestra-04", release(configurations={"application": application}))
    assert "has a credential that the chart writes into a ConfigMap" in message
    reference = {"kestra": {"encryption": {"secret-key": "${KEY}"}}}
    assert said("ks-kestra-04", release(configurations={"application": reference})) == []


def test_what_is_not_known_yet_is_not_decided() -> None:
    props: dict[str, Any] = {"chart": "kestra", "values": UNKNOWN}
    with pytest.raises(Undecided):
        chart_objects(Resource(RELEASE, "flows", props))
    judged = judge(pack("production"), "ks-kubernetes-01", [R(RELEASE, {"chart": "kestra", "values": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, "flows")])  # fmt: skip
    assert (judged.messages, judged.not_yet) == ([], ["not decidable before the update: values"])


def test_of_a_chart_before_1_0_the_pods_are_not_seen_and_that_is_said() -> None:
    old = release(configuration={"kestra": {}})
    with pytest.raises(OutOfView):
        chart_objects(Resource(old.type, old.name, old.props))
    judged = judge(pack("production"), "ks-kubernetes-01", [old])
    assert judged.messages == []
    assert "the pods of flows, a chart before 1.0" in judged.not_yet[0]


def test_what_values_in_files_may_say_is_not_decided() -> None:
    for control in ("ks-kubernetes-01", "ks-kestra-19", "ks-kestra-01"):
        judged = judge(pack("production"), control, [release().but("valueYamlFiles", ["x"])])
        assert judged.messages == []
        assert "not decidable from this stack" in judged.not_yet[0]


def test_a_budget_and_a_policy_for_the_charts_labels_are_for_its_pods() -> None:
    labels = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "flows"}
    spec = {"selector": {"matchLabels": labels}, "minAvailable": 1}
    metadata = {"name": "flows", "namespace": "kestra"}
    budget = R("kubernetes:policy/v1:PodDisruptionBudget", {"metadata": metadata, "spec": spec})
    several = release(common={"replicas": 2})
    assert len(said("ks-kubernetes-09", several)) == 1
    assert said("ks-kubernetes-09", several.but("name", "flows"), budget) == []
    assert len(said("ks-kubernetes-09", several.but("name", "other"), budget)) == 1
    # The provider's own name is known when the release is there.
    assert judge(pack("production"), "ks-kubernetes-09", [several, budget]).not_yet


def test_pods_of_the_chart_may_end_as_slowly_as_their_tasks() -> None:
    application = {"configurations": {"application": {"kestra": {"url": "https://a"}}}}
    assert said("ks-kestra-15", release(**application)) == []
    short = application | {"common": {"terminationGracePeriodSeconds": 60}}
    (message,) = said("ks-kestra-15", release(**short))
    assert "gives 60s, Kestra takes 300s" in message
    assert "Change values.common.terminationGracePeriodSeconds" in message


def test_other_charts_make_nothing_that_is_known() -> None:
    assert chart_objects(Resource(RELEASE, "db", {"chart": "postgresql", "values": {}})) == []


def test_a_rendered_chart_is_read_by_its_pods_alone() -> None:
    chart_type = "kubernetes:helm.sh/v4:Chart"
    values = {"configurations": {"application": {"kestra": {}}}}
    chart = Resource(
        chart_type, "flows", {"chart": "kestra", "values": values}, f"urn::{chart_type}::flows"
    )
    pod = {"containers": [{"name": "kestra", "image": "kestra/kestra:v1.3.31"}]}
    child = "kubernetes:apps/v1:Deployment"
    pods = Resource(child, "flows:kestra/kestra", {"spec": {"template": {"spec": pod}}}, f"urn::{chart_type}${child}::x")  # fmt: skip
    assert [
        a.server and a.server.resource for a in configurations(Stack([chart, pods])).applications
    ] == [pods]
    assert len(configurations(Stack([chart])).applications) == 1
