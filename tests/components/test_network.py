"""Network policies: closed unless Kestra needs it."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.edge import ingress_annotations
from components.kubernetes.egress import shared_ports
from components.kubernetes.network import policies
from components.settings import Settings
from components.settings.edge import Ingress
from components.validation import load
from tests.conftest import stack_document

LABELS = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "kestra"}


def _settings(stack: str, **changes: Any) -> Settings:
    return load(stack_document(stack) | changes, source="test").settings


def _with_network(stack: str, **network: Any) -> Settings:
    deployment: Any = stack_document(stack)["deployment"]
    return _settings(stack, deployment=deployment | {"network-policy": network})


def test_everything_is_denied_first() -> None:
    denied = policies(_settings("local"), LABELS)["default-deny"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_in_a_namespace_of_others_only_kestra_is_cut_off() -> None:
    deployment: Any = stack_document("local")["deployment"]
    shared = _settings("local", deployment=deployment | {"create-namespace": False})
    denied = policies(shared, LABELS)["default-deny"]
    assert denied["podSelector"] == {"matchLabels": LABELS}


@pytest.mark.parametrize(
    ("class_name", "given", "found"),
    [
        (None, {"a": "b"}, {"a": "b"}),
        ("nginx-internal", {}, {"nginx.ingress.kubernetes.io/force-ssl-redirect": "true"}),
        ("traefik", {}, {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}),
        (
            "nginx",
            {"nginx.ingress.kubernetes.io/force-ssl-redirect": "false"},
            {"nginx.ingress.kubernetes.io/force-ssl-redirect": "false"},
        ),
    ],
)
def test_an_ingress_serves_tls_only_where_its_controller_is_known(
    class_name: str | None, given: dict[str, str], found: dict[str, str]
) -> None:
    block = {"host": "k.example.com", "tls-secret": "tls", "annotations": given}
    if class_name:
        block["class-name"] = class_name
    assert ingress_annotations(Ingress.model_validate(block)) == found


def _azure(**block: Any) -> Settings:
    manager = {
        "type": "azure-key-vault",
        "read-only": True,
        "azure-key-vault": {"vault-name": "example", **block},
    }
    deployment = {"network-policy": {"egress-ports": [5432]}}
    document = stack_document("local-vault") | {"secret": manager, "deployment": deployment}
    document.pop("declared-secrets")
    return load(document, source="test").settings


def test_a_cloud_and_who_gives_its_tokens_are_reached_by_https_whatever_the_settings_list() -> None:
    settings = _azure(**{"workload-identity-client-id": "c"})
    assert shared_ports(settings) == [443, 5432, 9000]
    assert "node" not in policies(settings, LABELS)


@pytest.mark.parametrize("name", ["managed-identity-client-id", "managed-identity-resource-id"])
def test_the_metadata_service_is_reached_where_an_identity_of_the_node_is_used(name: str) -> None:
    node = policies(_azure(**{name: "c"}), LABELS)["node"]
    assert node["egress"] == [
        {
            "to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}],
            "ports": [{"protocol": "TCP", "port": 80}],
        }
    ]


@pytest.mark.parametrize("stack", ["local", "local-vault"])
def test_no_rule_is_empty_for_an_empty_one_allows_everything(stack: str) -> None:
    for name, spec in policies(_settings(stack), LABELS).items():
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in spec.get(direction, []):
                assert rule[peers], name
                assert rule["ports"], name


@pytest.mark.parametrize("network", [{"egress-cidrs": []}, {"egress-ports": []}])
def test_no_network_or_no_port_means_none_and_not_all(network: dict[str, Any]) -> None:
    assert "backends" not in policies(_with_network("local", **network), LABELS)


def test_ports_of_databases_and_of_the_store_are_reachable() -> None:
    assert shared_ports(_settings("local")) == [443]
    assert shared_ports(_settings("local-vault")) == [443, 5432, 8200, 9000]


@pytest.mark.parametrize(
    ("url", "ports"),
    [
        ("jdbc:postgresql://db:6432/kestra", [443, 6432]),
        ("jdbc:postgresql://db/kestra", [443, 5432]),
        ("jdbc:postgresql://a:5432,b:5433/kestra?ssl=true", [443, 5432, 5433]),
        ("jdbc:postgresql://user:1234@db:7000/kestra", [443, 7000]),
        ("${DATABASE_URL}", [443, 5432]),
    ],
)
def test_the_port_of_a_database_comes_from_its_address(url: str, ports: list[int]) -> None:
    settings = _settings(
        "local",
        datasources={"postgres": {"url": url, "username": "kestra"}},
        queue={"type": "postgres"},
        repository={"type": "postgres"},
    )
    assert shared_ports(settings) == ports


def test_the_management_port_is_open_to_monitoring_alone() -> None:
    closed = policies(_settings("local"), LABELS)
    assert not [r for s in closed.values() for r in s.get("ingress", []) if _port(r) == 8081]
    opened = policies(_with_network("local", **{"monitoring-namespace": "watch"}), LABELS)
    (rule,) = opened["monitoring"]["ingress"]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}}
    ]
    assert _port(rule) == 8081


def test_only_workers_reach_the_controller() -> None:
    rules = policies(
        _settings(
            "local-vault",
            version="2.0",
            security={"instance-owner": {"username": "admin@kestra.io"}},
        ),
        LABELS,
    )
    (rule,) = rules["controller"]["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "worker"
    assert _port(rule) == 50051


def _port(rule: dict[str, Any]) -> int:
    (port,) = rule["ports"]
    return port["port"]
