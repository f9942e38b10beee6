"""What NetworkPolicies let through, as Kubernetes defines it; for the selectors that this project writes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Peer:
    """A pod, or an address outside of the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = "10.244.0.7"


def reaches(
    policies: Mapping[str, Mapping[str, Any]],
    namespace: str,
    source: Peer,
    target: Peer,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection passes: out of its source, and into its target.

    Args:
        policies: name to specification; all of them in one namespace.
        namespace: where they are. Pods of other namespaces have no policies.
        source: who connects.
        target: to whom.
        port: of the target's pod.
        protocol: TCP or UDP.
    """

    def passes(pod: Peer, other: Peer, direction: str) -> bool:
        if pod.namespace != namespace:
            return True
        applying = [
            spec
            for spec in policies.values()
            if direction in spec["policyTypes"] and _selects(spec["podSelector"], pod.labels)
        ]
        rules = [rule for spec in applying for rule in spec.get(direction.lower(), [])]
        peers = "from" if direction == "Ingress" else "to"
        return not applying or any(
            _port(rule, port, protocol)
            and (not rule.get(peers) or any(_peer(p, other, namespace) for p in rule[peers]))
            for rule in rules
        )

    return passes(source, target, "Egress") and passes(target, source, "Ingress")


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}
    return selector.get("matchLabels", {}).items() <= labels.items()


def _port(rule: Mapping[str, Any], port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return not ports or any(
        p["port"] == port and p.get("protocol", "TCP") == protocol for p in ports
    )


def _peer(peer: Mapping[str, Any], other: Peer, namespace: str) -> bool:
    if "ipBlock" in peer:
        network = ipaddress.ip_network(peer["ipBlock"]["cidr"])
        return ipaddress.ip_address(other.address) in network
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        if not _selects(
            peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace}
        ):
            return False
    elif other.namespace != namespace:
        return False
    return _selects(peer.get("podSelector", {}), other.labels)
