"""Network policies: nothing is allowed but what Kestra needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from components.kubernetes.pods import GRPC, HTTP, management_port, selector
from components.settings import Settings
from components.settings.base import revealed
from components.settings.deployment import Ingress

_DATABASE_PORTS = {"postgres": 5432, "mysql": 3306}
_KAFKA, _ELASTICSEARCH = 9092, 9200


def egress_ports(settings: Settings) -> list[int]:
    """The ports of databases, queue, storage and secret store, and those that the settings name.

    An address that Kestra resolves later (`${NAME}`) counts with the usual port of its kind.
    """
    ports = set(settings.deployment.network_policy.egress_ports)
    for name, source in settings.datasources.items():
        # Several hosts may stand before the path, each with its port; user and password before them.
        hosts = re.match(r"jdbc:[\w:]+//(?:[^/?]*@)?([^/?]*)", revealed(source.url) or "")
        found = re.findall(r":(\d+)(?:,|$)", hosts[1]) if hosts else []
        if found:
            ports.update(map(int, found))
        elif name in _DATABASE_PORTS:
            ports.add(_DATABASE_PORTS[name])
    if settings.queue and settings.queue.type == "kafka":
        ports.add(_KAFKA)
    if settings.repository and settings.repository.type == "elasticsearch":
        ports.add(_ELASTICSEARCH)
    if settings.storage and settings.storage.minio and settings.storage.minio.port:
        ports.add(settings.storage.minio.port)
    # While the stack moves, pods of before and after the change run side by side.
    for manager in settings.managers:
        if manager.vault:
            address = urlsplit(manager.vault.address)
            ports.add(address.port or (80 if address.scheme == "http" else 443))
        if manager.cloud:
            # The manager itself, and who gives the tokens for it.
            ports.add(443)
    return sorted(ports)


#: Where GKE's metadata server answers, without and with Dataplane V2.
#: Source: Google Cloud documentation, Workload Identity Federation for GKE.
_GKE_METADATA = [("169.254.169.252/32", 988), ("169.254.169.254/32", 80)]
#: Source: Amazon EKS user guide, EKS Pod Identity.
_POD_IDENTITY_AGENT = [("169.254.170.23/32", 80), ("fd00:ec2::23/128", 80)]
#: Source: Azure documentation, instance metadata service.
_AZURE_METADATA = [("169.254.169.254/32", 80)]


def node_services(settings: Settings) -> list[tuple[str, int]]:
    """Address and port of what the node itself answers: who gives a pod its cloud identity."""
    found: list[tuple[str, int]] = []
    if settings.identity.aws.pod_identity:
        found += _POD_IDENTITY_AGENT
    if "gcp" in settings.clouds and settings.identity.gcp.workload_pool:
        found += _GKE_METADATA
    for manager in settings.managers:
        block = manager.azure_key_vault
        if block and (block.managed_identity_client_id or block.managed_identity_resource_id):
            found += _AZURE_METADATA
    return list(dict.fromkeys(found))


_DNS: dict[str, Any] = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
}


def policies(settings: Settings, labels: Mapping[str, str]) -> dict[str, Any]:
    """Name to specification of each policy."""
    chosen = settings.deployment.network_policy
    ports = egress_ports(settings)
    pods = {"matchLabels": selector(labels)}
    web = {
        "matchLabels": selector(
            labels, "webserver" if "webserver" in settings.components else "standalone"
        )
    }
    made: dict[str, dict[str, Any]] = {
        # In a namespace of others, their pods are not ours to cut off.
        "default-deny": {
            "podSelector": {} if settings.deployment.create_namespace else pods,
            "policyTypes": ["Ingress", "Egress"],
        },
        "dns": {"podSelector": pods, "policyTypes": ["Egress"], "egress": [_DNS]},
        "web": {
            "podSelector": web,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": _namespace(chosen.ingress_namespace), "ports": _tcp(HTTP)}],
        },
    }
    if settings.deployment.create_namespace:
        # `default-deny` holds for every pod of this namespace: those of it that may reach a port of Kestra would
        # not get out to it, nor learn its address.
        own = settings.deployment.namespace
        if chosen.ingress_namespace in (None, own):
            made["web-clients"] = _clients(web, HTTP)
        if chosen.monitoring_namespace == own:
            made["management-clients"] = _clients(pods, management_port(settings))
    # To Kubernetes an empty list of networks or ports means all of them.
    if ports and chosen.egress_cidrs:
        made["backends"] = {
            "podSelector": pods,
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": cidr}} for cidr in chosen.egress_cidrs],
                    "ports": [{"protocol": "TCP", "port": port} for port in ports],
                }
            ],
        }
    if services := node_services(settings):
        made["node"] = {
            "podSelector": pods,
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"ipBlock": {"cidr": cidr}}], "ports": _tcp(port)}
                for cidr, port in services
            ],
        }
    if chosen.monitoring_namespace:
        made["monitoring"] = {
            "podSelector": pods,
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": _namespace(chosen.monitoring_namespace),
                    "ports": _tcp(management_port(settings)),
                }
            ],
        }
    if "controller" in settings.components:
        controller = {"matchLabels": selector(labels, "controller")}
        worker = _workers(settings, labels)
        made["controller"] = {
            "podSelector": controller,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": worker}], "ports": _tcp(GRPC)}],
        }
        made["worker"] = {
            "podSelector": worker,
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"podSelector": controller}], "ports": _tcp(GRPC)}],
        }
    return made


#: Controllers that serve plain HTTP beside TLS unless they are told not to: part of the class's name to annotation.
_TLS_ONLY = {
    "nginx": ("nginx.ingress.kubernetes.io/force-ssl-redirect", "true"),
    "traefik": ("traefik.ingress.kubernetes.io/router.entrypoints", "websecure"),
}


def ingress_annotations(ingress: Ingress) -> dict[str, str]:
    """What keeps the ingress to TLS where its controller is known, and what the settings say."""
    known = (pair for name, pair in _TLS_ONLY.items() if name in (ingress.class_name or ""))
    return dict(known) | dict(ingress.annotations)


def _workers(settings: Settings, labels: Mapping[str, str]) -> dict[str, Any]:
    """What selects the pods that talk to the controller: the workers, and those of the worker groups."""
    workers = [w.name for w in settings.workloads if w.server == "worker"]
    if len(workers) == 1:
        return {"matchLabels": selector(labels, "worker")}
    key = "app.kubernetes.io/component"
    return {
        "matchLabels": selector(labels),
        "matchExpressions": [{"key": key, "operator": "In", "values": workers}],
    }


def _tcp(port: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port}]


def _clients(pods: Mapping[str, Any], port: int) -> dict[str, Any]:
    """What lets every pod of the namespace out to a port of Kestra's pods."""
    to_kestra = {"to": [{"podSelector": pods}], "ports": _tcp(port)}
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [to_kestra, _DNS]}


def _namespace(name: str | None) -> list[dict[str, Any]]:
    if name is None:
        return [{"podSelector": {}}]
    return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}]
