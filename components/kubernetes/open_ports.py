"""What the network policies of a stack open, and why: the policies themselves, read back, with the reasons beside.

`python -m components network FILE` prints it, and the security report shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..settings import Settings
from .egress import Destination, destinations
from .network import policies

Direction = Literal["in", "out"]

_LABELS = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "kestra"}
_COMPONENT = "app.kubernetes.io/component"
#: Policy to why it opens what it does.
_WHY = {
    "dns": "names are resolved",
    "web": "API and user interface",
    "web-clients": "pods of Kestra's namespace reach API and user interface",
    "monitoring": "health and metrics are read",
    "management-clients": "pods of Kestra's namespace read health and metrics",
    "node": "who gives a pod its cloud identity, on the node itself",
    "controller": "workers get their work",
    "worker": "workers get their work",
    "api-server": "workers make the pods of tasks",
}
_ASKED = "kestra:deployment.network-policy.egress-ports"


@dataclass(frozen=True)
class OpenPort:
    """A port that is open."""

    direction: Direction
    protocol: str
    port: int | None
    """None: a port that the settings do not tell, and so is not open."""
    peer: str
    """Who may come, or where Kestra may go."""
    why: str
    setting: str = ""
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether packets pass."""
        return self.port is not None


def open_ports(settings: Settings) -> list[OpenPort]:
    """Everything that is open, what comes in first; empty where the policies are off."""
    if settings.is_secrets_alone or not settings.deployment.network_policy.enabled:
        return []
    named = destinations(settings)
    rows: list[OpenPort] = []
    for name, spec in policies(settings, _LABELS).items():
        for direction, rule in _rules(spec):
            if name == "backends":
                rows += _backends(rule, named)
            else:
                rows += _of_rule(name, direction, spec["podSelector"], rule)
    rows += [_row(d, "", None) for d in named if d.port is None]
    return sorted(dict.fromkeys(rows), key=lambda row: row.direction)


def _rules(spec: dict[str, Any]) -> Iterator[tuple[Direction, dict[str, Any]]]:
    for rule in spec.get("ingress", []):
        yield "in", rule
    for rule in spec.get("egress", []):
        yield "out", rule


def _of_rule(
    name: str, direction: Direction, pods: dict[str, Any], rule: dict[str, Any]
) -> Iterator[OpenPort]:
    peers = ", ".join(_peer(peer) for peer in rule["from" if direction == "in" else "to"])
    # What lets other pods of the namespace out names DNS too.
    why = _WHY["dns"] if any(p["protocol"] == "UDP" for p in rule["ports"]) else _WHY[name]
    component = pods.get("matchLabels", {}).get(_COMPONENT)
    for port in rule["ports"]:
        own = f"{why} ({component})" if direction == "in" and component else why
        yield OpenPort(direction, port["protocol"], port["port"], peers, own)


def _backends(rule: dict[str, Any], named: list[Destination]) -> Iterator[OpenPort]:
    cidrs = ", ".join(peer["ipBlock"]["cidr"] for peer in rule["to"])
    for port in rule["ports"]:
        here = [
            d
            for d in named
            if (d.port, d.protocol) == (port["port"], port["protocol"])
            and d.cidr in ("", cidrs)
            and (not d.cidr or len(rule["to"]) == 1)
        ]
        if not any(d.cidr == cidrs for d in here):
            here = [d for d in here if not d.cidr]
        yield from (_row(d, cidrs, port["port"]) for d in here)
        if not here:
            yield OpenPort("out", port["protocol"], port["port"], cidrs, "asked for", _ASKED)


def _row(destination: Destination, cidrs: str, port: int | None) -> OpenPort:
    host = destination.host or ("a secret value" if destination.is_hidden else "an unknown address")
    peer = cidrs if destination.cidr else f"{host} (any of {cidrs})" if cidrs else host
    return OpenPort(
        "out",
        destination.protocol,
        port,
        peer,
        destination.reason,
        destination.key,
        destination.note,
    )


def _peer(peer: dict[str, Any]) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    if "namespaceSelector" in peer:
        return (
            f"namespace {peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']}"
        )
    component = peer["podSelector"].get("matchLabels", {}).get(_COMPONENT)
    for expression in peer["podSelector"].get("matchExpressions", []):
        component = ", ".join(expression["values"])
    whose = "Kestra's pods" if peer["podSelector"] else "pods of Kestra's namespace"
    return f"Kestra's {component}" if component else whose


def as_text(settings: Settings) -> str:
    """The list as lines."""
    if settings.is_secrets_alone:
        return "A stack of secrets alone (kestra:deployment.enabled: false) has no pods.\n"
    if not settings.deployment.network_policy.enabled:
        return "Network policies are off (kestra:deployment.network-policy.enabled): this stack denies nothing.\n"
    rows = open_ports(settings)
    lines: list[str] = []
    for direction, title in (("in", "Open to Kestra's pods:"), ("out", "Open from Kestra's pods:")):
        lines.append(title)
        for row in rows:
            if row.direction == direction:
                port = f"{row.protocol} {row.port}" if row.is_open else "not open"
                setting = f" [{row.setting}]" if row.setting else ""
                note = f"; {row.note}" if row.note else ""
                lines.append(f"  {port:<10} {row.peer}: {row.why}{setting}{note}")
    lines.append(
        "Everything else is denied. A policy knows addresses and no host names: a name is reached in any network of "
        "kestra:deployment.network-policy.egress-cidrs."
    )
    return "\n".join(lines) + "\n"
