"""Who of a stack may make pods, and where: what Kestra's task runner needs, read from Roles and their bindings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .core.model import Resource, Stack
from .core.values import OutOfView, Undecided, as_list, get_path
from .pods import WORKLOADS, namespace, pod

RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
#: ClusterRoles of every cluster that let their holders make pods, and read Secrets besides.
_BUILT_IN = ("admin", "cluster-admin", "edit")


@dataclass(frozen=True)
class PodMaker:
    """A binding by which an account of the stack's own pods may make pods."""

    binding: Resource
    namespace: str | None
    """Where; None: in every namespace."""
    accounts: tuple[str, ...]
    role: Resource | None
    """None: a role of every cluster."""


def makes_pods(role: Resource) -> bool:
    """Whether a Role or ClusterRole lets its holder make pods."""
    return any(
        {"pods", "*"} & set(as_list(get_path(rule, "resources")))
        and {"create", "*"} & set(as_list(get_path(rule, "verbs")))
        for rule in as_list(role.get_path("rules"))
    )


def pod_makers(stack: Stack) -> Iterator[PodMaker | Undecided]:
    """Every such binding; Undecided for those of which the stack does not say enough yet."""
    try:
        own = {get_path(pod(w), "serviceAccountName") or "default" for w in stack.of(*WORKLOADS)}
    except Undecided as undecided:
        yield undecided
        return
    for binding in stack.of(f"{RBAC}RoleBinding", f"{RBAC}ClusterRoleBinding"):
        try:
            if maker := _maker(stack, binding, own):
                yield maker
        except Undecided as undecided:
            yield undecided


def _maker(stack: Stack, binding: Resource, own: set[Any]) -> PodMaker | None:
    subjects = as_list(binding.get_path("subjects"))
    accounts = tuple(dict.fromkeys(name for s in subjects if (name := get_path(s, "name")) in own))
    if not accounts:
        return None
    is_cluster = binding.type.endswith("ClusterRoleBinding")
    where = None if is_cluster else namespace(binding)
    kind, name = binding.get_path("roleRef.kind"), binding.get_path("roleRef.name")
    for role in stack.of(f"{RBAC}{kind}") if kind in ("Role", "ClusterRole") else ():
        is_here = kind == "ClusterRole" or namespace(role) == where
        if is_here and role.get_path("metadata.name") == name:
            return PodMaker(binding, where, accounts, role) if makes_pods(role) else None
    if name in _BUILT_IN:
        return PodMaker(binding, where, accounts, None)
    if kind == "ClusterRole" and str(name).startswith("system:"):
        return None
    raise OutOfView(f"the rules of the {kind or 'role'} {name}")


def makers(stack: Stack) -> list[PodMaker]:
    """Those that are known."""
    return [one for one in pod_makers(stack) if isinstance(one, PodMaker)]
