"""ServiceMonitor and PodMonitor of the Prometheus Operator. Pure: the objects' fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from ..rendering.pod_variables import values_by_name
from ..rendering.web_server import WebServer
from ..settings import Settings
from ..settings.edge import Monitoring
from ..settings.placeholders import is_placeholder, resolve_placeholders
from .pods import selector

OPERATOR_API = "monitoring.coreos.com/v1"
USERNAME, PASSWORD = "username", "password"


def monitor_kind(monitoring: Monitoring) -> str:
    """The kind of the object."""
    return "PodMonitor" if monitoring.kind == "pod-monitor" else "ServiceMonitor"


def monitor_spec(
    monitoring: Monitoring,
    labels: Mapping[str, str],
    server: WebServer,
    log_in: pulumi.Input[str] | None,
) -> dict[str, Any]:
    """The specification of the monitor.

    Args:
        monitoring: the settings.
        labels: of Kestra's pods and Services.
        server: where the pods answer; the management port speaks plain HTTP, whatever the web port does.
        log_in: name of the stack's Secret with the log-in; None where the endpoints ask for none.
    """
    own = monitoring.log_in_secret
    endpoint: dict[str, Any] = {
        "port": "management",
        "path": server.management(server.prometheus_path),
        "scheme": "http",
    }
    if monitoring.interval:
        endpoint["interval"] = monitoring.interval
    if monitoring.scrape_timeout:
        endpoint["scrapeTimeout"] = monitoring.scrape_timeout
    if own is not None:
        endpoint["basicAuth"] = _basic_auth(own.name, own.username_key, own.password_key)
    elif log_in is not None:
        endpoint["basicAuth"] = _basic_auth(log_in, USERNAME, PASSWORD)
    is_pods = monitoring.kind == "pod-monitor"
    return {
        "jobLabel": "app.kubernetes.io/name",
        "selector": {"matchLabels": selector(labels)},
        "podTargetLabels": ["app.kubernetes.io/component"],
        "podMetricsEndpoints" if is_pods else "endpoints": [endpoint],
    }


def _basic_auth(secret: pulumi.Input[str], username: str, password: str) -> dict[str, Any]:
    return {
        "username": {"name": secret, "key": username},
        "password": {"name": secret, "key": password},
    }


def needs_secret(settings: Settings) -> bool:
    """Whether the stack makes a Secret with the endpoints' log-in for the monitor."""
    monitoring, every = settings.deployment.monitoring, settings.endpoints.all
    has_log_in = every is not None and every.basic_auth is not None
    return has_log_in and monitoring is not None and monitoring.log_in_secret is None


def log_in_data(
    settings: Settings, password: pulumi.Input[str] | None
) -> dict[str, pulumi.Input[str]]:
    """User name and password for the stack's Secret, all secret.

    Args:
        settings: the stack's settings; their variables resolve `${NAME}` in both.
        password: of the management endpoints (secret).
    """
    every, variables = settings.endpoints.all, values_by_name(settings)
    username = (every and every.basic_auth and every.basic_auth.username) or ""
    return {
        USERNAME: pulumi.Output.secret(resolve_placeholders(username, variables)),
        PASSWORD: pulumi.Output.secret(password or "").apply(
            lambda text: resolve_placeholders(text, variables)
        ),
    }


def unresolved_log_in(settings: Settings) -> list[str]:
    """Keys of the endpoints' log-in whose value is a variable that only the pods have."""
    every = settings.endpoints.all
    if every is None or every.basic_auth is None:
        return []
    password, variables = every.basic_auth.password, values_by_name(settings)
    values = {
        USERNAME: every.basic_auth.username or "",
        PASSWORD: password.get_secret_value() if password else "",
    }
    return [
        key
        for key, value in values.items()
        if is_placeholder(resolve_placeholders(value, variables))
    ]
