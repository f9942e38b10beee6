"""Log-in and liveness."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...settings.base import is_readable, reveal
from ...settings.durations import milliseconds
from ...settings.findings import Finding
from ...settings.model import Settings

USERNAME = re.compile(r"[a-zA-Z0-9_!#$%&'*+/=?`{|}~^.-]+@[a-zA-Z0-9.-]+")


def password_rules_broken(password: str) -> list[str]:
    """The rules of Kestra's log-in that a password breaks."""
    rules = (
        (len(password) >= 8, "8 characters at least"),
        (len(password) <= 256, "256 characters at most"),
        (re.search(r"[a-z]", password) is not None, "a lower-case letter"),
        (re.search(r"[A-Z]", password) is not None, "an upper-case letter"),
        (re.search(r"[0-9]", password) is not None, "a digit"),
        ("\n" not in password, "no line break"),
    )
    return [rule for holds, rule in rules if not holds]


def basic_auth(s: Settings) -> Iterator[Finding]:
    """An invalid log-in does not stop Kestra: it opens the public set-up page instead."""
    auth = s.server.basic_auth
    at = ("server", "basic-auth")
    if auth is None:
        if not s.is_enterprise:
            yield Finding(
                at,
                "is missing",
                "without a log-in the first visitor takes over the open-source edition at its set-up page",
                "set username; the password is generated when it is left out",
                kind="missing",
            )
        return
    if auth.enabled is not None:
        yield Finding(
            (*at, "enabled"),
            "has no effect and is not rendered",
            "Kestra ignores it since 0.24; authentication is always on",
            "remove it",
            warning=True,
            kind="relation",
        )
    if auth.username is None:
        yield Finding(
            (*at, "username"),
            "is missing",
            "Kestra needs a user name beside the password",
            "set an e-mail address",
            kind="missing",
        )
    elif is_readable(auth.username) and (
        len(auth.username) > 256 or not USERNAME.fullmatch(auth.username)
    ):
        yield Finding(
            (*at, "username"),
            "is no e-mail address of 256 characters at most",
            "Kestra refuses other user names and opens its set-up page",
            "write an e-mail address",
        )
    password = reveal(auth.password)
    if (
        password is not None
        and is_readable(password)
        and (broken := password_rules_broken(password))
    ):
        yield Finding(
            (*at, "password"),
            f"lacks {', '.join(broken)}"
            if "most" not in str(broken)
            else "is too long or lacks something",
            "8 to 256 characters with a lower-case letter, an upper-case letter and a digit, no line break; "
            "Kestra opens its set-up page otherwise",
            "choose another, or leave it out to have one generated",
        )
    for i, url in enumerate(auth.open_urls):
        if not url.startswith("/") or url.strip("/") == "":
            yield Finding(
                (*at, "open-urls", i),
                "opens everything or is no path",
                "a prefix of a path, beginning with / and naming more than the root",
                "write for example /api/v1/main/executions/webhook/",
            )


def liveness(s: Settings) -> Iterator[Finding]:
    """Kestra takes any relation and then declares living servers dead."""
    live = s.server.liveness
    if live is None:
        return
    at = ("server", "liveness")
    kafka = s.queue is not None and s.queue.type == "kafka"
    timeout = milliseconds(live.timeout or ("1m" if kafka else "45s")) or 0
    if (milliseconds(live.heartbeat_interval or "3s") or 0) >= timeout:
        yield Finding(
            (*at, "heartbeat-interval" if live.heartbeat_interval else "timeout"),
            "is not below the timeout"
            if live.heartbeat_interval
            else "is not above heartbeat-interval (3s)",
            "heartbeat-interval < timeout; otherwise living servers count as dead",
            "shorten heartbeat-interval or lengthen timeout",
            kind="relation",
        )
    if (milliseconds(live.interval or "5s") or 0) > timeout:
        yield Finding(
            (*at, "interval" if live.interval else "timeout"),
            "is above the timeout" if live.interval else "is below interval (5s)",
            "interval <= timeout",
            "shorten interval or lengthen timeout",
            kind="relation",
        )
    if not live.enabled:
        yield Finding(
            (*at, "enabled"),
            "is off, so dead workers are never detected",
            "liveness is on in every environment that runs real work",
            "remove it",
            warning=True,
        )


def ignored(s: Settings) -> Iterator[Finding]:
    """Keys that Kestra accepts and that do nothing."""
    if s.heartbeat is not None:
        yield Finding(
            ("heartbeat",),
            "has no effect and is not rendered",
            "Kestra ignores kestra.heartbeat since 0.16",
            "use kestra:server.liveness.heartbeat-interval and timeout",
            warning=True,
            kind="relation",
        )
