"""Namespaces for task pods: who makes pods there, and what the pods may use and reach. Pure: the objects' fields.

Kestra's plugin asks the API server for these, as its sources have it (kestra-io/plugin-kubernetes, `PodCreate`,
`AbstractPod`, `PodService`, `PodLogService`; the Enterprise task runner is built like them): it looks for the pod of
the task run (list), makes it (create), waits for it (get, list, watch), reads its log (get of pods/log, which is what a
log that is followed is judged by as well), brings files in and out by commands (pods/exec) and deletes it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ..settings import Settings
from ..settings.task_places import TaskPlace
from ..settings.task_runner import TaskNetwork
from .network import dns_rules

#: Resource to verbs, each of which some request of the plugin needs. A command over a WebSocket is a GET, which
#: Kubernetes judges as `get`, and since 1.35 as `create` too (kestra-io/docs 5524). `watch` of pods/log and pods/exec,
#: which Kestra's documentation has, is a verb that no request is judged by.
VERBS: Mapping[str, tuple[str, ...]] = {
    "pods": ("create", "delete", "get", "list", "watch"),
    "pods/log": ("get",),
    "pods/exec": ("create", "get"),
}
#: The label that both the task runner and `PodCreate` give every pod.
TASK_LABEL = "kestra.io/taskrun-id"

#: Addresses at which clouds give identities and configuration to whoever asks from the node.
#: Source: documentation of AWS (IMDS, EKS Pod Identity), Google Cloud (metadata server) and Azure (IMDS, WireServer).
_IDENTITY_NETWORKS = ("169.254.0.0/16", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::/32")


def role_rules() -> list[dict[str, Any]]:
    """The rules of the Role of whoever makes task pods."""
    return [
        {"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}
        for resource, verbs in VERBS.items()
    ]


def quota_spec(place: TaskPlace) -> dict[str, Any]:
    """The specification of the ResourceQuota."""
    quota = place.settings.quota
    return {
        "hard": {
            "pods": str(quota.pods),
            "requests.cpu": quota.requests_cpu,
            "requests.memory": quota.requests_memory,
            "limits.memory": quota.limits_memory,
        }
    }


def limit_range_spec(place: TaskPlace) -> dict[str, Any]:
    """The specification of the LimitRange."""
    amounts = place.settings.containers.amounts
    return {
        "limits": [
            {
                "type": "Container",
                "defaultRequest": amounts["requests"],
                # As the API server would fill it in, which else is a difference for ever.
                "default": {"cpu": amounts["maximum"]["cpu"]} | amounts["limits"],
                "max": amounts["maximum"],
            }
        ]
    }


def policies(place: TaskPlace, settings: Settings) -> dict[str, Any]:
    """Name to specification of each NetworkPolicy of the namespace."""
    chosen = place.settings.network_policy
    if not chosen.enabled:
        return {}
    pods: dict[str, Any] = (
        {}
        if place.settings.create_namespace
        else {"matchExpressions": [{"key": TASK_LABEL, "operator": "Exists"}]}
    )
    rules: dict[str, Any] = {
        "default-deny": {"podSelector": pods, "policyTypes": ["Ingress", "Egress"]},
        "dns": {
            "podSelector": pods,
            "policyTypes": ["Egress"],
            "egress": dns_rules(settings.deployment.network_policy),
        },
    }
    # To Kubernetes an empty list of networks or ports means all of them.
    if (peers := list(egress_peers(chosen))) and chosen.egress_ports:
        ports = [{"protocol": "TCP", "port": port} for port in chosen.egress_ports]
        rules["egress"] = {
            "podSelector": pods,
            "policyTypes": ["Egress"],
            "egress": [{"to": peers, "ports": ports}],
        }
    return rules


def egress_peers(chosen: TaskNetwork) -> Iterator[dict[str, Any]]:
    """The networks that task pods reach, without what stays closed in them.

    A network that one of `except-cidrs` covers is left out. One that lies within the addresses of the clouds'
    identities was asked for, and is open.
    """
    closed = [*chosen.except_cidrs, *_IDENTITY_NETWORKS]
    for text in chosen.egress_cidrs:
        network = ipaddress.ip_network(text, strict=False)
        if any(contains(one, network) for one in chosen.except_cidrs):
            continue
        # To Kubernetes an exception is smaller than its network, and has no bits of a host.
        inner = [
            str(one)
            for one in (ipaddress.ip_network(text, strict=False) for text in closed)
            if contains(network, one) and one != network
        ]
        block: dict[str, Any] = {"cidr": str(network)}
        if inner:
            block["except"] = list(dict.fromkeys(inner))
        yield {"ipBlock": block}


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def contains(outer: str | Network, inner: Network) -> bool:
    """Whether a network has another in it, or is the same."""
    around = ipaddress.ip_network(outer, strict=False)
    return around.version == inner.version and inner.subnet_of(around)  # type: ignore[arg-type]
