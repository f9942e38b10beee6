"""Who reaches whom under the network policies: what the settings' reference says, in the objects' own semantics."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.network import policies
from components.validation import load
from tests.components.reach_support import Peer, reaches
from tests.conftest import stack_document

LABELS = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "kestra"}
NAMESPACE = "here"
HTTP, MANAGEMENT = 8080, 8081
COMPONENTS = {"local": "standalone", "local-vault": "webserver"}
OTHER = Peer(NAMESPACE, {"app": "another"})
OUTSIDE = Peer(address="203.0.113.7")
INGRESS, MONITORING = Peer("ingress-nginx", {"app": "nginx"}), Peer("monitoring")
DNS = Peer("kube-system", {"k8s-app": "kube-dns"})


class Cluster:
    """A stack's policies in the namespace `here`."""

    def __init__(self, stack: str, create: bool = True, **network: Any) -> None:
        document = stack_document(stack)
        deployment: Any = document["deployment"]
        document["deployment"] = deployment | {
            "namespace": NAMESPACE,
            "create-namespace": create,
            "network-policy": {k.replace("_", "-"): v for k, v in network.items()},
        }
        self._policies = policies(load(document, source="test").settings, LABELS)
        self.web = self.kestra(COMPONENTS[stack])

    @staticmethod
    def kestra(component: str) -> Peer:
        return Peer(NAMESPACE, LABELS | {"app.kubernetes.io/component": component})

    def lets(self, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
        return reaches(self._policies, NAMESPACE, source, target, port, protocol)


@pytest.mark.parametrize("stack", list(COMPONENTS))
@pytest.mark.parametrize("create", [True, False])
def test_without_an_ingress_namespace_the_own_namespace_reaches_the_web_port(
    stack: str, create: bool
) -> None:
    cluster = Cluster(stack, create)
    assert cluster.lets(OTHER, cluster.web, HTTP)
    assert cluster.lets(OTHER, DNS, 53, "UDP")
    assert not cluster.lets(OTHER, cluster.web, MANAGEMENT)
    for stranger in (INGRESS, MONITORING, OUTSIDE):
        assert not cluster.lets(stranger, cluster.web, HTTP)


@pytest.mark.parametrize("stack", list(COMPONENTS))
@pytest.mark.parametrize("create", [True, False])
def test_an_ingress_namespace_is_the_only_one_that_reaches_the_web_port(
    stack: str, create: bool
) -> None:
    cluster = Cluster(stack, create, ingress_namespace="ingress-nginx")
    assert cluster.lets(INGRESS, cluster.web, HTTP)
    assert not cluster.lets(INGRESS, cluster.web, MANAGEMENT)
    for stranger in (OTHER, MONITORING, OUTSIDE):
        assert not cluster.lets(stranger, cluster.web, HTTP)


@pytest.mark.parametrize("stack", list(COMPONENTS))
@pytest.mark.parametrize("create", [True, False])
def test_an_ingress_controller_or_monitoring_in_the_own_namespace_gets_through(
    stack: str, create: bool
) -> None:
    cluster = Cluster(stack, create, ingress_namespace=NAMESPACE)
    assert cluster.lets(OTHER, cluster.web, HTTP)
    assert not cluster.lets(OTHER, cluster.web, MANAGEMENT)
    cluster = Cluster(
        stack, create, ingress_namespace="ingress-nginx", monitoring_namespace=NAMESPACE
    )
    assert cluster.lets(OTHER, cluster.web, MANAGEMENT)
    assert not cluster.lets(OTHER, cluster.web, HTTP)
    assert cluster.lets(OTHER, DNS, 53, "UDP")


@pytest.mark.parametrize("stack", list(COMPONENTS))
def test_other_pods_of_a_namespace_that_the_stack_made_reach_nothing_else(stack: str) -> None:
    settings: list[dict[str, Any]] = [{}, {"ingress_namespace": "ingress-nginx"}]
    for network in settings:
        cluster = Cluster(stack, **network)
        another = Peer(NAMESPACE, {"app": "third"})
        for target, port in ((another, HTTP), (another, 5432), (OUTSIDE, 443), (INGRESS, 443)):
            assert not cluster.lets(OTHER, target, port), (network, target)
        for source in (cluster.web, INGRESS, MONITORING, OUTSIDE):
            assert not cluster.lets(source, OTHER, HTTP), (network, source)


def test_pods_of_others_in_a_namespace_of_others_are_left_alone() -> None:
    cluster = Cluster("local", create=False)
    assert cluster.lets(OTHER, OUTSIDE, 443)
    assert cluster.lets(OUTSIDE, OTHER, HTTP)


@pytest.mark.parametrize("stack", list(COMPONENTS))
def test_monitoring_reaches_the_management_port_alone(stack: str) -> None:
    cluster = Cluster(stack, monitoring_namespace="monitoring")
    worker = Cluster.kestra("worker" if stack == "local-vault" else "standalone")
    for pod in (cluster.web, worker):
        assert cluster.lets(MONITORING, pod, MANAGEMENT)
        assert not cluster.lets(MONITORING, pod, HTTP)
    assert not Cluster(stack).lets(MONITORING, cluster.web, MANAGEMENT)


def test_kestra_reaches_what_it_needs_and_nothing_else() -> None:
    cluster = Cluster("local-vault", egress_ports=[443, 9000])
    worker = Cluster.kestra("worker")
    for port in (443, 5432, 8200, 9000):
        assert cluster.lets(worker, OUTSIDE, port)
    assert cluster.lets(worker, DNS, 53, "UDP")
    for port in (22, 6379, HTTP, MANAGEMENT):
        assert not cluster.lets(worker, OUTSIDE, port)
    assert not cluster.lets(worker, Cluster.kestra("executor"), MANAGEMENT)
