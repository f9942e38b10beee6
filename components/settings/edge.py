"""How people and Prometheus reach Kestra: Ingress, HTTPRoute, ServiceMonitor."""

from __future__ import annotations

from typing import Literal

from .base import SOURCE_PROJECT, Model, key
from .pods import SUBDOMAIN

NAME = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
K8S = SOURCE_PROJECT + "; Kubernetes naming rules"
GATEWAY_API = "Gateway API reference, HTTPRoute"
CERT_MANAGER = "cert-manager documentation, annotated Ingress resource"
OPERATOR = "Prometheus Operator API reference"

#: Name of the Secret that cert-manager makes where the settings name none.
MADE_BY_CERT_MANAGER = "kestra-tls"


class Ingress(Model):
    """Ingress, with TLS only."""

    host: str = key(text="Host name.", pattern=SUBDOMAIN, source=K8S)
    class_name: str | None = key(None, "Ingress class.", pattern=SUBDOMAIN, source=K8S)
    tls_secret: str | None = key(
        None,
        "Existing Secret with the certificate; required unless an issuer of cert-manager makes it (then "
        f"{MADE_BY_CERT_MANAGER} where none is named).",
        pattern=SUBDOMAIN,
        source=K8S,
    )
    cluster_issuer: str | None = key(
        None,
        "ClusterIssuer of cert-manager that makes the certificate.",
        pattern=SUBDOMAIN,
        source=CERT_MANAGER,
    )
    issuer: str | None = key(
        None,
        "Issuer of cert-manager, in Kestra's namespace, that makes the certificate.",
        pattern=SUBDOMAIN,
        source=CERT_MANAGER,
    )
    annotations: dict[str, str] = key(
        {}, "Annotations for the ingress controller.", source=SOURCE_PROJECT
    )

    @property
    def certificate(self) -> str | None:
        """Name of the Secret with the certificate; None where nothing says it."""
        by_issuer = MADE_BY_CERT_MANAGER if self.cluster_issuer or self.issuer else None
        return self.tls_secret or by_issuer


class Gateway(Model):
    """The Gateway that a route is attached to; it ends TLS."""

    name: str = key(text="Name of the Gateway.", pattern=SUBDOMAIN, source=GATEWAY_API)
    namespace: str | None = key(
        None, "Its namespace (absent: Kestra's).", pattern=NAME, source=GATEWAY_API
    )
    section_name: str | None = key(
        None,
        "Its listener; name the one with TLS, or a listener with plain HTTP serves Kestra too.",
        pattern=SUBDOMAIN,
        source=GATEWAY_API,
    )


class HttpRoute(Model):
    """HTTPRoute of the Gateway API, instead of an Ingress or beside it."""

    host: str = key(text="Host name.", pattern=SUBDOMAIN, source=GATEWAY_API)
    gateway: Gateway = key(text="The Gateway.", source=GATEWAY_API)
    annotations: dict[str, str] = key({}, "Annotations of the route.", source=SOURCE_PROJECT)


class LogInSecret(Model):
    """A Secret of the namespace with the log-in of the management endpoints."""

    name: str = key(text="Name of the Secret.", pattern=SUBDOMAIN, source=OPERATOR)
    username_key: str = key("username", "Its key with the user name.", source=OPERATOR)
    password_key: str = key("password", "Its key with the password.", source=OPERATOR)


class Monitoring(Model):
    """What tells the Prometheus Operator to read `/prometheus` of every pod."""

    kind: Literal["service-monitor", "pod-monitor"] = key(
        "service-monitor", "Which of the operator's objects.", source=OPERATOR
    )
    interval: str | None = key(
        None,
        "How often metrics are read (absent: as Prometheus is set).",
        unit="duration of Prometheus",
        pattern=r"^([0-9]+(ms|[smhdwy]))+$",
        source=OPERATOR,
    )
    scrape_timeout: str | None = key(
        None,
        "How long an answer may take (absent: as Prometheus is set).",
        unit="duration of Prometheus",
        pattern=r"^([0-9]+(ms|[smhdwy]))+$",
        source=OPERATOR,
    )
    labels: dict[str, str] = key(
        {},
        "Labels by which a Prometheus chooses its monitors (`release: prometheus`).",
        source=OPERATOR,
    )
    log_in_secret: LogInSecret | None = key(
        None,
        "Where the endpoints' log-in is read (absent: a Secret of the stack with it); needed where "
        "kestra:endpoints.all.basic-auth holds ${NAME} of a Secret of yours.",
        source=SOURCE_PROJECT,
    )
