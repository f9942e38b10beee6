"""Root ``endpoints``: what protects Micronaut's management endpoints and lets people read them.

Measured with Micronaut 4.10 in Kestra's artifacts (docs/kestra-behaviour.md, "Management endpoints";
tests/kestra/test_endpoints.py): ``sensitive: true`` refuses an endpoint to everybody, logged in or not,
as the open core has no micronaut-security. The log-in is Kestra's own filter in front of all of them.
"""

from __future__ import annotations

from .leaves import Node
from .nodes import block, with_password

Blocks = dict[str, dict[str, Node]]

#: Off or closed on 1.3, as 2.0 has it by itself: what shows the configuration, ends the server, empties its caches,
#: or changes what is logged.
_ON_1_3: Blocks = {
    **{name: {"enabled": False} for name in ("env", "stop", "caches")},
    "loggers": {"write-sensitive": True},
}
#: Behind the log-in: what people and Prometheus read is open to it; all else stays refused.
_WITH_LOG_IN: Blocks = {
    "all": {"sensitive": True},
    "health": {"sensitive": False, "details-visible": "ANONYMOUS"},
    **{name: {"sensitive": False} for name in ("info", "metrics", "prometheus", "loggers")},
}
#: Without one, 1.3 gets what 2.0 does by itself. `all.sensitive: true` closes health too, as Micronaut reads it,
#: and the probes need health.
_WITHOUT_ON_1_3: Blocks = {
    "all": {"sensitive": True},
    "health": {"details-visible": "AUTHENTICATED"},
    "worker": {"sensitive": True},
    "scheduler": {"sensitive": True},
}


def endpoints(settings: dict[str, Node], version: str) -> dict[str, Node]:
    """Root ``endpoints``: as set, and where the settings are silent what protects and works.

    Who sets ``all.sensitive: true`` keeps every endpoint but health closed.
    """
    out = block(settings, "endpoints") or {}
    every = block(out, "all") or {}
    for blocks in _added(every, version):
        for name, values in blocks.items():
            out[name] = values | (block(out, name) or {})
    every = block(out, "all")
    if every is not None and "basic-auth" in every:
        credentials = block(every, "basic-auth") or {}
        every["basic-auth"] = with_password(credentials, "endpoints.all.basic-auth.password")
        out["all"] = every
    if every is not None and every.get("sensitive") is True:
        out["health"] = {"sensitive": False} | (block(out, "health") or {})
    return out


def _added(every: dict[str, Node], version: str) -> list[Blocks]:
    added: list[Blocks] = []
    if "basic-auth" in every:
        is_closed = every.get("sensitive") is True
        added.append({"health": _WITH_LOG_IN["health"]} if is_closed else _WITH_LOG_IN)
    elif version == "1.3":
        added.append(_WITHOUT_ON_1_3)
    # Opening all of them was not meant to open these.
    if version == "1.3" or every.get("sensitive") is False:
        added.append(_ON_1_3)
    return added
