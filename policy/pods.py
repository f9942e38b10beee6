"""Pods and containers, whatever kind of workload makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .core.model import Resource
from .core.values import as_list, get_path

_TEMPLATE = "spec.template.spec"
_SPECS: Mapping[str, str] = {
    "kubernetes:core/v1:Pod": "spec",
    "kubernetes:core/v1:ReplicationController": _TEMPLATE,
    "kubernetes:apps/v1:Deployment": _TEMPLATE,
    "kubernetes:apps/v1:StatefulSet": _TEMPLATE,
    "kubernetes:apps/v1:DaemonSet": _TEMPLATE,
    "kubernetes:apps/v1:ReplicaSet": _TEMPLATE,
    "kubernetes:batch/v1:Job": _TEMPLATE,
    "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
}
WORKLOADS = tuple(_SPECS)
_KINDS = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True)
class Container:
    """A container of a pod."""

    name: str
    path: str
    """Of the property, from the resource."""
    props: Any
    kind: str
    """`containers`, `initContainers` or `ephemeralContainers`."""

    @property
    def is_init(self) -> bool:
        return self.kind == "initContainers"

    def get_path(self, path: str) -> Any:
        """A property by its path. Raises Undecided when unknown."""
        return get_path(self.props, path)


def pod_path(workload: Resource) -> str:
    """Path of the pod's specification."""
    return _SPECS[workload.type]


def pod(workload: Resource) -> Any:
    """The pod's specification. Raises Undecided when unknown."""
    return workload.get_path(pod_path(workload)) or {}


def containers(workload: Resource) -> Iterator[Container]:
    """All containers. Raises Undecided when their list is unknown."""
    for kind in _KINDS:
        path = f"{pod_path(workload)}.{kind}"
        for position, props in enumerate(as_list(workload.get_path(path))):
            container_name = props.get("name") if isinstance(props, Mapping) else None
            name = container_name if isinstance(container_name, str) else str(position)
            yield Container(name, f"{path}.{position}", props, kind)


def labels(workload: Resource) -> Mapping[str, str]:
    """The labels of the pods. Raises Undecided when unknown."""
    if workload.type == "kubernetes:core/v1:Pod":
        return workload.get_path("metadata.labels") or {}
    path = pod_path(workload).removesuffix(".spec")
    return workload.get_path(f"{path}.metadata.labels") or {}


def namespace(resource: Resource) -> str:
    """The namespace of an object. Raises Undecided when unknown."""
    return resource.get_path("metadata.namespace") or "default"


def selects(selector: Any, expected_labels: Mapping[str, str]) -> bool:
    """Whether `matchLabels` select some labels; expressions are taken to select."""
    return all(
        expected_labels.get(k) == v for k, v in (get_path(selector, "matchLabels") or {}).items()
    )
