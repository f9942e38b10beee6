"""What Kestra's pods have besides what this project gives them, in Kubernetes' own form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo

from .base import Model, key

SUBDOMAIN = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
API = "Kubernetes API reference, PodSpec"


@dataclass(frozen=True)
class KubernetesType:
    """Marks a setting that is an object of Kubernetes, or a list of them, in camelCase once it is validated."""

    name: str
    """Of the type in the Kubernetes API: `EnvVar`."""


Object = dict[str, Any]
EnvVar = Annotated[Object, KubernetesType("EnvVar")]
EnvFromSource = Annotated[Object, KubernetesType("EnvFromSource")]
Toleration = Annotated[Object, KubernetesType("Toleration")]
Affinity = Annotated[Object, KubernetesType("Affinity")]
TopologySpreadConstraint = Annotated[Object, KubernetesType("TopologySpreadConstraint")]
Volume = Annotated[Object, KubernetesType("Volume")]
VolumeMount = Annotated[Object, KubernetesType("VolumeMount")]
Container = Annotated[Object, KubernetesType("Container")]
HostAlias = Annotated[Object, KubernetesType("HostAlias")]
PodDnsConfig = Annotated[Object, KubernetesType("PodDNSConfig")]


def kubernetes_type(annotation: Any) -> KubernetesType | None:
    """The type of the object that a setting is, or of those in its list; None where it is neither."""
    if get_origin(annotation) is tuple:
        annotation = get_args(annotation)[0]
    marks = getattr(annotation, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, KubernetesType)), None)


@cache
def object_fields(model: type[Model]) -> dict[str, KubernetesType]:
    """Key to type of every setting of a model that is in Kubernetes' form."""
    types = {f.alias or n: field_type(f) for n, f in model.model_fields.items()}
    return {key: type_ for key, type_ in types.items() if type_ is not None}


def field_type(field: FieldInfo) -> KubernetesType | None:
    """The same of a field of a model."""
    marks = (mark for mark in field.metadata if isinstance(mark, KubernetesType))
    return next(marks, None) or kubernetes_type(field.annotation)


class PodSettings(Model):
    """Keys of pods: for all of Kestra's under `deployment`, and for those of one component."""

    extra_env: tuple[EnvVar, ...] = key(
        (),
        "Environment variables of Kestra's container, with value or valueFrom. An encrypted value is kept in the "
        "stack's Secret.",
        source=API,
    )
    extra_env_from: tuple[EnvFromSource, ...] = key(
        (),
        "Existing Secrets and ConfigMaps (secretRef, configMapRef) whose keys become environment variables.",
        source=API,
    )
    node_selector: dict[str, str] = key(
        {}, "Labels of the nodes that may run the pods.", source=API
    )
    tolerations: tuple[Toleration, ...] = key((), "Taints that the pods tolerate.", source=API)
    affinity: Affinity = key({}, "Rules for nodes and for other pods on them.", source=API)
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = key(
        (),
        "How the pods are spread, besides over zones and nodes where that is possible. One without labelSelector "
        "counts the pods of the same component.",
        source=API,
    )
    priority_class: str | None = key(
        None, "Existing priority class.", pattern=SUBDOMAIN, source=API
    )
    runtime_class: str | None = key(None, "Existing runtime class.", pattern=SUBDOMAIN, source=API)
    annotations: dict[str, str] = key({}, "Annotations of the pods.", source=API)
    labels: dict[str, str] = key({}, "Labels of the pods.", source=API)
    extra_volumes: tuple[Volume, ...] = key(
        (),
        "Volumes of the kinds that Pod Security `restricted` allows. Files of a Secret have mode 0440 unless "
        "defaultMode says otherwise.",
        source=API,
    )
    extra_volume_mounts: tuple[VolumeMount, ...] = key(
        (), "Where Kestra's container has the volumes.", source=API
    )
    init_containers: tuple[Container, ...] = key(
        (),
        "Containers that run before Kestra. What securityContext does not say is as Pod Security `restricted` asks.",
        source=API,
    )
    extra_containers: tuple[Container, ...] = key(
        (), "Containers beside Kestra, with the same securityContext.", source=API
    )
    host_aliases: tuple[HostAlias, ...] = key((), "Entries of /etc/hosts.", source=API)
    dns_config: PodDnsConfig = key({}, "Name servers, search domains and options.", source=API)


#: What an entry of a list is known by: of two with the same one, that of the component counts.
IDENTITY = {
    "extra_env": ("name",),
    "topology_spread_constraints": ("topologyKey", "whenUnsatisfiable"),
    "extra_volumes": ("name",),
    "extra_volume_mounts": ("mountPath",),
    "init_containers": ("name",),
    "extra_containers": ("name",),
}


def merge(shared: PodSettings, own: PodSettings) -> PodSettings:
    """The settings of one component's pods: lists add up, maps merge, and what the component says counts.

    Args:
        shared: of all components.
        own: of the component.
    """
    if own.model_fields_set.isdisjoint(PodSettings.model_fields):
        return shared
    merged: dict[str, Any] = {}
    for name in PodSettings.model_fields:
        first, second = getattr(shared, name), getattr(own, name)
        if isinstance(second, tuple):
            merged[name] = _joined(first, second, IDENTITY.get(name))
        elif isinstance(second, dict):
            merged[name] = first | second
        else:
            merged[name] = first if second is None else second
    return PodSettings.model_construct(**merged)


def _joined(
    first: tuple[Object, ...], second: tuple[Object, ...], identity: tuple[str, ...] | None
) -> tuple[Object, ...]:
    if identity is None:
        return (*first, *(item for item in second if item not in first))
    replaced = {identify(item, identity) for item in second}
    return (*(item for item in first if identify(item, identity) not in replaced), *second)


def identify(item: Mapping[str, Any], identity: tuple[str, ...]) -> tuple[Any, ...]:
    """What an entry of a list is known by."""
    return tuple(item.get(field) for field in identity)


def containers(pod: PodSettings) -> Iterator[tuple[str, int, Object]]:
    """Setting, position and container of each container that is added."""
    for name in ("init_containers", "extra_containers"):
        for position, container in enumerate(getattr(pod, name)):
            yield name.replace("_", "-"), position, container
