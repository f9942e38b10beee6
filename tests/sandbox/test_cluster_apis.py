"""Whether the cluster serves the kinds that other installations bring: `doctor` asks, and says what to install."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.cluster_apis import not_served
from sandbox.custom_resources import GATEWAY_API, PROMETHEUS_OPERATOR, definitions_of
from sandbox.doctor import cluster_apis
from sandbox.errors import SandboxError
from sandbox.inspection.resources import record_resources
from sandbox.state import State
from tests.components.edge_support import DISTRIBUTED, STACK, load_settings

EDGE = {
    "http-route": {"host": "k.example.com", "gateway": {"name": "public"}},
    "monitoring": {},
}
REFUSAL = (
    'creation of resource "urn" failed because the Kubernetes API server reported that the apiVersion for this '
    'resource does not exist. Verify that any required CRDs have been created: no matches for kind "HTTPRoute"'
)


def _check(tmp_path: Path, deployment: dict[str, Any], own: bool = True) -> list[Any]:
    resources = record_resources(load_settings(STACK | {"deployment": deployment}), "test")
    return list(cluster_apis.examine_apis(State(tmp_path), resources, own=own))


def test_a_stack_without_such_kinds_asks_nobody(tmp_path: Path) -> None:
    assert _check(tmp_path, {}) == []


@pytest.mark.parametrize(
    ("missing", "is_well", "words"),
    [
        ([], True, "HTTPRoute, ServiceMonitor are served"),
        (["HTTPRoute of gateway.networking.k8s.io/v1"], False, "not served: HTTPRoute of gateway"),
    ],
)
def test_the_cluster_says_which_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: list[str], is_well: bool, words: str
) -> None:
    monkeypatch.setattr(cluster_apis, "missing_apis", lambda kinds, kubeconfig: missing)
    (check,) = _check(tmp_path, EDGE)
    assert check.is_well is is_well
    assert words in check.state
    assert ("remove kestra:deployment.http-route" in check.remedy) is not is_well


def test_a_cluster_that_cannot_be_asked_lacks_nothing_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> list[str]:
        raise SandboxError("There is no usable kubeconfig.")

    monkeypatch.setattr(cluster_apis, "missing_apis", fails)
    (check,) = _check(tmp_path, EDGE)
    assert (check.is_well, "There is no usable kubeconfig" in check.state) == (None, True)
    (check,) = _check(tmp_path, EDGE, own=False)
    assert "not asked, the cluster does not run" in check.state


def test_autoscaling_wants_the_metrics_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(cluster_apis, "missing_apis", lambda kinds, _: asked.extend(kinds) or [])
    _check(tmp_path, DISTRIBUTED)
    assert asked == [("metrics.k8s.io/v1beta1", "PodMetrics")]


def test_the_sandbox_installs_what_a_stack_needs_and_no_more() -> None:
    assert definitions_of(load_settings(STACK)) == []
    assert definitions_of(load_settings(STACK | {"deployment": EDGE})) == [
        GATEWAY_API,
        PROMETHEUS_OPERATOR,
    ]


@pytest.mark.parametrize(
    ("type_", "words", "advice"),
    [
        ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", REFUSAL, "remove kestra:deployment.http-route"),
        ("kubernetes:monitoring.coreos.com/v1:PodMonitor", REFUSAL, "install the Prometheus Operator"),
        ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "is invalid", ""),
        ("kubernetes:apps/v1:Deployment", REFUSAL, ""),
    ],
)  # fmt: skip
def test_a_failed_update_says_what_to_install(type_: str, words: str, advice: str) -> None:
    said = not_served(type_, words)
    assert (advice in said) if advice else said == ""
