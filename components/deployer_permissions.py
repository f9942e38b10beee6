"""What whoever runs `pulumi up` must be allowed, by resource type: to make, read, change and delete what a stack has.

Plain data, from which `python -m sandbox doctor` asks and docs/backends/deployer.md is written: Kubernetes is here,
each other provider in the folder of its backend. It holds no permission of Kestra itself; those are fewer.

Source: Kubernetes documentation, RBAC, and what pulumi-kubernetes reads while it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .backends.registry import all_backends

KUBERNETES_OWNER = "kubernetes"
VERBS = ("create", "delete", "get", "list", "patch", "watch")


@dataclass(frozen=True)
class Kind:
    """A kind of Kubernetes as RBAC names it."""

    group: str
    plural: str
    namespaced: bool = True


KUBERNETES: Mapping[str, Kind] = {
    "kubernetes:apps/v1:Deployment": Kind("apps", "deployments"),
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": Kind(
        "autoscaling", "horizontalpodautoscalers"
    ),
    "kubernetes:core/v1:ConfigMap": Kind("", "configmaps"),
    "kubernetes:core/v1:LimitRange": Kind("", "limitranges"),
    "kubernetes:core/v1:Namespace": Kind("", "namespaces", namespaced=False),
    "kubernetes:core/v1:ResourceQuota": Kind("", "resourcequotas"),
    "kubernetes:core/v1:Secret": Kind("", "secrets"),
    "kubernetes:core/v1:Service": Kind("", "services"),
    "kubernetes:core/v1:ServiceAccount": Kind("", "serviceaccounts"),
    "kubernetes:core/v1:ServiceAccountPatch": Kind("", "serviceaccounts"),
    "kubernetes:external-secrets.io/v1:ExternalSecret": Kind(
        "external-secrets.io", "externalsecrets"
    ),
    "kubernetes:external-secrets.io/v1:SecretStore": Kind("external-secrets.io", "secretstores"),
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": Kind(
        "gateway.networking.k8s.io", "httproutes"
    ),
    "kubernetes:monitoring.coreos.com/v1:PodMonitor": Kind("monitoring.coreos.com", "podmonitors"),
    "kubernetes:monitoring.coreos.com/v1:ServiceMonitor": Kind(
        "monitoring.coreos.com", "servicemonitors"
    ),
    "kubernetes:networking.k8s.io/v1:Ingress": Kind("networking.k8s.io", "ingresses"),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": Kind("networking.k8s.io", "networkpolicies"),
    "kubernetes:policy/v1:PodDisruptionBudget": Kind("policy", "poddisruptionbudgets"),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": Kind(
        "rbac.authorization.k8s.io", "clusterrolebindings", namespaced=False
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:Role": Kind("rbac.authorization.k8s.io", "roles"),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": Kind(
        "rbac.authorization.k8s.io", "rolebindings"
    ),
}
#: What the provider reads while it waits for a Deployment and for a Service.
AWAITED: Mapping[str, tuple[Kind, ...]] = {
    "kubernetes:apps/v1:Deployment": (
        Kind("apps", "replicasets"),
        Kind("", "pods"),
        Kind("", "persistentvolumeclaims"),
        Kind("", "events"),
    ),
}
READS = ("get", "list", "watch")
#: Kubernetes lets nobody hand out a role without this verb on it, or without all that it allows.
BINDS: Mapping[str, Kind] = {
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": Kind(
        "rbac.authorization.k8s.io", "clusterroles", namespaced=False
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": Kind(
        "rbac.authorization.k8s.io", "roles"
    ),
}
#: Nor make or change one.
ESCALATES: Mapping[str, Kind] = {
    "kubernetes:rbac.authorization.k8s.io/v1:Role": Kind("rbac.authorization.k8s.io", "roles")
}

#: Types that need nobody's permission: they exist in the state only.
FREE = ("kestra:", "pulumi:", "random:")


@dataclass(frozen=True, order=True)
class Need:
    """One permission, and the resource type that needs it."""

    cloud: str
    """`kubernetes`, or the owner of a backend (`Backend.owner`)."""
    what: str
    """An action; of Vault a capability; of Kubernetes a verb."""
    where: str = ""
    """Of Vault a path; of Kubernetes `<plural>.<group>`, with `/<namespace>`."""


class NoRow(LookupError):
    """A resource type of which this table says nothing."""


def needed(resources: Iterable[tuple[str, Mapping[str, Any]]], namespace: str) -> list[Need]:
    """What a stack's resources need, each permission once, sorted.

    Args:
        resources: type and inputs of each; of an input that is not known yet, the path has a `+` (Vault's
            wildcard for one segment).
        namespace: the stack's Kubernetes namespace.

    Raises:
        NoRow: for a type that the table does not know.
    """
    return sorted({need for type_, props in resources for need in _of(type_, props, namespace)})


def _of(type_: str, props: Mapping[str, Any], namespace: str) -> Iterator[Need]:
    if type_.startswith(FREE):
        return
    if type_ in KUBERNETES:
        namespace = _own_namespace(props) or namespace
        for verb in VERBS:
            yield Need(KUBERNETES_OWNER, verb, _place(KUBERNETES[type_], namespace))
        for kind in AWAITED.get(type_, ()):
            for verb in READS:
                yield Need(KUBERNETES_OWNER, verb, _place(kind, namespace))
        if type_ in BINDS:
            yield Need(KUBERNETES_OWNER, "bind", _place(BINDS[type_], namespace))
        if type_ in ESCALATES:
            yield Need(KUBERNETES_OWNER, "escalate", _place(ESCALATES[type_], namespace))
        return
    for backend in all_backends():
        if (needs := backend.deployer_needs(type_, props)) is not None:
            yield from (Need(backend.owner, need.action, need.where) for need in needs)
            return
    raise NoRow(type_)


def _own_namespace(props: Mapping[str, Any]) -> str:
    """The namespace that a resource names; empty where it names none, or none that is known yet."""
    metadata = props.get("metadata")
    own = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    return own if isinstance(own, str) else ""


def owners() -> dict[str, str]:
    """Whoever gives permissions to a deployer, to its name for people; sorted."""
    named = {one.owner: one.provider_title for one in all_backends() if one.provider}
    return dict(sorted({**named, KUBERNETES_OWNER: "Kubernetes"}.items()))


def _place(kind: Kind, namespace: str) -> str:
    name = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    return f"{name}/{namespace}" if kind.namespaced else name


def rows(owner: str) -> Iterator[tuple[str, str]]:
    """Resource type and what it needs, for the documentation.

    Raises:
        KeyError: for an owner that has no table.
    """
    if owner != KUBERNETES_OWNER:
        yield from {one.owner: one for one in all_backends()}[owner].deployer_rows()
        return
    for type_, kind in KUBERNETES.items():
        reads = "".join(f"; `{k.plural}`: {', '.join(READS)}" for k in AWAITED.get(type_, ()))
        if type_ in BINDS:
            reads += f"; `{_place(BINDS[type_], '').rstrip('/')}`: bind"
        if type_ in ESCALATES:
            reads += "; escalate"
        yield type_, f"`{_place(kind, '').rstrip('/')}`: {', '.join(VERBS)}{reads}"
