"""Ports and paths of Kestra's server that probes, Services and policies follow: that they can be followed."""

from __future__ import annotations

from collections.abc import Iterator

from ...policy_tables import canonical
from ...settings.findings import Finding
from ...settings.model import Settings


def check(s: Settings) -> Iterator[Finding]:
    """Two servers on one port, a path that a probe cannot ask, and an address outside of the context path."""
    # Rendering is above the settings: imported when it is used.
    from ...rendering.addresses import read_port, url_path
    from ...rendering.configuration import render
    from ...rendering.web_server import HTTP, WebServer, leaves, path, relevant

    if not sets_further_keys(s):
        every = s.endpoints.all
        yield from _one_port(HTTP, (every and every.port) or 0, [])
        return
    document = render(s).document
    places = {canonical(written): written for written, _ in leaves(document)}
    values = relevant(document, s)
    for key, value in values.items():
        loc = tuple(places[canonical(key)].removeprefix("kestra.").split("."))
        if key.endswith("path") and path(value) is None:
            yield Finding(
                loc,
                "is no path that the probes can ask",
                "the probes follow it: letters, digits and . _ ~ - between slashes",
                "write for example /kestra",
            )
        elif key.endswith(".port") and read_port(value) is None:
            yield Finding(
                loc,
                "is no port that can be read here",
                "probes, Services and network policies follow it",
                "write a number from 1024 to 65535",
            )
    server = WebServer.of(document, s)
    yield from _one_port(server.port, server.management_port, list(values))
    url = s.address
    is_inside = url and f"{url_path(url).rstrip('/')}/".startswith(f"{server.context_path}/")
    if url and "${" not in url and not is_inside:
        yield Finding(
            ("deployment", "url") if s.deployment.url else ("url",),
            f"does not begin with the context path {server.context_path}",
            "Kestra makes its links of kestra.url, and serves nothing outside of micronaut.server.context-path",
            f"write {url.rstrip('/')}{server.context_path}/",
            warning=True,
        )


def sets_further_keys(s: Settings) -> bool:
    """Whether a stack has keys beyond those of the models: without them the web server is as it always is."""
    return bool(s.catalogue_keys or s.additional_configuration)


def _one_port(web: int, management: int, keys: list[str]) -> Iterator[Finding]:
    if web != management:
        return
    key = next((key for key in keys if key.endswith(".port")), "endpoints.all.port")
    yield Finding(
        tuple(key.removeprefix("kestra.").split(".")),
        f"is {web}, the port of the web server and of the management endpoints",
        "the management endpoints have a port of their own, which nobody reaches from outside",
        "choose another port",
    )
