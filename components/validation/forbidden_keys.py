"""Keys of Kestra's that another setting, the pods or this project have: may they stand in the settings?"""

from __future__ import annotations

from typing import Any

from ..catalogue import CatalogueKey, KeyPath
from ..settings.base import kebab
from ..settings.model import Settings

Refusal = tuple[str, str, str] | None
"""What is wrong, the rule, the fix; None where nothing is."""

_RESTART = "the pods fail their probes and restart for ever"
_SOURCES = "adds or changes the files that Kestra reads"
#: Keys and blocks that may stand nowhere: effect, fix.
_FORBIDDEN: dict[tuple[str, ...], tuple[str, str]] = {
    ("micronaut", "environments"): (_SOURCES, "remove it and use the settings"),
    ("micronaut", "env"): (_SOURCES, "remove it and use the settings"),
    ("micronaut", "cloud"): (_SOURCES, "remove it and use the settings"),
    ("micronaut", "config"): (_SOURCES, "remove it and use the settings"),
    ("micronaut", "config-client"): (_SOURCES, "remove it and use the settings"),
    ("micronaut", "bootstrap"): (_SOURCES, "remove it and use the settings"),
    ("micronaut", "server", "host"): (
        f"binds another address than the pod's own: {_RESTART}",
        "remove it",
    ),
    ("micronaut", "server", "dual-protocol"): (
        "opens a port that the Service and the network policy do not know",
        "remove it",
    ),
    ("micronaut", "server", "netty", "listeners"): (
        f"replaces the ports that the Services and probes ask: {_RESTART}",
        "set kestra:micronaut.server.port, which they follow",
    ),
    ("endpoints", "all", "path"): (
        f"moves the management endpoints to where the probes do not ask: {_RESTART}",
        "remove it; kestra:micronaut.server.context-path moves them, and the probes follow",
    ),
    ("endpoints", "all", "context-path"): (
        f"moves the management endpoints to where the probes do not ask: {_RESTART}",
        "remove it; kestra:micronaut.server.context-path moves them, and the probes follow",
    ),
    ("endpoints", "all", "enabled"): (
        f"can switch off the endpoint that the probes ask: {_RESTART}",
        "remove it",
    ),
}
#: Keys that probes, Services and network policies follow, and so have to read here.
READ_HERE = (
    ("micronaut", "server", "port"),
    ("micronaut", "server", "context-path"),
    ("micronaut", "server", "ssl", "enabled"),
    ("micronaut", "server", "ssl", "port"),
    ("micronaut", "ssl", "enabled"),
    ("micronaut", "ssl", "port"),
)
_LOG_IN = ("micronaut", "security", "enabled")
#: Owner in the catalogue to the rule and the fix.
_OWNERS = {
    "deployment.mode": (
        "the command of each pod says which component it runs",
        "remove it; kestra:deployment.mode and kestra:deployment.components say what runs",
    ),
    "deployment.worker-groups": (
        "the command of the pod names the group",
        "write the group under kestra:deployment.worker-groups",
    ),
}


def refused(s: Settings, path: KeyPath, value: Any) -> Refusal:
    """What is wrong with a key that may not stand in the settings, nor in `additional-configuration`."""
    names = _names(path)
    if problem := forbidden(path):
        return problem
    if names == _LOG_IN:
        return _log_in(s, value)
    if names in READ_HERE:
        return _read_here(names, value)
    return None


def forbidden(path: KeyPath) -> Refusal:
    """What is wrong with a key that no stack may have."""
    names = _names(path)
    for key, (effect, fix) in _FORBIDDEN.items():
        if names[: len(key)] == key:
            return (effect, f"{'.'.join(key)} decides what the pods read or assume", fix)
    return None


def _names(path: KeyPath) -> tuple[str, ...]:
    return tuple(kebab(part) for part in ".".join(map(str, path)).split("."))


def _log_in(s: Settings, value: Any) -> Refusal:
    if s.edition == "oss":
        return (
            "drops the log-in of open-source Kestra where it is true, and does nothing otherwise",
            "Kestra's own log-in filter is there unless micronaut.security.enabled is true, and the open-source "
            "edition has no other",
            "remove it; kestra:server.basic-auth is the log-in",
        )
    if value is True or value == "true":
        return None
    return (
        "switches off the log-in of the Enterprise Edition unless it is true",
        "that is Micronaut Security, which micronaut.security.enabled: true starts",
        "remove it",
    )


def _read_here(names: tuple[str, ...], value: Any) -> Refusal:
    # Rendering is above the settings: imported when it is used.
    from ..rendering.addresses import read_port

    key = ".".join(names)
    if not isinstance(value, (bool, int)) and (not isinstance(value, str) or "${" in value):
        return (
            "is not readable here",
            f"probes, Services and network policies follow {key}",
            "write the value itself, in clear",
        )
    if names[-1] == "port" and (read_port(value) or 0) < 1024:
        return (
            "is no port that Kestra can listen on",
            "a process without privileges listens on a port from 1024 to 65535",
            "write another port; kestra:deployment.ingress serves Kestra on port 443",
        )
    return None


def owned(s: Settings, key: CatalogueKey, path: KeyPath) -> Refusal:
    """What has a key of the catalogue here, where the settings may not."""
    if key.key.startswith("kestra.worker.controllers.") and key.owner == "deployment.mode":
        if s.deployment.mode != "distributed":
            return None
        return (
            "is the address of the controllers, which this stack sets",
            "in mode distributed the workers of this stack find its own controllers by their Service",
            "remove it; kestra:deployment.components.controller says how many there are",
        )
    if key.owner in _OWNERS:
        return ("is set by this stack", *_OWNERS[key.owner])
    if key.owner.startswith("model:") or key.owner == "deployment.url":
        setting = key.owner.removeprefix("model:")
        return (
            "is written with dots, or in another block than its own",
            f"kestra:{setting} is a setting that this project reads by its levels",
            f"write each level as a block of its own: kestra:{setting}",
        )
    return None
