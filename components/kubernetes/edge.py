"""Where people reach Kestra from outside: Ingress and HTTPRoute. Pure: the objects' fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from ..rendering.web_server import WebServer
from ..settings.edge import HttpRoute, Ingress

GATEWAY_API = "gateway.networking.k8s.io/v1"

#: Controllers that serve plain HTTP beside TLS unless they are told not to: part of the class's name to annotation.
_TLS_ONLY = {
    "nginx": ("nginx.ingress.kubernetes.io/force-ssl-redirect", "true"),
    "traefik": ("traefik.ingress.kubernetes.io/router.entrypoints", "websecure"),
}
#: Controllers that speak plain HTTP to the pods unless they are told not to. Traefik goes by the Service's port.
_TLS_TO_PODS = {
    "nginx": ("nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"),
    "alb": ("alb.ingress.kubernetes.io/backend-protocol", "HTTPS"),
    "haproxy": ("haproxy.org/server-ssl", "true"),
}
#: Parts of the names of classes whose controller is told, or finds out, that the pods speak TLS.
SPEAKS_TLS_TO_PODS = (*_TLS_TO_PODS, "traefik")


def ingress_annotations(ingress: Ingress, *, is_tls: bool = False) -> dict[str, str]:
    """What keeps the ingress to TLS where its controller is known, and what the settings say.

    Args:
        ingress: the settings.
        is_tls: whether Kestra's own web port speaks TLS.
    """
    tables = [_TLS_ONLY, _TLS_TO_PODS] if is_tls else [_TLS_ONLY]
    known = dict(
        pair
        for table in tables
        for name, pair in table.items()
        if name in (ingress.class_name or "")
    )
    if ingress.cluster_issuer:
        known["cert-manager.io/cluster-issuer"] = ingress.cluster_issuer
    elif ingress.issuer:
        known["cert-manager.io/issuer"] = ingress.issuer
    return known | dict(ingress.annotations)


def ingress_spec(ingress: Ingress, server: WebServer, service: pulumi.Input[str]) -> dict[str, Any]:
    """The specification of the Ingress; `service` is the name of the web Service."""
    backend = {"service": {"name": service, "port": {"name": server.scheme}}}
    paths = [{"path": server.context_path or "/", "pathType": "Prefix", "backend": backend}]
    return {
        "ingressClassName": ingress.class_name,
        "tls": [{"hosts": [ingress.host], "secretName": ingress.certificate}],
        "rules": [{"host": ingress.host, "http": {"paths": paths}}],
    }


def web_service_port(server: WebServer) -> dict[str, Any]:
    """The port of the web Service."""
    if server.is_tls:
        return {"name": "https", "port": 443, "targetPort": server.port, "appProtocol": "https"}
    return {"name": "http", "port": 80, "targetPort": server.port}


def route_spec(route: HttpRoute, server: WebServer, service: pulumi.Input[str]) -> dict[str, Any]:
    """The specification of the HTTPRoute; `service` is the name of the web Service."""
    gateway: Mapping[str, str | None] = {
        "name": route.gateway.name,
        "namespace": route.gateway.namespace,
        "sectionName": route.gateway.section_name,
    }
    match = {"path": {"type": "PathPrefix", "value": server.context_path or "/"}}
    port = web_service_port(server)["port"]
    return {
        "parentRefs": [{k: v for k, v in gateway.items() if v is not None}],
        "hostnames": [route.host],
        "rules": [{"matches": [match], "backendRefs": [{"name": service, "port": port}]}],
    }
