"""Where Kestra's server listens by its configuration: ports, TLS, paths.

Measured with Micronaut 4.10 in Kestra 1.3 and 2.0 (docs/kestra-behaviour.md, "Ports and paths";
tests/kestra/test_web_server.py): with TLS the web port is `micronaut.server.ssl.port`, and `micronaut.server.port`
is closed. The management port speaks plain HTTP either way, and its paths begin with the context path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..policy_tables import canonical
from ..settings import Settings
from ..settings.placeholders import resolve_placeholders
from ..settings.walk import dotted, walk_values
from .addresses import read_port
from .pod_variables import values_by_name

HTTP, HTTPS, MANAGEMENT, GRPC = 8080, 8443, 8081, 50051

PORT = "micronaut.server.port"
TLS_PORTS = ("micronaut.server.ssl.port", "micronaut.ssl.port")
TLS_SWITCHES = ("micronaut.server.ssl.enabled", "micronaut.ssl.enabled")
CONTEXT_PATH = "micronaut.server.context-path"
MANAGEMENT_PORT = "endpoints.all.port"
MANAGEMENT_CONTEXT, MANAGEMENT_PATH = "endpoints.all.context-path", "endpoints.all.path"
GRPC_PORT = "kestra.controller.port"
#: Every key that this reads.
KEYS = (
    PORT, *TLS_PORTS, *TLS_SWITCHES, CONTEXT_PATH, MANAGEMENT_PORT, MANAGEMENT_CONTEXT, MANAGEMENT_PATH, GRPC_PORT,
)  # fmt: skip

_PATH = re.compile(r"/*([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?/*")


@dataclass(frozen=True)
class WebServer:
    """Ports and paths of Kestra's server."""

    port: int = HTTP
    """The port of API and user interface: that of TLS where it is on."""
    is_tls: bool = False
    context_path: str = ""
    """Where every path of the web port begins: empty, or `/kestra`."""
    management_port: int = MANAGEMENT
    management_path: str = ""
    """Where every path of the management port begins."""
    prometheus_path: str = "/prometheus"
    """Without what every path of the management port begins with."""
    grpc_port: int = GRPC
    """The port of the controllers of 2.0."""

    @property
    def scheme(self) -> str:
        """`http`, or `https`."""
        return "https" if self.is_tls else "http"

    def management(self, path: str) -> str:
        """The path of an endpoint (`/health`) on the management port."""
        return f"{self.management_path}{path}"

    @classmethod
    def of(cls, configuration: Mapping[str, Any], settings: Settings) -> WebServer:
        """What a configuration makes the server listen on.

        Args:
            configuration: roots and keys of Kestra's file, in any spelling that Micronaut takes.
            settings: whose variables resolve `${NAME}`.

        A value that cannot be read counts as absent; the checks of the settings refuse it.
        """
        values = relevant(configuration, settings)
        is_tls = next((flag(values[k]) for k in TLS_SWITCHES if k in values), False)
        tls_port = next((read_port(values[k]) for k in TLS_PORTS if k in values), None) or HTTPS
        context = path(values.get(CONTEXT_PATH))
        own_context = path(values[MANAGEMENT_CONTEXT]) if MANAGEMENT_CONTEXT in values else None
        management_path = (context if own_context is None else own_context) or ""
        prometheus = _prometheus(configuration)
        return cls(
            tls_port if is_tls else read_port(values.get(PORT)) or HTTP,
            is_tls,
            context or "",
            read_port(values.get(MANAGEMENT_PORT)) or MANAGEMENT,
            management_path + (path(values.get(MANAGEMENT_PATH)) or ""),
            prometheus,
            read_port(values.get(GRPC_PORT)) or GRPC,
        )


def public_url(settings: Settings, server: WebServer) -> str | None:
    """The address that users see: as set, else of the Ingress, else of the HTTPRoute."""
    deployment = settings.deployment
    edge = deployment.ingress or deployment.http_route
    if settings.address is None and edge is not None:
        return f"https://{edge.host}{server.context_path}/"
    return settings.address


def relevant(configuration: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The keys of `KEYS` that a configuration has, to their values with `${NAME}` resolved."""
    names = {canonical(key): key for key in KEYS}
    roots = {"micronaut", "endpoints", "kestra"}
    chosen: dict[str, Any] = {}
    variables: dict[str, str] | None = None
    for place, value in leaves(configuration):
        if place.partition(".")[0] in roots and (key := names.get(canonical(place))):
            if isinstance(value, str) and "${" in value:
                variables = values_by_name(settings) if variables is None else variables
                value = resolve_placeholders(value, variables)
            chosen[key] = value
    return chosen


def leaves(document: Any) -> Iterator[tuple[str, Any]]:
    """Every value of a document with its key, as it is written: `a.b[0].c`."""
    return (
        (dotted(place), value)
        for place, value in walk_values(document)
        if value not in ({}, [], ())
    )


def flag(value: object) -> bool:
    """Whether Micronaut reads a value as true."""
    return value is True or (isinstance(value, str) and value.lower() in ("true", "yes", "on"))


def path(value: object) -> str | None:
    """A path with a slash before and none behind, empty for the root; None for what is none."""
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        return None
    words = value.strip("/")
    return f"/{words}" if words else ""


def _prometheus(configuration: Mapping[str, Any]) -> str:
    for place, value in leaves({"endpoints": configuration.get("endpoints", {})}):
        if canonical(place) == "endpoints.prometheus.path":
            return path(value) or "/prometheus"
    return "/prometheus"
