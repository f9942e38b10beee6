"""What the pods' probes, Services and policies have to know of Kestra's ports and paths, and cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from components.settings.findings import Finding
from components.settings.model import Settings
from components.validation.schema import Loc
from policy.environment_variables import canonical

#: Keys that move the server to where nothing follows it; a dot at the end stands for all below.
_UNFOLLOWED = {
    "micronaut.server.host": "binds another address than that of the pod",
    "micronaut.server.netty.listeners.": "replaces the ports that Services and probes ask",
    "micronaut.server.dual-protocol": "opens a port that the Service and the network policy do not know",
}
_FOLLOW = "probes, Services and network policies follow it"


def check(s: Settings) -> Iterator[Finding]:
    """Ports, paths and TLS of the web server."""
    # Rendering is above the settings: imported when it is used.
    from components.rendering.configuration import render
    from components.rendering.web_server import MANAGEMENT_PORT, WebServer, leaves, relevant

    document = render(s).document
    if "micronaut" not in document and s.deployment.url is None:
        # Ports of the models are checked by themselves.
        yield from _same_ports(WebServer.of(document, s), ("endpoints", "all", "port"))
        return
    written = {canonical(place): place for place, _ in leaves(document)}
    values = relevant(document, s)
    for key, value in values.items():
        if key != MANAGEMENT_PORT:
            yield from _readable(key, value, _loc(written[canonical(key)]))
    for place, value in leaves(document):
        yield from _unfollowed(place, value)
    server = WebServer.of(document, s)
    yield from _same_ports(server, _first(values, written))
    yield from _url(s, server)


def _loc(written: str) -> Loc:
    return tuple(written.removeprefix("kestra.").split("."))


def _first(values: Mapping[str, Any], written: Mapping[str, str]) -> Loc:
    ports = (key for key in values if key.endswith(".port"))
    return _loc(written[canonical(next(ports, "endpoints.all.port"))])


def _readable(key: str, value: Any, loc: Loc) -> Iterator[Finding]:
    from components.rendering.addresses import read_port
    from components.rendering.web_server import flag, path

    if key.endswith(".port"):
        port = read_port(value)
        if port is None:
            yield Finding(
                loc,
                "is no port that can be read here",
                f"{_FOLLOW}, so it is a number from 1024 to 65535, or a variable of kestra:deployment.environment",
                "write the number",
            )
        elif port < 1024:
            yield Finding(
                loc,
                "is a port for root",
                "the pods run as a plain user, who may open ports from 1024 on",
                "write for example 8080; the Service listens on 80 or 443 whatever it is",
            )
    elif key.endswith(".enabled"):
        if not flag(value) and str(value).lower() not in ("false", "no", "off"):
            yield Finding(
                loc, "is not true or false", f"{_FOLLOW}", "write true or false"
            )
    elif path(value) is None:
        yield Finding(
            loc,
            "is no path that can be read here",
            f"{_FOLLOW}: letters, digits and . _ ~ - between slashes",
            "write for example /kestra",
        )


def _unfollowed(place: str, value: Any) -> Iterator[Finding]:
    name = canonical(place)
    for key, effect in _UNFOLLOWED.items():
        is_set = name.startswith(canonical(key)) if key.endswith(".") else name == canonical(key)
        if is_set and not (key.endswith("host") and value in ("0.0.0.0", "::")) and value is not False:  # noqa: S104
            yield Finding(
                _loc(place),
                effect,
                "the probes of the pods ask the ports that kestra:micronaut.server.port, .ssl.port and "
                "kestra:endpoints.all.port name, on every address of the pod",
                "remove it",
            )


def _same_ports(server: Any, loc: Loc) -> Iterator[Finding]:
    if server.port == server.management_port:
        yield Finding(
            loc,
            f"is {server.port}, the port of the web server and of the management endpoints",
            "the management endpoints have a port of their own, which nobody reaches from outside",
            "choose another port",
        )


def _url(s: Settings, server: Any) -> Iterator[Finding]:
    url = s.deployment.url
    if not url or "${" in url or not server.context_path:
        return
    if not f"{urlsplit(url).path.rstrip('/')}/".startswith(f"{server.context_path}/"):
        yield Finding(
            ("deployment", "url"),
            f"does not begin with the context path {server.context_path}",
            "Kestra makes links of kestra.url, and serves nothing outside of micronaut.server.context-path",
            f"write {url.rstrip('/')}{server.context_path}/",
            warning=True,
        )
