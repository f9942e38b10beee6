"""Kubernetes: where secrets do not stand, and whom a store of secrets serves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..cluster_objects import CONFIG_MAP
from ..core.model import Context, Finding, Problem, Resource, cis_kubernetes, control
from ..core.values import UNKNOWN, Undecided, as_list, check_each, get_path, leaves, raw
from ..pods import WORKLOADS, Container, containers
from .kestra_servers import HELM, chart_values

_SECRETIVE = re.compile(
    r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL", re.IGNORECASE
)


def is_secretive_name(name: str) -> bool:
    """Whether a variable's name says that its value is secret."""
    return _SECRETIVE.search(name) is not None and not name.endswith(("_FILE", "_PATH"))


#: `auth.password`, `rootPassword`, `settings.superuserPassword.value`; neither `passwordSecret` nor `existingSecretPasswordKey`.
_PASSWORD = re.compile(r"(?i)(^|\.)(?!existing)[\w-]*password(\.value)?$")
KESTRAS = ("KESTRA_", "DATASOURCES_", "MICRONAUT_", "ENDPOINTS_")
"""Beginnings of the names of variables that are settings of Kestra's."""
_CLUSTER_STORES = tuple(
    f"kubernetes:external-secrets.io/{v}:ClusterSecretStore" for v in ("v1", "v1beta1")
)


@control(
    "ks-kubernetes-10",
    "No secret is written into a pod's specification",
    "high",
    risk="Whoever may read pods, ConfigMaps or releases reads a value that stands there; a cluster-wide store serves every "
    "namespace.",
    steps=(
        "Use envFrom, secretKeyRef or a file of a Secret or ExternalSecret.",
        "Give a chart the name of a Secret (existingSecret and its like), or a value that is a Pulumi secret.",
        "Use a SecretStore, or give the ClusterSecretStore conditions.",
    ),
    setting="kestra:deployment.environment and kestra:deployment.extra-env (an encrypted value is kept in a Secret), "
    "kestra:deployment.environment-from",
    types=(*WORKLOADS, *_CLUSTER_STORES, CONFIG_MAP, *HELM),
    frameworks=(
        *cis_kubernetes("5.4.1", "5.4.2", version="1.12"),
        *cis_kubernetes("5.4.1", "5.4.2"),
    ),
)
def no_literal_secrets(resource: Resource, _: Context) -> Iterator[Finding]:
    if resource.type in _CLUSTER_STORES:
        if not as_list(resource.get_path("spec.conditions")):
            expected = "spec.conditions with the namespaces that it serves, or a SecretStore"
            yield Problem("serves every namespace", expected, "spec.conditions")
        return
    if resource.type in HELM or resource.type == CONFIG_MAP:
        yield from _values(resource)
        return

    def judge(container: Container) -> Iterator[Finding]:
        for position, entry in enumerate(as_list(container.get_path("env"))):
            name = str(get_path(entry, "name"))
            value = raw(entry, "value")
            if not is_secretive_name(name):
                continue
            if value is UNKNOWN:
                raise Undecided(f"{container.path}.env.{position}.value")
            if value and not str(value).startswith("$("):
                yield Problem(
                    f"container {container.name} has the value of {name} in clear",
                    "valueFrom.secretKeyRef or envFrom.secretRef",
                    f"{container.path}.env.{position}",
                )

    yield from check_each(containers(resource), judge)


def _values(resource: Resource) -> Iterator[Finding]:
    """Variables of a ConfigMap, and passwords among the values of charts; Kestra's own are ks-kestra-04's."""
    if resource.type == CONFIG_MAP:
        for name, value in (resource.get_path("data") or {}).items():
            is_variable = re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and not name.startswith(KESTRAS)
            if is_variable and is_secretive_name(name) and _is_literal(value):
                expected = "a Secret"
                yield Problem(f"has the value of {name} in clear", expected, f"data.{name}")
        return
    chosen = chart_values(resource)
    for path, value in leaves(resource.get_path("values"), "values"):
        if chosen and f"{path}.".startswith(f"{chosen[0]}."):
            continue
        if _PASSWORD.search(path) and _is_literal(value):
            yield Problem("gives a chart a password in clear", "a Pulumi secret, or a Secret", path)


def _is_literal(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and re.match(r"\$[({]|\{\{", value) is None
