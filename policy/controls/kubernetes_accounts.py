"""Kubernetes: who pods are to the API server, and what that account may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.model import Context, Finding, Problem, Resource, Stack, cis_kubernetes, control
from ..core.values import as_list, check_each, get_path
from ..pod_makers import RBAC, makers
from ..pods import WORKLOADS, pod, pod_path


@control(
    "ks-kubernetes-04",
    "Only pods that need a token have one",
    "medium",
    risk="A mounted service account token lets whoever breaks into the pod talk to the API server.",
    steps=(
        "Set automountServiceAccountToken: false on the pod.",
        "Where Vault's Kubernetes auth needs it, bind the account to a role of Vault in the stack, or name it in tokenAccounts.",
        "Where Kestra makes pods of tasks, bind the account to a Role that makes pods.",
    ),
    setting="kestra:secret.vault.kubernetes and kestra:deployment.task-runner (nothing else mounts the token)",
    frameworks=(*cis_kubernetes("5.1.6", version="1.12"), *cis_kubernetes("5.1.6")),
)
def token_where_needed(stack: Stack, context: Context) -> Iterator[Finding]:
    accounts = stack.of("kubernetes:core/v1:ServiceAccount")

    def needing() -> Iterator[str]:
        yield from context.options.token_accounts
        for role in stack.of("vault:kubernetes/authBackendRole:AuthBackendRole"):
            yield from as_list(role.get_path("boundServiceAccountNames"))
        for binding in stack.of(f"{RBAC}ClusterRoleBinding"):
            if binding.get_path("roleRef.name") == "system:auth-delegator":
                yield from (get_path(s, "name") for s in as_list(binding.get_path("subjects")))
        # The task runner asks the API server for pods.
        for maker in makers(stack):
            yield from maker.accounts

    def judge(workload: Resource) -> Iterator[Finding]:
        spec = pod(workload)
        account = get_path(spec, "serviceAccountName") or "default"
        mounts = get_path(spec, "automountServiceAccountToken")
        if mounts is None:
            own = [a for a in accounts if get_path(a.props, "metadata.name") == account]
            mounts = all(a.get_path("automountServiceAccountToken") is not False for a in own)
        if mounts and account not in set(needing()):
            yield Problem(
                f"the pods mount the token of {account}",
                "automountServiceAccountToken: false",
                f"{pod_path(workload)}.automountServiceAccountToken",
                workload,
            )

    yield from check_each(stack.of(*WORKLOADS), judge)


@control(
    "ks-kubernetes-05",
    "Roles name what they allow",
    "high",
    risk="A wildcard, cluster-admin, or access to all secrets makes one stolen token the whole cluster.",
    steps=(
        "List apiGroups, resources and verbs; give secrets by resourceNames with get only.",
        "Bind to a role of the namespace instead of cluster-admin.",
    ),
    setting="components/kubernetes/ (bindings are to system:auth-delegator and, for tasks, to a Role of pods)",
    types=tuple(
        f"{RBAC}{kind}" for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    ),
    frameworks=(
        *cis_kubernetes("5.1.1", "5.1.2", "5.1.3", version="1.12"),
        *cis_kubernetes("5.1.1", "5.1.2", "5.1.3"),
    ),
)
def named_permissions(role: Resource, _: Context) -> Iterator[Finding]:
    if role.type.endswith("Binding"):
        if role.get_path("roleRef.name") == "cluster-admin":
            yield Problem("binds to cluster-admin", "a role with what is needed", "roleRef")
        return

    def judge(entry: tuple[int, Any]) -> Iterator[Finding]:
        position, rule = entry
        path = f"rules.{position}"
        for name in ("apiGroups", "resources", "verbs"):
            if "*" in as_list(get_path(rule, name)):
                yield Problem(f"a rule has {name}: [*]", f"the {name} by name", f"{path}.{name}")
        if "secrets" in as_list(get_path(rule, "resources")):
            if not as_list(get_path(rule, "resourceNames")):
                yield Problem("a rule gives all secrets", "resourceNames", f"{path}.resourceNames")
            if set(as_list(get_path(rule, "verbs"))) - {"get", "*"}:
                yield Problem("a rule gives more than get on secrets", "get", f"{path}.verbs")

    yield from check_each(enumerate(as_list(role.get_path("rules"))), judge)
