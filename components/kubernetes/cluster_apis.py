"""Kinds that are not Kubernetes' own: what serves them, and which setting asks for them."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Group of an API to what serves it, and the setting that asks for it.
SERVED_BY: Mapping[str, tuple[str, str]] = {
    "gateway.networking.k8s.io": (
        "the custom resource definitions of the Gateway API",
        "kestra:deployment.http-route",
    ),
    "external-secrets.io": ("External Secrets Operator, 0.16 or newer", "kestra:store.type"),
    "cert-manager.io": ("cert-manager", "kestra:deployment.grpc-tls"),
    "monitoring.coreos.com": ("the Prometheus Operator", "kestra:deployment.monitoring"),
    "metrics.k8s.io": (
        "the metrics server",
        "autoscaling under kestra:deployment",
    ),
}
_NOT_SERVED = re.compile(r"no matches for kind|apiVersion for this resource does not exist")


def not_served(type_: str, words: str) -> str:
    """What to do where a cluster does not serve a kind; empty for any other failure.

    Args:
        type_: of the resource, `kubernetes:gateway.networking.k8s.io/v1:HTTPRoute`.
        words: what the server said.
    """
    version, _, kind = type_.removeprefix("kubernetes:").rpartition(":")
    served = SERVED_BY.get(version.partition("/")[0])
    if served is None or not _NOT_SERVED.search(words):
        return ""
    what, setting = served
    return (
        f"The cluster does not serve {kind} of {version}.\n  To go on: install {what}.\n"
        f"  Otherwise: remove {setting}."
    )
