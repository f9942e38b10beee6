"""Ingress, HTTPRoute and monitors: what they need to work."""

from __future__ import annotations

from collections.abc import Iterator

from ...settings.findings import Finding
from ...settings.model import Settings
from .endpoints import reads_prometheus
from .web_server import sets_further_keys


def check(s: Settings) -> Iterator[Finding]:
    """Certificates, the namespaces that traffic comes from, and TLS up to the pods."""
    yield from _ingress(s)
    yield from _route(s)
    yield from _ingress_namespace(s)
    yield from _tls_to_pods(s)
    yield from _monitoring(s)
    yield from _names(s)


def _ingress(s: Settings) -> Iterator[Finding]:
    ingress, at = s.deployment.ingress, ("deployment", "ingress")
    if ingress is None:
        return
    if ingress.certificate is None:
        yield Finding(
            (*at, "tls-secret"),
            "is missing",
            "an ingress serves TLS only",
            "name the Secret with the certificate, or set cluster-issuer or issuer, which have cert-manager make it",
            kind="missing",
        )
    if ingress.cluster_issuer and ingress.issuer:
        yield Finding(
            (*at, "issuer"),
            "is set beside cluster-issuer",
            "cert-manager takes one issuer for a certificate",
            "remove one of the two",
        )


def _route(s: Settings) -> Iterator[Finding]:
    route, ingress, at = s.deployment.http_route, s.deployment.ingress, ("deployment", "http-route")
    if route is None:
        return
    if route.gateway.section_name is None:
        yield Finding(
            (*at, "gateway", "section-name"),
            "is not set",
            "the route is attached to every listener of the Gateway, one with plain HTTP included",
            "name the listener with TLS",
            warning=True,
        )
    if ingress is not None and ingress.host != route.host and s.deployment.url is None:
        yield Finding(
            ("deployment", "url"),
            "is not set",
            f"Kestra has one address for its links: without it that of the ingress, {ingress.host}",
            "set the address that users open",
            warning=True,
        )


def _ingress_namespace(s: Settings) -> Iterator[Finding]:
    """The namespace of what hands requests on: the policies let nobody else to the web port."""
    network = s.deployment.network_policy
    entrances = [
        text
        for text, block in (
            ("the ingress controller", s.deployment.ingress),
            ("the Gateway", s.deployment.http_route),
        )
        if block is not None
    ]
    if not entrances or not network.enabled or network.ingress_namespace is not None:
        return
    yield Finding(
        ("deployment", "network-policy", "ingress-namespace"),
        "is not set",
        "the web port is open to pods of Kestra's own namespace alone, and those of "
        f"{' and '.join(entrances)} are elsewhere as a rule",
        f"set it to the namespace of the pods of {' and '.join(entrances)}",
        warning=True,
    )


def _tls_to_pods(s: Settings) -> Iterator[Finding]:
    # Objects and rendering are above the settings: imported when they are used.
    from ...kubernetes.edge import SPEAKS_TLS_TO_PODS
    from ...rendering.configuration import render
    from ...rendering.web_server import WebServer

    ingress, route = s.deployment.ingress, s.deployment.http_route
    if (ingress is None and route is None) or not sets_further_keys(s):
        return
    if not WebServer.of(render(s).document, s).is_tls:
        return
    class_name = ingress.class_name or "" if ingress else ""
    if ingress and not any(name in class_name for name in SPEAKS_TLS_TO_PODS):
        yield Finding(
            ("deployment", "ingress", "class-name"),
            "names no controller that is known to speak TLS to the pods",
            "Kestra's own port speaks TLS (micronaut.server.ssl), and a controller speaks plain HTTP unless it is told",
            "set the controller's annotation for it under kestra:deployment.ingress.annotations",
            warning=True,
        )
    if route:
        yield Finding(
            ("deployment", "http-route"),
            "leads to a port that speaks TLS",
            "a Gateway speaks plain HTTP to pods unless a BackendTLSPolicy says otherwise, and this stack has none",
            "make a BackendTLSPolicy for the Service kestra-web, or remove kestra:micronaut.server.ssl",
            warning=True,
        )


def _monitoring(s: Settings) -> Iterator[Finding]:
    from ...kubernetes.monitoring import needs_secret, unresolved_log_in

    monitoring, at = s.deployment.monitoring, ("deployment", "monitoring")
    if monitoring is None:
        return
    network = s.deployment.network_policy
    if network.enabled and network.monitoring_namespace is None:
        yield Finding(
            ("deployment", "network-policy", "monitoring-namespace"),
            "is not set",
            "the network policies let nobody else to the management port",
            "set it to the namespace of Prometheus",
            warning=True,
        )
    has_log_in = bool(s.endpoints.all and s.endpoints.all.basic_auth)
    if not has_log_in and not reads_prometheus(s):
        yield Finding(
            at,
            "reads an endpoint that answers nobody",
            "without a log-in of the endpoints Micronaut refuses /prometheus to everybody",
            "set kestra:endpoints.all.basic-auth.username (its password is generated), or "
            "kestra:endpoints.prometheus.sensitive to false, which lets that namespace read without a log-in",
            warning=True,
        )
    if needs_secret(s) and (keys := unresolved_log_in(s)):
        yield Finding(
            (*at, "log-in-secret"),
            "is missing",
            f"the {' and '.join(keys)} of kestra:endpoints.all.basic-auth is a variable of the pods, which Prometheus "
            "does not have",
            "name the Secret and its keys, for example log-in-secret: {name: kestra-secrets, password-key: PASSWORD}",
            kind="missing",
        )
    if monitoring.log_in_secret and not has_log_in:
        yield Finding(
            (*at, "log-in-secret"),
            "has no use",
            "the endpoints ask for no log-in",
            "remove it, or set kestra:endpoints.all.basic-auth",
            kind="relation",
        )


def _names(s: Settings) -> Iterator[Finding]:
    network = s.deployment.network_policy
    if network.enabled and not network.dns_namespaces and not network.dns_cidrs:
        yield Finding(
            ("deployment", "network-policy", "dns-namespaces"),
            "is empty, and so is dns-cidrs",
            "without DNS Kestra finds no host by its name",
            "name the namespace or the network of the cluster's DNS",
            warning=True,
        )
