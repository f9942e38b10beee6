"""`kestra.server` and `kestra.heartbeat`."""

from __future__ import annotations

from typing import Literal

from .base import LARGEST, Duration, Model, Secret, StrictBool, StrictInt, key

CONFIG = "Kestra ServerConfig"
AUTH = "Kestra BasicAuthService"


class BasicAuth(Model):
    """Log-in of the open-source edition."""

    enabled: StrictBool | None = key(
        None,
        "Ignored by Kestra since 0.24: authentication is always on.",
        until="0.23",
        source=AUTH,
    )
    username: str | None = key(None, "E-mail address, 256 characters at most.", source=AUTH)
    password: Secret | None = key(
        None,
        "8 to 256 characters with a lower-case and an upper-case letter and a digit. Absent: generated.",
        source=AUTH,
    )
    realm: str | None = key(None, "Realm of the challenge (Kestra: `Kestra`).", source=AUTH)
    open_urls: tuple[str, ...] = key(
        (), "Path prefixes that need no log-in, such as webhooks.", source=AUTH
    )


class Liveness(Model):
    """How Kestra finds out that a server instance is dead. The same on every component."""

    enabled: StrictBool = key(True, "Whether dead instances are detected.", source=CONFIG)
    interval: Duration | None = key(
        None, "How often liveness is checked (Kestra: 5s).", unit="duration", source=CONFIG
    )
    timeout: Duration | None = key(
        None,
        "How long an instance may be silent (Kestra: 45s; with a Kafka queue: 1m).",
        unit="duration",
        source=CONFIG,
    )
    initial_delay: Duration | None = key(
        None,
        "How long a new instance is spared (Kestra: 45s; with a Kafka queue: 1m).",
        unit="duration",
        source=CONFIG,
    )
    heartbeat_interval: Duration | None = key(
        None,
        "How often an instance reports (Kestra: 3s); below timeout.",
        unit="duration",
        source=CONFIG,
    )


class Purge(Model):
    """Removal of entries of server instances that ended."""

    retention: Duration | None = key(
        None,
        "Age from which an entry is removed (Kestra: 30 days).",
        unit="duration",
        source=CONFIG,
    )
    initial_delay: Duration | None = key(
        None, "Wait before the first run.", unit="duration", source=CONFIG
    )
    fixed_delay: Duration | None = key(None, "Wait between runs.", unit="duration", source=CONFIG)


class ServiceBlock(Model):
    """Server instances as services."""

    purge: Purge | None = key(None, "Removal of old entries.", source=CONFIG)


class Preview(Model):
    """Preview of files in the user interface."""

    initial_rows: StrictInt | None = key(
        None, "Rows shown at first (Kestra: 100).", unit="rows", ge=1, le=LARGEST, source=CONFIG
    )
    max_rows: StrictInt | None = key(
        None, "Rows shown at most (Kestra: 5000).", unit="rows", ge=1, le=LARGEST, source=CONFIG
    )


class Server(Model):
    """The server."""

    basic_auth: BasicAuth | None = key(None, "Log-in of the open-source edition.", source=AUTH)
    liveness: Liveness | None = key(None, "Detection of dead instances.", source=CONFIG)
    worker_task_restart_strategy: (
        Literal["NEVER", "IMMEDIATELY", "AFTER_TERMINATION_GRACE_PERIOD"] | None
    ) = key(
        None,
        "What happens to running tasks of a dead worker (Kestra: AFTER_TERMINATION_GRACE_PERIOD).",
        source=CONFIG,
    )
    termination_grace_period: Duration | None = key(
        None,
        "How long running tasks may take to end at shutdown (Kestra: 5m). The pods' own grace period is a "
        "minute longer.",
        unit="duration",
        source=CONFIG,
    )
    service: ServiceBlock | None = key(None, "Server instances as services.", source=CONFIG)
    preview: Preview | None = key(None, "Preview of files.", source=CONFIG)


class Heartbeat(Model):
    """Kestra ignores this block since 0.16; `kestra:server.liveness` took its place."""

    frequency: Duration | None = key(
        None, "How often workers reported.", unit="duration", until="0.15", source="Kestra 0.15"
    )
    heartbeat_missed: StrictInt | None = key(
        None, "Missed reports until a worker was dead.", ge=1, until="0.15", source="Kestra 0.15"
    )
