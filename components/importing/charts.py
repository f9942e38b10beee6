"""Kestra's official Helm chart: which release of it runs which Kestra, and which form its values have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

#: `0.x`: `configuration` and options at the root. `1.x`: `configurations`, `common`, `deployments`. `2.x`: that, with
#: controllers of workers.
Generation = Literal["0.x", "1.x", "2.x"]

#: Number of a release 1.0.<n> of the chart to the Kestra that it runs where `image.tag` is empty. The others run the
#: Kestra of their own number. Source: the index and the history of kestra-io/helm-charts, and the chart in
#: kestra-io/kestra since 1.3.16.
_APP_VERSIONS = {
    (0, 1, 2): "1.0.0",
    (3, 4): "1.0.1",
    (5,): "1.0.5",
    (6,): "1.0.6",
    (7, 8): "1.0.7",
    (9, 10): "1.0.8",
    (11,): "1.1.0",
    (12,): "1.1.1",
    (13, 14): "1.1.2",
    (15, 16, 17): "1.1.4",
    (18,): "1.1.5",
    (19, 20): "1.1.6",
    (21,): "1.1.8",
    (22, 23): "1.1.9",
    (24,): "1.1.10",
    (25,): "1.1.11",
    (26,): "1.1.12",
    (27,): "1.1.13",
    (28,): "1.2.0",
    (29, 30): "1.2.1",
    (31, 32): "1.2.2",
    (33,): "1.2.3",
    (34,): "1.2.4",
    (35,): "1.2.5",
    (36,): "1.2.6",
    (37,): "1.2.7",
    (38,): "1.2.8",
    (39,): "1.3.0",
    (40,): "1.3.1",
    (41,): "1.3.2",
    (42,): "1.3.3",
    (43,): "1.3.5",
    (44,): "1.3.6",
    (45,): "1.3.7",
    (46,): "1.3.8",
    (47,): "1.3.9",
    (48,): "1.3.10",
    (49,): "1.3.11",
    (50,): "1.3.12",
    (51,): "1.3.13",
    (52, 53): "1.3.14",
    (54,): "1.3.15",
}
_OF_1_0 = {number: release for numbers, release in _APP_VERSIONS.items() for number in numbers}
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)([-+][0-9A-Za-z.+-]*)?")

COMPONENTS = ("standalone", "webserver", "executor", "indexer", "scheduler", "worker", "controller")

#: Keys at the root of the values that a generation reads. `global` is Helm's own.
_BOTH = frozenset(
    (
        "global", "nameOverride", "image", "imagePullSecrets", "deployments", "dind", "service", "ingress",
        "extraManifests",
    )
)  # fmt: skip
CURRENT_KEYS = _BOTH | frozenset(
    ["fullnameOverride", "common", "configurations", "serviceAccount", "workerGroups"]
)
LEGACY_KEYS = _BOTH | frozenset(
    (
        "configuration", "secrets", "externalSecret", "configurationPath", "executable", "workerGroup",
        "operator", "kafka", "elasticsearch", "minio", "postgresql", "serviceAccountName", "annotations",
        "podAnnotations", "initContainers", "resources", "terminationGracePeriodSeconds", "nodeSelector",
        "tolerations", "affinity", "extraVolumeMounts", "extraVolumes", "extraEnv", "extraContainers",
        "extraPorts", "extraConfigMapEnvFrom", "extraSecretEnvFrom", "podSecurityContext",
        "securityContext", "readinessProbe", "livenessProbe", "startupProbe",
    )
)  # fmt: skip
#: Root keys of Kestra's own configuration: a mapping with one of them is no chart's values.
_CONFIGURATION = frozenset(
    (
        "queue", "repository", "storage", "server", "encryption", "secret", "security", "tasks", "plugins",
        "variables", "url", "ee", "datasources",
    )
)  # fmt: skip


def kestra_release(chart_version: str) -> str | None:
    """The tag of Kestra's image that a release of the chart runs by itself; None where that is not known.

    Args:
        chart_version: `1.0.42`, `0.22.9`, `2.0.0`; a range (`1.x`, `>=1.0`) is no release.
    """
    match = _VERSION.fullmatch(chart_version.strip())
    if match is None:
        return None
    major, minor, patch = (int(number) for number in match.groups()[:3])
    if (major, minor) == (1, 0):
        return f"v{_OF_1_0[patch]}" if patch in _OF_1_0 else None
    # Before 0.20 the numbers went apart, and nothing of those releases runs today.
    return f"v{major}.{minor}.{patch}" if (major, minor) >= (0, 20) else None


def generation(values: Mapping[str, Any], chart_version: str = "") -> Generation:
    """The form of the values, by what they hold; by the chart's version where they could be of either."""
    match = re.match(r"[v^~>= ]*(\d+)", chart_version)
    major = int(match.group(1)) if match else None
    if _is_legacy(values) > _is_current(values):
        return "0.x"
    if _is_current(values) == 0 and major == 0:
        return "0.x"
    return "2.x" if major == 2 or _is_second(values) else "1.x"


def looks_like_values(values: Any) -> bool:
    """Whether a mapping holds values of the chart, of any generation."""
    if not isinstance(values, Mapping) or _CONFIGURATION & values.keys():
        return False
    return _is_legacy(values) + _is_current(values) + _is_either(values) > 0


def _is_current(values: Mapping[str, Any]) -> int:
    configurations, image = values.get("configurations"), values.get("image")
    return sum(
        (
            isinstance(configurations, Mapping)
            and bool({"application", "configmaps", "secrets"} & configurations.keys()),
            isinstance(values.get("common"), Mapping),
            "workerGroups" in values,
            isinstance(values.get("serviceAccount"), Mapping),
            isinstance(image, Mapping) and "repository" in image,
            any("replicas" in deployment for deployment in _deployments(values)),
        )
    ) * (1 if _has_name_of_the_chart(values) else 0)


def _is_legacy(values: Mapping[str, Any]) -> int:
    configuration, image = values.get("configuration"), values.get("image")
    strong = (
        isinstance(configuration, Mapping)
        and bool({"kestra", "datasources", "micronaut"} & configuration.keys()),
        isinstance(configuration, str) and "kestra" in configuration,
        isinstance(image, Mapping) and "image" in image,
        "workerGroup" in values,
        any("replicaCount" in deployment for deployment in _deployments(values)),
        "extraSecretEnvFrom" in values or "extraConfigMapEnvFrom" in values,
        isinstance(values.get("externalSecret"), Mapping)
        and "secretName" in (values.get("externalSecret") or {}),
    )
    weak = ("extraEnv" in values, isinstance(values.get("secrets"), Mapping))
    return sum(strong) + (sum(weak) if any(strong) or _is_either(values) else 0)


def _is_second(values: Mapping[str, Any]) -> bool:
    """Whether the values use what only Kestra 2.0 has: controllers of workers, and their port."""
    return (
        _at(values, "deployments", "controller", "enabled") is True
        or _at(values, "service", "ports", "grpc") is not None
        or _at(values, "configurations", "application", "kestra", "worker", "controllers")
        is not None
    )


def _at(tree: Any, *path: str) -> Any:
    for step in path:
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


def _is_either(values: Mapping[str, Any]) -> int:
    dind, image = values.get("dind"), values.get("image")
    return sum(
        (
            any(True for _ in _deployments(values)),
            isinstance(dind, Mapping) and bool({"enabled", "mode"} & dind.keys()),
            isinstance(image, Mapping)
            and "kestra" in str(image.get("repository") or image.get("image") or ""),
        )
    )


def _has_name_of_the_chart(values: Mapping[str, Any]) -> bool:
    """Whether one key is this chart's alone: `common`, `serviceAccount` and `image` stand in every chart's values."""
    configurations = values.get("configurations")
    return bool(
        _is_either(values)
        or "workerGroups" in values
        or (
            isinstance(configurations, Mapping)
            and {"application", "configmaps", "secrets"} & configurations.keys()
        )
    )


def _deployments(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    deployments = values.get("deployments")
    if not isinstance(deployments, Mapping):
        return []
    return [
        deployment
        for name, deployment in deployments.items()
        if name in COMPONENTS and isinstance(deployment, Mapping)
    ]
