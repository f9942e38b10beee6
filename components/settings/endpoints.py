"""The root key `endpoints`: Micronaut's management endpoints on a port of their own.

What Micronaut makes of these keys is measured: docs/kestra-behaviour.md, "Management endpoints".
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from .base import Model, Secret, Size, StrictBool, StrictInt, key

HARDENING = "Kestra documentation, migration-guide/v2.0.0/management-endpoint-hardening"
MICRONAUT = "Micronaut documentation, management and monitoring"


class EndpointsBasicAuth(Model):
    """Log-in of the management endpoints, health included."""

    username: str | None = key(None, "User name; required with basic-auth.", source=HARDENING)
    password: Secret | None = key(None, "Password. Absent: generated.", source=HARDENING)


class AllEndpoints(Model):
    """Every management endpoint."""

    basic_auth: EndpointsBasicAuth | None = key(
        None,
        "Log-in; the probes of the deployment then carry it. With it health (and its details), info, metrics, "
        "prometheus and loggers answer who is logged in, and nobody else.",
        source=HARDENING,
    )
    port: StrictInt | None = key(
        None,
        "Port of the management endpoints (Kestra: 8081).",
        ge=1024,
        le=65535,
        source=HARDENING,
    )
    sensitive: StrictBool | None = key(
        None,
        "What counts for an endpoint without a value of its own. true: Micronaut refuses it to everybody, logged in "
        "or not (the Enterprise Edition's own users may pass). Rendered as true with a log-in, and on 1.3.",
        source=HARDENING,
    )


class EnabledEndpoint(Model):
    """An endpoint that can be switched off."""

    enabled: StrictBool | None = key(None, "Whether it exists.", source=HARDENING)
    sensitive: StrictBool | None = key(
        None,
        "true: refused to everybody. false: open to whoever has the log-in, and to all where there is none.",
        source=HARDENING,
    )


class OtherEndpoint(EnabledEndpoint):
    """An endpoint without keys of its own."""

    path: str | None = key(
        None,
        "Its path, where it is not its id.",
        pattern=r"^/[A-Za-z0-9/_-]*$",
        source=MICRONAUT,
    )


class EnvEndpoint(EnabledEndpoint):
    """`/env`."""

    active_keys: tuple[str, ...] = key(
        (), "Parts that it shows (Micronaut: all of them).", source=MICRONAUT
    )


class HealthIndicator(Model):
    """A part of `/health`."""

    enabled: StrictBool | None = key(None, "Whether it is a part.", source=MICRONAUT)


class DiskSpace(HealthIndicator):
    """Whether a disk has space left."""

    path: str | None = key(None, "A folder on the disk.", source=MICRONAUT)
    threshold: Size | None = key(
        None,
        "Space below which it is down, as 10MB or a number of bytes (Micronaut: 10485760).",
        unit="size",
        source=MICRONAUT,
    )


class HealthEndpoint(EnabledEndpoint):
    """`/health`."""

    details_visible: Literal["ANONYMOUS", "AUTHENTICATED", "NEVER"] | None = key(
        None,
        "Who sees details. ANONYMOUS: whoever gets an answer, so with a log-in who has it (rendered then). "
        "AUTHENTICATED: users of the Enterprise Edition, and nobody on the open-source edition (rendered on 1.3 "
        "without a log-in). NEVER: nobody.",
        source=HARDENING,
    )
    disk_space: DiskSpace | None = key(
        None, "Whether a disk has space left is a part.", source=MICRONAUT
    )
    discovery_client: HealthIndicator | None = key(
        None, "Service discovery is a part.", source=MICRONAUT
    )
    jdbc: HealthIndicator | None = key(None, "The databases are a part.", source=MICRONAUT)


class LoggersEndpoint(EnabledEndpoint):
    """`/loggers`."""

    write_sensitive: StrictBool | None = key(
        None,
        "true: nobody may change a level. false: who may read them may. Rendered as true on 1.3; 2.0 has it by itself.",
        source=HARDENING,
    )


class Endpoints(Model):
    """Management endpoints (port 8081). Any other endpoint's id is a key too."""

    model_config = ConfigDict(extra="allow")
    OTHERS: ClassVar[type[Model] | None] = OtherEndpoint
    __pydantic_extra__: dict[str, OtherEndpoint] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]

    all: AllEndpoints | None = key(None, "Every endpoint.", source=HARDENING)
    env: EnvEndpoint | None = key(
        None, "`/env`: off, since it shows the configuration.", source=HARDENING
    )
    health: HealthEndpoint | None = key(None, "`/health`: what the probes ask.", source=HARDENING)
    loggers: LoggersEndpoint | None = key(None, "`/loggers`: levels of the log.", source=HARDENING)
    worker: EnabledEndpoint | None = key(
        None, "`/worker`: the tasks that run, as their flows write them.", source=HARDENING
    )
    scheduler: EnabledEndpoint | None = key(
        None, "`/scheduler`: the triggers, as their flows write them.", source=HARDENING
    )
    info: OtherEndpoint | None = key(None, "`/info`: about the application.", source=MICRONAUT)
    metrics: OtherEndpoint | None = key(None, "`/metrics`: metrics as JSON.", source=MICRONAUT)
    prometheus: OtherEndpoint | None = key(
        None, "`/prometheus`: metrics for Prometheus.", source=MICRONAUT
    )
    beans: OtherEndpoint | None = key(None, "`/beans`: parts of the program.", source=MICRONAUT)
    routes: OtherEndpoint | None = key(None, "`/routes`: paths of the server.", source=MICRONAUT)
    threaddump: OtherEndpoint | None = key(
        None, "`/threaddump`: what the threads do.", source=MICRONAUT
    )
    caches: OtherEndpoint | None = key(
        None, "`/caches`: reads and empties caches; off, or closed to everybody.", source=MICRONAUT
    )
    flyway: OtherEndpoint | None = key(
        None, "`/flyway`: migrations of the database.", source=MICRONAUT
    )
    refresh: OtherEndpoint | None = key(
        None, "`/refresh`: reads the configuration again.", source=MICRONAUT
    )
    stop: OtherEndpoint | None = key(
        None, "`/stop`: ends the server; off, or closed to everybody.", source=MICRONAUT
    )
