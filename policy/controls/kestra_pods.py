"""Kestra: its pods, and the ways in from outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..application import CARRIERS, Application, seconds
from ..cluster_objects import CONFIG_MAP, SECRET
from ..core.model import Context, Finding, Problem, Resource, Stack, control
from ..core.values import UNKNOWN, OutOfView, Undecided, as_list, check_each, get_path, number
from ..effective_configuration import configurations, file_names
from ..mounted_files import mount_of
from ..pods import WORKLOADS, containers, labels, namespace, pod, pod_path
from ..task_definitions import TASK_DEFINITION, task_containers
from .kestra_servers import Server, chart_values, makes_docker

_SERVICE = "kubernetes:core/v1:Service"
_INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
_GATEWAY_API = "kubernetes:gateway.networking.k8s.io/"
_ROUTES = (f"{_GATEWAY_API}v1:HTTPRoute", f"{_GATEWAY_API}v1beta1:HTTPRoute")
_GATEWAYS = (f"{_GATEWAY_API}v1:Gateway", f"{_GATEWAY_API}v1beta1:Gateway")
_GRACE = 300.0  # Kestra's default, in seconds


@control(
    "ks-kestra-15",
    "Pods may end as slowly as Kestra's tasks",
    "medium",
    risk="A pod that is killed before its tasks have ended leaves them half done.",
    steps=(
        "Set terminationGracePeriodSeconds above kestra.server.termination-grace-period (default 5m).",
    ),
    setting="kestra:server.termination-grace-period (pods get a minute more)",
)
def grace(stack: Stack, _: Context) -> Iterator[Finding]:
    def judge(application: Application) -> Iterator[Finding]:
        workload = _workload(stack, application.server)
        if workload is None:
            return
        key = "kestra.server.termination-grace-period"
        written = application.get(key)
        needed = (written and seconds(written)) or _GRACE
        period = number(get_path(pod(workload), "terminationGracePeriodSeconds"))
        period = 30.0 if period is None else period
        if period <= needed:
            where = f"{pod_path(workload)}.terminationGracePeriodSeconds"
            actual = f"gives {period:.0f}s, Kestra takes {application.shown(key, f'{needed:.0f}s')}"
            expected = f"more than {application.shown(key, f'{needed:.0f}')}"
            yield Problem(actual, expected, where, workload)

    yield from per_server(stack, judge)


def _workload(stack: Stack, server: Server | None) -> Resource | None:
    """The workload of a server, be it what a chart makes; None for a document alone."""
    if server is None:
        return None
    for workload in stack.of(*WORKLOADS):
        component = labels(workload).get("app.kubernetes.io/component")
        if workload is server.resource or (
            workload.origin is server.resource and component == server.component
        ):
            return workload
    return None


def per_server(
    stack: Stack, judge: Callable[[Application], Iterable[Finding]]
) -> Iterator[Finding]:
    """Judges the configurations of a stack, and says of which workloads it is unknown."""
    known = configurations(stack)
    yield from known.undecided
    yield from check_each(known.applications, judge)


@control(
    "ks-kestra-16",
    "What Kestra deletes on start can be deleted",
    "high",
    risk="A file of a ConfigMap cannot be deleted: Kestra stops at its start, or the file stays.",
    steps=(
        "Copy the file into an emptyDir before the start, and name the copy in MICRONAUT_CONFIG_FILES.",
    ),
    setting="kestra:configurations.delete-files-on-start",
)
def config_file_deletable(stack: Stack, _: Context) -> Iterator[Finding]:
    def judge(application: Application) -> Iterator[Finding]:
        server, variables = application.server, application.variables
        deletes = application.is_true("kestra.configurations.delete-files-on-start")
        if (
            not deletes
            or server is None
            or variables is None
            or server.resource.type not in WORKLOADS
        ):
            return
        text = variables.get("KESTRA_CONFIGURATION")
        if text and text.text():
            # The file is the one that the launcher writes.
            return
        for file in file_names(variables):
            mount = mount_of(file, server.mounts.mounts)
            name = get_path(mount, "name")
            volume = next(
                (v for v in as_list(server.mounts.volumes) if get_path(v, "name") == name), None
            )
            fixed = any(
                get_path(volume, kind) is not None for kind in ("configMap", "secret", "projected")
            )
            if mount is None or volume is None or fixed or get_path(mount, "readOnly"):
                actual = f"has {file} where Kestra cannot delete it"
                where = f"{server.path.removesuffix('.env')}.volumeMounts"
                yield Problem(actual, "a copy in an emptyDir", where, server.resource)

    yield from per_server(stack, judge)


@control(
    "ks-kestra-17",
    "The management port stays inside",
    "high",
    risk="From outside, the management port shows what Kestra is made of, and can be asked to change it.",
    steps=("Give the port to no Ingress, HTTPRoute, LoadBalancer or NodePort.",),
    setting="components/kubernetes/deployment.py (a headless Service of its own)",
)
def management_inside(stack: Stack, _: Context) -> Iterator[Finding]:
    def managed(service: Resource) -> list[Any]:
        return [
            p
            for p in as_list(service.get_path("spec.ports"))
            if "management" in (get_path(p, "name"), get_path(p, "targetPort"))
            or 8081 in (number(get_path(p, "port")), number(get_path(p, "targetPort")))
        ]

    def outside(service: Resource) -> Iterator[Finding]:
        kind = service.get_path("spec.type")
        if kind in ("LoadBalancer", "NodePort") and managed(service):
            yield Problem(
                f"offers the management port by {kind}", "a ClusterIP", "spec.ports", service
            )

    def leads(edge: Resource, name: Any, ports: set[Any]) -> Iterator[Finding]:
        for service in stack.of(_SERVICE):
            if service.get_path("metadata.name") == name and namespace(service) == namespace(edge):
                ports |= {
                    "management"
                    for p in managed(service)
                    if {get_path(p, "name"), number(get_path(p, "port"))} & (ports - {None})
                }
        if ports & {"management", 8081.0}:
            yield Problem("leads to the management port", "the port http", "spec.rules", edge)

    def ingress(edge: Resource) -> Iterator[Finding]:
        for rule in as_list(edge.get_path("spec.rules")):
            for path in as_list(get_path(rule, "http.paths")):
                backend = get_path(path, "backend.service")
                ports = {get_path(backend, "port.name"), number(get_path(backend, "port.number"))}
                yield from leads(edge, get_path(backend, "name"), ports)

    def route(edge: Resource) -> Iterator[Finding]:
        for backend in _backends(edge):
            yield from leads(edge, get_path(backend, "name"), {number(get_path(backend, "port"))})

    yield from check_each(stack.of(_SERVICE), outside)
    yield from check_each(stack.of(_INGRESS), ingress)
    yield from check_each(stack.of(*_ROUTES), route)


def _backends(route: Resource) -> list[Any]:
    """What an HTTPRoute leads to."""
    return [
        b
        for rule in as_list(route.get_path("spec.rules"))
        for b in as_list(get_path(rule, "backendRefs"))
    ]


@control(
    "ks-kestra-18",
    "Kestra is reached over TLS only",
    "high",
    risk="Without TLS, passwords and secrets that people type cross the network in clear.",
    steps=(
        "Give every host of an Ingress a certificate in spec.tls.",
        "Attach an HTTPRoute to a listener of its Gateway with TLS (sectionName).",
        "Offer no plain port to the outside.",
    ),
    setting="kestra:deployment.ingress.tls-secret, kestra:deployment.http-route.gateway.section-name",
)
def tls_only(stack: Stack, _: Context) -> Iterator[Finding]:
    yield from check_each(stack.of(_SERVICE), _plain_service)
    yield from check_each(stack.of(_INGRESS), _uncovered_hosts)
    yield from check_each(
        [(route, parent) for route in stack.of(*_ROUTES) for parent in _parents(route)],
        lambda pair: _plain_listeners(stack, *pair),
    )


def _plain_service(service: Resource) -> Iterator[Finding]:
    if service.get_path("spec.type") in ("LoadBalancer", "NodePort"):
        plain = [
            p
            for p in as_list(service.get_path("spec.ports"))
            if number(get_path(p, "port")) in (80, 8080)
        ]
        if plain:
            yield Problem(
                "offers a plain port to the outside", "an Ingress with TLS", "spec.type", service
            )


def _uncovered_hosts(ingress: Resource) -> Iterator[Finding]:
    covered = {
        host
        for entry in as_list(ingress.get_path("spec.tls"))
        for host in as_list(get_path(entry, "hosts"))
    }
    for position, rule in enumerate(as_list(ingress.get_path("spec.rules"))):
        host = get_path(rule, "host")
        if host not in covered:
            yield Problem(
                f"has no certificate for {host or 'any host'}",
                "the host in spec.tls",
                f"spec.rules.{position}",
                ingress,
            )


def _parents(route: Resource) -> list[Any]:
    """The Gateways of an HTTPRoute that leads somewhere; one that only redirects is meant for plain HTTP."""
    try:
        return as_list(route.get_path("spec.parentRefs")) if _backends(route) else []
    except Undecided:
        return [UNKNOWN]


def _plain_listeners(stack: Stack, route: Resource, parent: Any) -> Iterator[Finding]:
    name, listener = get_path(parent, "name"), get_path(parent, "sectionName")
    inside = get_path(parent, "namespace") or namespace(route)
    for gateway in stack.of(*_GATEWAYS):
        if gateway.get_path("metadata.name") != name or namespace(gateway) != inside:
            continue
        for own in as_list(gateway.get_path("spec.listeners")):
            if listener in (None, get_path(own, "name")) and get_path(own, "protocol") not in (
                "HTTPS",
                "TLS",
            ):
                yield Problem(
                    f"is attached to the listener {get_path(own, 'name')} with {get_path(own, 'protocol')}",
                    "a listener with HTTPS",
                    "spec.parentRefs",
                    route,
                )
        return
    raise OutOfView(f"the listeners of the Gateway {name}")


@control(
    "ks-kestra-19",
    "No Docker in the pod",
    "critical",
    risk="Docker inside the pod, or its socket, is root on the node.",
    steps=(
        "Run tasks with the Kubernetes or the process runner.",
        "With the chart: dind.enabled: false.",
    ),
    setting="components/kubernetes/pods.py (has none)",
    types=tuple(t for t in CARRIERS if t not in (CONFIG_MAP, SECRET)),
)
def no_docker(resource: Resource, _: Context) -> Iterator[Finding]:
    if ":helm.sh/" in resource.type:
        chosen = chart_values(resource)
        is_silent = chosen is not None and get_path(chosen[1], "dind.enabled") is None
        if is_silent and resource.get_path("valueYamlFiles"):
            raise OutOfView("dind.enabled of the chart's valueYamlFiles")
        if chosen and makes_docker(chosen[1]):
            where = f"{chosen[0]}.dind.enabled"
            yield Problem("starts Docker (the chart's default)", "false", where)
        return
    is_task = resource.type == TASK_DEFINITION
    every = [c for c, _ in task_containers(resource)] if is_task else containers(resource)
    for container in every:
        if re.search(r"(^|[/:-])(docker:|docker$|dind)", str(container.get_path("image") or "")):
            yield Problem(f"container {container.name} is Docker", "none", container.path)
    volumes = resource.get_path("volumes") if is_task else get_path(pod(resource), "volumes")
    for volume in as_list(volumes):
        path = get_path(volume, "hostPath" if is_task else "hostPath.path")
        if str(path or "").endswith("docker.sock"):
            where = "volumes" if is_task else f"{pod_path(resource)}.volumes"
            yield Problem("mounts Docker's socket", "none", where)
