"""Parts of compose services besides configuration: what becomes a setting, and what does not come along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..settings.credentials import credential_sign
from .assembly import Assembly
from .compose_files import Service, pairs, scalar
from .compose_variables import unresolved
from .durations import seconds_of, shorter_than_kestra

_RESTRICTED = "Pod Security restricted, which the namespace enforces, refuses it"
#: Parts of Kestra's service that nothing carries: the reason, and what to do.
_NOT_CARRIED = {
    "healthcheck": ("healthcheck: the pods have the program's own probes", ""),
    "privileged": (f"privileged: {_RESTRICTED}", ""),
    "cap_add": (f"more capabilities: {_RESTRICTED}", ""),
    "devices": (f"devices of the machine: {_RESTRICTED}", ""),
    "pid": (f"the machine's processes: {_RESTRICTED}", ""),
    "ipc": (f"the machine's memory segments: {_RESTRICTED}", ""),
    "userns_mode": (f"user namespace: {_RESTRICTED}", ""),
    "security_opt": (f"security options: {_RESTRICTED}", ""),
    "sysctls": ("kernel parameters belong to the nodes of the cluster", ""),
    "ulimits": ("limits of processes belong to the nodes of the cluster", ""),
    "shm_size": (
        "the size of /dev/shm",
        "mount an emptyDir with medium Memory by kestra:deployment.extra-volumes",
    ),
    "extra_hosts": ("entries of /etc/hosts", "set kestra:deployment.host-aliases"),
    "dns": ("name servers of its own", "set kestra:deployment.dns-config"),
    "dns_search": ("search domains of its own", "set kestra:deployment.dns-config"),
    "runtime": ("the container runtime", "set kestra:deployment.runtime-class"),
    "group_add": ("groups of the machine, such as that of Docker's socket", ""),
    "tmpfs": (
        "folders in memory",
        "mount an emptyDir with medium Memory by kestra:deployment.extra-volumes",
    ),
    "volumes_from": ("volumes of another container", "set kestra:deployment.extra-volumes"),
    "develop": ("the settings of compose watch", ""),
    "post_start": ("a hook of compose's", ""),
    "pre_stop": ("a hook of compose's", ""),
}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?", re.IGNORECASE)
_PORT = re.compile(
    r"(?:(?P<address>\[[^\]]*\]|\d+(?:\.\d+){3}):)?(?:(?P<host>[^:]*):)?(?P<target>\d+(?:-\d+)?)(?:/\w+)?"
)
#: Names of images to what the other service is.
_OTHERS = (
    (r"postgres|postgis|timescale|pgvector|cloudnative-pg", "the database itself and its volumes are not deployed; "
     "its data must be moved to a database that the cluster reaches"),
    (r"mysql|mariadb|percona", "the database itself and its volumes are not deployed; its data must be moved to a "
     "database that the cluster reaches"),
    (r"pgbouncer|pgpool|proxysql", "a proxy of the database; point kestra:datasources at what the cluster reaches"),
    (r"minio|seaweedfs|garage|ceph", "the storage itself is not deployed; its objects must stay reachable, or be "
     "moved"),
    (r"kafka|redpanda|zookeeper|kraft", "the queue's servers are not deployed; Kafka must be reachable from the "
     "cluster"),
    (r"elasticsearch|opensearch|kibana", "the repository's servers are not deployed; they must be reachable from the "
     "cluster"),
    (r"vault|openbao", "the secret manager is not deployed; it must be reachable from the cluster"),
    (r"(^|/)docker(:|$)|dind", "dind, a privileged container with a Docker daemon: a namespace with Pod Security "
     "restricted refuses it, so the Docker runner does not work; use a task runner of Kubernetes or a cloud"),
    (r"traefik|nginx|caddy|haproxy|envoy|cloudflared|swag", "a reverse proxy; kestra:deployment.ingress takes its "
     "place"),
    (r"keycloak|authentik|dex|oauth2-proxy|authelia", "the log-in service is not deployed; its addresses must be "
     "reachable from the cluster"),
    (r"pgadmin|adminer|portainer|watchtower|dozzle|grafana|prometheus|otel|jaeger|loki", "no part of Kestra"),
)  # fmt: skip


def note_ports(service: Service, assembly: Assembly) -> None:
    """Published ports: a cluster has an ingress instead."""
    ports = service.spec.get("ports")
    server = assembly.text_of("micronaut", "server", "port") or "8080"
    management = assembly.text_of("endpoints", "all", "port") or "8081"
    for entry in ports if isinstance(ports, list) else ():
        address, host, target = _port(entry)
        if not target:
            continue
        shown = host or target
        what = service.where(f"ports {shown}")
        if target in (management, "8081") and target != server:
            local = "127.0.0.1" in address or "::1" in address
            to = (
                "to that machine" if local else "to every network of that machine, without a log-in"
            )
            assembly.note(
                "changed",
                what,
                f"the management port ({target}) was published as {shown} {to}; the stack closes it",
                "kestra:deployment.network-policy.monitoring-namespace lets Prometheus in",
                service.origin("ports"),
            )
        else:
            assembly.note(
                "not carried",
                what,
                f"port {shown} of that machine: a cluster has no host ports here",
                "set kestra:deployment.ingress",
                service.origin("ports"),
            )


def _port(entry: Any) -> tuple[str, str, str]:
    if isinstance(entry, dict):
        return (
            scalar(entry.get("host_ip")) or "",
            scalar(entry.get("published")) or "",
            scalar(entry.get("target")) or "",
        )
    text = scalar(entry) or ""
    match = _PORT.fullmatch(re.sub(r"\$\{[^}]*\}", "", text))
    if match is None:
        return "", "", ""
    return match["address"] or "", match["host"] or "", match["target"]


def add_resources(service: Service, component: str, assembly: Assembly) -> None:
    """Limits and requests of processor and memory, and the number of containers."""
    spec = service.spec
    deploy = _mapping(spec.get("deploy"))
    resources = _mapping(deploy.get("resources"))
    limits, reserved = _mapping(resources.get("limits")), _mapping(resources.get("reservations"))
    base = f"deployment.components.{component}.resources"
    for path, value, place in (
        ("limits.cpu", spec.get("cpus", limits.get("cpus")), "cpus"),
        ("limits.memory", spec.get("mem_limit", limits.get("memory")), "mem_limit"),
        ("requests.cpu", reserved.get("cpus"), "deploy.resources"),
        ("requests.memory", spec.get("mem_reservation", reserved.get("memory")), "mem_reservation"),
    ):
        if value is None:
            continue
        text = scalar(value) or ""
        quantity = _cpu(text) if path.endswith("cpu") else memory_quantity(text)
        if quantity is None:
            assembly.note(
                "not carried",
                service.where(place),
                "its value is not known here",
                f"set kestra:{base}.{path}",
                service.origin(place),
            )
        else:
            assembly.add_setting(f"{base}.{path}", quantity, service.origin(place))
    note_devices(service, assembly)
    replicas = scalar(deploy.get("replicas", spec.get("scale")))
    if replicas and replicas.isdigit() and replicas != "1":
        assembly.add_setting(
            f"deployment.components.{component}.replicas", int(replicas), service.origin("replicas")
        )


def note_devices(service: Service, assembly: Assembly) -> None:
    """Devices of the machine, as GPUs."""
    resources = _mapping(_mapping(service.spec.get("deploy")).get("resources"))
    for name in ("reservations", "limits"):
        devices = _mapping(resources.get(name)).get("devices")
        for device in devices if isinstance(devices, list) else ():
            device = _mapping(device)
            names = [
                scalar(device.get("driver")) or "",
                *map(str, device.get("capabilities") or ()),
            ]
            assembly.note(
                "not carried",
                service.where("deploy.resources devices"),
                f"devices of the machine ({', '.join(n for n in names if n)})",
                "GPU: limits nvidia.com/gpu stand in no setting; use a task runner of Kubernetes for such tasks",
                service.origin("deploy.resources"),
            )


def _cpu(text: str) -> str | None:
    return text if re.fullmatch(r"\d+(\.\d+)?", text) else None


def memory_quantity(text: str) -> str | None:
    """Docker's amount of memory as Kubernetes writes it: `4g` is `4Gi`; None where it is none."""
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        return None
    unit = match[2].lower()
    number = match[1]
    if unit in ("", "b"):
        if "." in number:
            return None
        size, units = int(number), ["", "Ki", "Mi", "Gi"]
        power = 0
        while power < 3 and size and size % 1024 == 0:
            size, power = size // 1024, power + 1
        return f"{size}{units[power]}"
    return f"{number}{unit.upper() if unit != 'k' else 'K'}i"


def note_rest(service: Service, assembly: Assembly) -> None:
    """The other parts of Kestra's service."""
    spec = service.spec
    for key, (why, fix) in _NOT_CARRIED.items():
        if spec.get(key) not in (None, False, [], {}):
            assembly.note("not carried", service.where(key), why, fix, service.origin(key))
    user = scalar(spec.get("user"))
    if user is not None and re.split(r"[:]", user)[0] in ("root", "0"):
        assembly.note(
            "changed",
            service.where("user"),
            f"ran as root (user {user}); the pods run without root, so files that root wrote are not theirs",
            origin=service.origin("user"),
        )
    grace = scalar(spec.get("stop_grace_period"))
    seconds = seconds_of(grace) if grace else None
    if seconds is not None and shorter_than_kestra(seconds):
        assembly.note(
            "changed",
            service.where("stop_grace_period"),
            f"{grace} is shorter than Kestra's own 5 minutes; pods get kestra:server.termination-grace-period and a "
            "minute",
            origin=service.origin("stop_grace_period"),
        )
    if str(spec.get("network_mode") or "") == "host":
        assembly.note(
            "not carried",
            service.where("network_mode"),
            f"the machine's network: {_RESTRICTED}; localhost in addresses meant that machine",
            origin=service.origin("network_mode"),
        )
    _note_labels(service, assembly)


def _note_labels(service: Service, assembly: Assembly) -> None:
    labels = pairs(service.spec.get("labels"))
    hosts: list[str] = []
    others: list[str] = []
    for name, value in labels.items():
        rule = re.findall(r"Host(?:SNI)?\(\s*`([^`]+)`", value or "")
        hosts += rule or (
            [value] if name == "caddy" and value and re.fullmatch(r"[\w.-]+", value) else []
        )
        if name.startswith(("traefik.", "caddy", "nginx", "virtual.")) and not rule:
            others.append(name)
    for host in dict.fromkeys(hosts):
        safe = (
            host if re.fullmatch(r"[A-Za-z0-9.*-]+", host) else "a host name that a variable gives"
        )
        assembly.note(
            "not carried",
            service.where("labels"),
            f"a reverse proxy served Kestra as {safe}",
            "set kestra:deployment.ingress with that host and the Secret of its certificate",
            service.origin("labels"),
        )
    if others:
        signs = any("basicauth" in n.lower() or credential_sign(n, labels[n] or "") for n in others)
        extra = (
            "; a log-in of the proxy's is among them, which the ingress must have too"
            if signs
            else ""
        )
        assembly.note(
            "not carried",
            service.where("labels"),
            f"labels for a reverse proxy ({len(others)}){extra}",
            "set kestra:deployment.ingress.annotations",
            service.origin("labels"),
        )


def note_others(
    services: Mapping[str, Service], top: Mapping[str, Any], assembly: Assembly
) -> None:
    """Names the services that are not Kestra, and their volumes."""
    for service in services.values():
        image = scalar(service.spec.get("image")) or ""
        why = next(
            (why for pattern, why in _OTHERS if re.search(pattern, image.lower())),
            "not deployed: the stack runs Kestra alone; what Kestra's flows need of it must be reachable from the cluster",
        )
        volumes = service.spec.get("volumes")
        names = [
            str(v.get("source") or "") if isinstance(v, dict) else str(v).partition(":")[0]
            for v in (volumes if isinstance(volumes, list) else ())
        ]
        named = [n for n in names if n and n in _mapping(top.get("volumes"))]
        with_volumes = f" (volumes {', '.join(named)})" if named else ""
        shown = f" ({image})" if image and not unresolved(image) else ""
        assembly.note(
            "not carried",
            f"services.{service.name}",
            f"{service.name}{shown}: {why}{with_volumes}",
            origin=service.origin(),
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
