"""Network policies: nothing is allowed but what Kestra needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backends.registry import backend_of
from ..rendering.configuration import render
from ..rendering.web_server import WebServer
from ..settings import Settings
from ..settings.deployment import NetworkPolicy
from ..storage.registry import storage_of
from .egress import shared_ports, single_addresses
from .pods import selector


def node_services(settings: Settings) -> list[tuple[str, int]]:
    """Network and port of what the node itself answers: who gives a pod its identity in the cloud."""
    # Where External Secrets reads the store, Kestra's pods have no identity there.
    views = () if settings.uses_external_secrets else (settings, settings.secondary)
    services = [one for view in filter(None, views) for one in backend_of(view).node_services(view)]
    storage = storage_of(settings)
    services += storage.node_services(settings) if storage else ()
    return list(dict.fromkeys(services))


#: Namespaces whose DNS pods listen on another port than their Service, by which a policy judges.
#: Source: OpenShift documentation, DNS Operator.
_DNS_POD_PORTS = {"openshift-dns": 5353}


def dns_rules(chosen: NetworkPolicy) -> list[dict[str, Any]]:
    """What lets names be resolved; empty where the settings name no server."""
    peers = [_in_namespace(name) for name in chosen.dns_namespaces]
    peers += [{"ipBlock": {"cidr": cidr}} for cidr in chosen.dns_cidrs]
    ports = [53, *(_DNS_POD_PORTS[n] for n in chosen.dns_namespaces if n in _DNS_POD_PORTS)]
    rule = {
        "to": peers,
        "ports": [{"protocol": kind, "port": port} for port in ports for kind in ("UDP", "TCP")],
    }
    # To Kubernetes an empty list of peers means all of them.
    return [rule] if peers else []


def policies(
    settings: Settings, labels: Mapping[str, str], server: WebServer | None = None
) -> dict[str, Any]:
    """Name to specification of each policy.

    Args:
        settings: the stack's settings.
        labels: of Kestra's pods.
        server: where they listen; default: as the settings' configuration says.
    """
    server = server or WebServer.of(render(settings).document, settings)
    chosen = settings.deployment.network_policy
    dns = dns_rules(chosen)
    pods = {"matchLabels": selector(labels)}
    web = {
        "matchLabels": selector(
            labels, "webserver" if "webserver" in settings.components else "standalone"
        )
    }
    policies: dict[str, dict[str, Any]] = {
        # In a namespace of others, their pods are not ours to cut off.
        "default-deny": {
            "podSelector": {} if settings.deployment.create_namespace else pods,
            "policyTypes": ["Ingress", "Egress"],
        },
        "dns": {"podSelector": pods, "policyTypes": ["Egress"], "egress": dns},
        "web": {
            "podSelector": web,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": _namespace(chosen.ingress_namespace), "ports": _tcp(server.port)}],
        },
    }
    if settings.deployment.create_namespace:
        # `default-deny` holds for every pod of this namespace: those of it that may reach a port of Kestra would
        # not get out to it, nor learn its address.
        own = settings.deployment.namespace
        if chosen.ingress_namespace in (None, own):
            policies["web-clients"] = _clients(web, server.port, dns)
        if chosen.monitoring_namespace == own:
            policies["management-clients"] = _clients(pods, server.management_port, dns)
    if backends := _backends(settings):
        policies["backends"] = {"podSelector": pods, "policyTypes": ["Egress"], "egress": backends}
    if services := node_services(settings):
        policies["node"] = {
            "podSelector": pods,
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"ipBlock": {"cidr": cidr}}], "ports": _tcp(port)}
                for cidr, port in services
            ],
        }
    if runner := settings.deployment.task_runner:
        server_networks = runner.api_server.cidrs or chosen.egress_cidrs
        # To Kubernetes an empty list of networks or ports means all of them.
        if server_networks and runner.api_server.ports:
            policies["api-server"] = {
                "podSelector": _workers(settings, labels),
                "policyTypes": ["Egress"],
                "egress": [
                    {
                        "to": [{"ipBlock": {"cidr": cidr}} for cidr in server_networks],
                        "ports": [p for port in runner.api_server.ports for p in _tcp(port)],
                    }
                ],
            }
    if chosen.monitoring_namespace:
        policies["monitoring"] = {
            "podSelector": pods,
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": _namespace(chosen.monitoring_namespace),
                    "ports": _tcp(server.management_port),
                }
            ],
        }
    if "controller" in settings.components:
        controller = {"matchLabels": selector(labels, "controller")}
        worker = _workers(settings, labels)
        policies["controller"] = {
            "podSelector": controller,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": worker}], "ports": _tcp(server.grpc_port)}],
        }
        policies["worker"] = {
            "podSelector": worker,
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"podSelector": controller}], "ports": _tcp(server.grpc_port)}],
        }
    return policies


def _backends(settings: Settings) -> list[dict[str, Any]]:
    """Names under `egress-cidrs`, and each address that the settings hold as a number by itself."""
    cidrs = settings.deployment.network_policy.egress_cidrs
    ports: list[dict[str, Any]] = [
        {"protocol": protocol, "port": port}
        for protocol in ("TCP", "UDP")
        for port in shared_ports(settings, protocol)
    ]
    # To Kubernetes an empty list of networks or ports means all of them.
    rules: list[dict[str, Any]] = (
        [{"to": [{"ipBlock": {"cidr": cidr}} for cidr in cidrs], "ports": ports}]
        if ports and cidrs
        else []
    )
    return rules + [
        {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"protocol": protocol, "port": port}]}
        for cidr, protocol, port in single_addresses(settings)
    ]


def _workers(settings: Settings, labels: Mapping[str, str]) -> dict[str, Any]:
    """What selects the pods that run tasks: the workers, and those of the worker groups."""
    workers = [w.name for w in settings.workloads if w.runs_tasks]
    if len(workers) == 1:
        return {"matchLabels": selector(labels, workers[0])}
    key = "app.kubernetes.io/component"
    return {
        "matchLabels": selector(labels),
        "matchExpressions": [{"key": key, "operator": "In", "values": workers}],
    }


def _tcp(port: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port}]


def _clients(pods: Mapping[str, Any], port: int, dns: list[dict[str, Any]]) -> dict[str, Any]:
    """What lets every pod of the namespace out to a port of Kestra's pods."""
    to_kestra = {"to": [{"podSelector": pods}], "ports": _tcp(port)}
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [to_kestra, *dns]}


def _namespace(name: str | None) -> list[dict[str, Any]]:
    if name is None:
        return [{"podSelector": {}}]
    return [_in_namespace(name)]


def _in_namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
