"""Management endpoints: who can read them, and what stands open without a log-in.

What Micronaut makes of the keys is measured: docs/kestra-behaviour.md, "Management endpoints".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ...settings.endpoints import EnabledEndpoint, Endpoints
from ...settings.findings import Finding
from ...settings.model import Settings
from ..schema import LONG_NAME

_LOG_IN = "set kestra:endpoints.all.basic-auth.username (its password is generated)"
#: Endpoints that change the server: what a request does.
_CHANGING = {
    "stop": "ends the server",
    "refresh": "has it read its configuration again",
    "caches": "empties its caches",
}
#: Endpoints that show the inside: what they show.
_SHOWING = {
    "env": "which settings Kestra has and where they come from",
    "beans": "the parts of the program",
    "routes": "every path of the server",
    "threaddump": "what every thread does",
    "flyway": "the migrations of the database",
    "worker": "the tasks that run, as their flows write them",
    "scheduler": "the triggers, as their flows write them",
}
#: Off unless they are switched on.
_OFF = ("env", "stop", "caches")
_READABLE = ("info", "metrics", "prometheus", "loggers")


def check(s: Settings) -> Iterator[Finding]:
    """The log-in, ids that nobody knows, and for each endpoint whether the right ones reach it."""
    yield from _log_in(s)
    yield from _ids(s)
    yield from _health(s)
    if s.endpoints.all and s.endpoints.all.basic_auth:
        yield from _refused(s)
    else:
        yield from opened_without_log_in(s)
        yield from _monitoring(s)


def _log_in(s: Settings) -> Iterator[Finding]:
    """The management endpoints' log-in is compared word by word."""
    auth = s.endpoints.all and s.endpoints.all.basic_auth
    at = ("endpoints", "all", "basic-auth", "username")
    if auth and not auth.username:
        yield Finding(
            at,
            "is missing",
            "a log-in of the management endpoints has a user name",
            "add it",
            kind="missing",
        )
    elif auth and auth.username and ":" in auth.username:
        yield Finding(
            at,
            "holds a colon",
            "HTTP basic authentication ends the user name at the first colon",
            "choose another",
        )


def _ids(s: Settings) -> Iterator[Finding]:
    """An id beyond the fields may be a plugin's; one that nearly is a known one is a misspelling."""
    known = [field.alias or name for name, field in Endpoints.model_fields.items()]
    for name in s.endpoints.model_extra or {}:
        near = difflib.get_close_matches(name[:LONG_NAME], known, n=1, cutoff=0.8)
        yield Finding(
            ("endpoints", name),
            "is no known key" if near else "is no endpoint that this program knows",
            "Micronaut ignores the settings of an endpoint that the server does not have",
            f"did you mean {near[0]}" if near else "check its id",
            warning=not near,
            kind="unknown-key",
        )


def _health(s: Settings) -> Iterator[Finding]:
    """The probes ask /health, and a pod whose probes fail is restarted for ever."""
    health = s.endpoints.health
    if health is None:
        return
    at = ("endpoints", "health")
    rule = "the probes of the pods ask /health; refused or gone, no pod is ever ready"
    if health.enabled is False:
        yield Finding((*at, "enabled"), "takes away what the probes ask", rule, "remove it")
    if health.sensitive:
        yield Finding((*at, "sensitive"), "closes what the probes ask", rule, "remove it")
    if health.details_visible == "AUTHENTICATED" and not s.is_enterprise:
        yield Finding(
            (*at, "details-visible"),
            "shows details to nobody",
            "the open-source edition has no users that Micronaut knows, and the endpoints' log-in is none",
            f"remove it, and {_LOG_IN}: details are then for who has the log-in; or write NEVER",
            warning=True,
        )


def _refused(s: Settings) -> Iterator[Finding]:
    """`sensitive: true` beside a log-in reads as "only with the log-in", and means "nobody"."""
    if s.is_enterprise:
        # Its own users may pass: closed code, not shown.
        return
    rule = "without users of its own, which the open-source edition lacks, Micronaut refuses a sensitive endpoint"
    fix = "remove it: the log-in is asked for at every endpoint"
    if s.endpoints.all and s.endpoints.all.sensitive:
        yield Finding(
            ("endpoints", "all", "sensitive"),
            "closes every endpoint but health to everybody, logged in or not",
            rule,
            fix,
            warning=True,
        )
    for name in _READABLE:
        endpoint: EnabledEndpoint | None = getattr(s.endpoints, name)
        if endpoint and endpoint.sensitive and endpoint.enabled is not False:
            yield Finding(
                ("endpoints", name, "sensitive"),
                f"closes /{name} to everybody, logged in or not",
                rule,
                fix,
                warning=True,
            )


def opened_without_log_in(s: Settings) -> Iterator[Finding]:
    """What stands open to everybody who reaches the port."""
    chosen = s.endpoints
    everything = chosen.all.sensitive if chosen.all else None
    whoever = "to everybody who reaches the management port"
    if everything is False:
        yield Finding(
            ("endpoints", "all", "sensitive"),
            f"opens metrics, loggers, threads, routes and refresh {whoever}",
            "without a log-in whoever reaches the port reads and uses what is open",
            f"remove it, or {_LOG_IN}",
            warning=True,
        )
    for name in (*_CHANGING, *_SHOWING):
        endpoint: EnabledEndpoint | None = getattr(chosen, name)
        if (
            endpoint is None
            or endpoint.enabled is False
            or not (
                endpoint.sensitive is False or (endpoint.sensitive is None and everything is False)
            )
        ):
            continue
        if name in _OFF and not endpoint.enabled:
            continue
        last = "enabled" if endpoint.sensitive is None else "sensitive"
        if name in _CHANGING:
            yield Finding(
                ("endpoints", name, last),
                f"stands open: a request to /{name} without a log-in {_CHANGING[name]}",
                "an endpoint that changes the server needs a log-in",
                f"remove it, or {_LOG_IN}",
            )
        else:
            yield Finding(
                ("endpoints", name, last),
                f"shows {_SHOWING[name]} {whoever}",
                "an endpoint that shows the inside needs a log-in",
                f"remove it, or {_LOG_IN}",
                warning=True,
            )
    loggers = chosen.loggers
    if loggers and loggers.write_sensitive is False and loggers.enabled is not False:
        yield Finding(
            ("endpoints", "loggers", "write-sensitive"),
            f"lets levels of the log be changed {whoever.replace('to everybody', 'by everybody')}",
            "at its finest level a log holds what passes through Kestra",
            f"remove it, or {_LOG_IN}",
            warning=True,
        )


def _monitoring(s: Settings) -> Iterator[Finding]:
    """A port that is opened for Prometheus, where nobody may read."""
    network = s.deployment.network_policy
    if not network.enabled or network.monitoring_namespace is None:
        return
    # A monitor says the same of itself.
    if s.deployment.monitoring is None and not reads_prometheus(s):
        yield Finding(
            ("deployment", "network-policy", "monitoring-namespace"),
            "opens a port at which nobody can read /prometheus",
            "without a log-in of the endpoints Micronaut refuses it to everybody",
            f"{_LOG_IN}, or kestra:endpoints.prometheus.sensitive to false, which lets that namespace read "
            "without a log-in",
            warning=True,
        )


def reads_prometheus(s: Settings) -> bool:
    """Whether /prometheus answers where the endpoints ask for no log-in."""
    chosen = s.endpoints
    everything = chosen.all.sensitive if chosen.all else None
    own = chosen.prometheus.sensitive if chosen.prometheus else None
    return (everything if own is None else own) is False
