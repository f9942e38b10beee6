"""The monitor of Kestra's pods, for the stacks that ask for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import core

from ..rendering.web_server import WebServer
from ..settings import Settings
from . import monitoring
from .custom_resources import custom_resource


def register_monitor(
    name: str,
    settings: Settings,
    metadata: Mapping[str, Any],
    server: WebServer,
    password: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Registers a ServiceMonitor or PodMonitor, and the Secret that it logs in with; nothing where none is asked for.

    Args:
        name: beginning of the logical names.
        settings: the stack's settings.
        metadata: with the namespace and the labels of Kestra's pods, and without a name.
        server: where the pods answer.
        password: of the management endpoints (secret).
        opts: of the resources.
    """
    chosen = settings.deployment.monitoring
    if chosen is None:
        return
    log_in = None
    if monitoring.needs_secret(settings):
        described: Any = metadata
        log_in = core.v1.Secret(
            f"{name}-monitoring",
            metadata=described,
            type="Opaque",
            string_data=monitoring.log_in_data(settings, password),
            immutable=True,
            opts=opts,
        ).metadata.name
    custom_resource(
        f"{name}-monitor",
        monitoring.OPERATOR_API,
        monitoring.monitor_kind(chosen),
        {**metadata, "name": "kestra", "labels": metadata["labels"] | dict(chosen.labels)},
        monitoring.monitor_spec(chosen, metadata["labels"], server, log_in),
        opts,
    )
