"""Kestra's task runner: where the pods of tasks are made, by whom, and what they may use and reach."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ..core.model import Context, Finding, Problem, Resource, Stack, cis_kubernetes, control
from ..core.values import OutOfView, as_list, check_each, get_path
from ..pod_makers import RBAC, PodMaker, makes_pods, pod_makers
from ..pods import WORKLOADS, namespace

_SETTING = "kestra:deployment.task-runner"
_ACCOUNT, _PATCH = "kubernetes:core/v1:ServiceAccount", "kubernetes:core/v1:ServiceAccountPatch"
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
#: What the plugin may be given. `watch` of logs and commands is in Kestra's documentation and does nothing; Jobs are an
#: option of the Enterprise task runner; events say why a pod does not start.
_MAKERS_NEED = {
    "pods": {"create", "delete", "get", "list", "watch"},
    "pods/log": {"get", "watch"},
    "pods/exec": {"create", "get", "watch"},
    "events": {"get", "list", "watch"},
    "jobs": {"create", "delete", "get", "list", "watch"},
}
#: Where clouds give a node's identity to whoever asks.
_METADATA = ("169.254.169.254", "169.254.170.23", "fd00:ec2::254")


@control(
    "ks-task-runner-01",
    "The pods of tasks have a namespace of their own",
    "high",
    risk="Whoever makes pods in a namespace gets at every Secret and service account of it: a flow would have Kestra's.",
    steps=(
        "Make a namespace for the pods of tasks.",
        "Bind a Role that makes pods in that namespace alone.",
    ),
    setting=f"{_SETTING}.namespace",
    frameworks=(*cis_kubernetes("5.1.4", version="1.12"), *cis_kubernetes("5.1.4")),
)
def own_namespace(stack: Stack, _: Context) -> Iterator[Finding]:
    def judge(maker: PodMaker) -> Iterator[Finding]:
        who = ", ".join(maker.accounts)
        if maker.role is None:
            name = maker.binding.get_path("roleRef.name")
            yield Problem(
                f"gives {who} the role {name}, which makes pods and reads Secrets",
                "a Role of the requests that the plugin makes",
                "roleRef",
                maker.binding,
            )
        if maker.namespace is None:
            yield Problem(
                f"lets {who} make pods in every namespace",
                "a RoleBinding in a namespace for the pods of tasks",
                "roleRef",
                maker.binding,
            )
            return
        if any(namespace(workload) == maker.namespace for workload in stack.of(*WORKLOADS)):
            yield Problem(
                f"lets {who} make pods beside Kestra's own in {maker.namespace}",
                "another namespace",
                "metadata.namespace",
                maker.binding,
            )

    yield from _each_maker(stack, judge)


@control(
    "ks-task-runner-02",
    "Who makes the pods of tasks may do nothing else there",
    "high",
    risk="With Secrets, tokens, roles or running pods of the namespace, a flow leaves the bounds that pods have there.",
    steps=(
        "Give pods create, delete, get, list, watch; pods/log get; pods/exec create and get.",
        "Take every other resource and verb away.",
    ),
    setting=_SETTING,
    types=(f"{RBAC}Role", f"{RBAC}ClusterRole"),
    frameworks=(
        *cis_kubernetes("5.1.2", "5.1.3", "5.1.8", version="1.12"),
        *cis_kubernetes("5.1.2", "5.1.3", "5.1.8"),
    ),
)
def nothing_else(role: Resource, _: Context) -> Iterator[Finding]:
    if not makes_pods(role):
        return

    def judge(entry: tuple[int, Any]) -> Iterator[Finding]:
        position, rule = entry
        for resource in as_list(get_path(rule, "resources")):
            extra = set(as_list(get_path(rule, "verbs"))) - _MAKERS_NEED.get(resource, set())
            if extra:
                yield Problem(
                    f"gives {', '.join(sorted(extra))} on {resource} to who makes pods",
                    "pods, pods/log and pods/exec, as the plugin asks for them",
                    f"rules.{position}",
                )

    yield from check_each(enumerate(as_list(role.get_path("rules"))), judge)


@control(
    "ks-task-runner-03",
    "The pods of tasks are bounded together and each",
    "medium",
    risk="One flow that makes pods without end, or one pod without a limit, starves the cluster.",
    steps=(
        "Add a ResourceQuota with pods and memory.",
        "Add a LimitRange with a default memory limit for containers.",
    ),
    setting=f"{_SETTING}.quota and {_SETTING}.containers",
)
def bounded(stack: Stack, _: Context) -> Iterator[Finding]:
    def judge(space: Resource) -> Iterator[Finding]:
        name = space.get_path("metadata.name")
        quotas = _inside(stack, "kubernetes:core/v1:ResourceQuota", name)
        bounds = {key for quota in quotas for key in (quota.get_path("spec.hard") or {})}
        for keys in (("pods", "count/pods"), ("limits.memory", "requests.memory", "memory")):
            if not bounds & set(keys):
                yield Problem(
                    f"no quota bounds {keys[0]}",
                    f"{keys[0]} in spec.hard",
                    "a ResourceQuota",
                    space,
                )
        ranges = _inside(stack, "kubernetes:core/v1:LimitRange", name)
        limits = [one for r in ranges for one in as_list(r.get_path("spec.limits"))]
        if not any(
            get_path(one, "type") == "Container" and get_path(one, "default.memory")
            for one in limits
        ):
            yield Problem(
                "containers have no memory limit by default",
                "default.memory",
                "a LimitRange",
                space,
            )

    yield from _each_namespace(stack, judge, "its quota and limits")


@control(
    "ks-task-runner-04",
    "The pods of tasks have no token",
    "high",
    risk="The code of every flow would ask the API server as the account of its pod.",
    steps=(
        "Set automountServiceAccountToken: false on each service account of the namespace.",
        "Set it on the account default too, which pods have that name none.",
    ),
    setting=f"{_SETTING}.service-account",
    frameworks=(
        *cis_kubernetes("5.1.5", "5.1.6", version="1.12"),
        *cis_kubernetes("5.1.5", "5.1.6"),
    ),
)
def without_token(stack: Stack, _: Context) -> Iterator[Finding]:
    def judge(space: Resource) -> Iterator[Finding]:
        name = space.get_path("metadata.name")
        accounts = _inside(stack, _ACCOUNT, name) + _inside(stack, _PATCH, name)
        for account in accounts:
            if account.get_path("automountServiceAccountToken") is not False:
                yield Problem(
                    "its token is mounted into pods",
                    "false",
                    "automountServiceAccountToken",
                    account,
                )
        if not any(account.get_path("metadata.name") == "default" for account in accounts):
            yield Problem(
                "the token of its account default is mounted into pods that name no account",
                "automountServiceAccountToken: false on that account",
                "a ServiceAccountPatch",
                space,
            )

    yield from _each_namespace(stack, judge, "its service accounts")


@control(
    "ks-task-runner-05",
    "The pods of tasks reach only what they were given",
    "high",
    risk="The code of every flow would reach the node's identity in the cloud, the API server and every neighbour.",
    steps=(
        "Add a NetworkPolicy with podSelector {} and policyTypes [Ingress, Egress], without rules.",
        "Name the networks that tasks need, and leave 169.254.0.0/16 out of them (except).",
    ),
    setting=f"{_SETTING}.network-policy",
    frameworks=(*cis_kubernetes("5.3.2", version="1.12"), *cis_kubernetes("5.3.2")),
)
def reach(stack: Stack, _: Context) -> Iterator[Finding]:
    def judge(maker: PodMaker) -> Iterator[Finding]:
        if maker.namespace is None:
            return
        policies = _inside(stack, _POLICY, maker.namespace)
        if not any(_denies(policy) for policy in policies):
            if not _namespaces(stack, maker.namespace):
                raise OutOfView(f"the policies of the namespace {maker.namespace}")
            yield Problem(
                f"nothing denies traffic by default in namespace {maker.namespace}",
                "a NetworkPolicy for all pods, both directions, without rules",
                "the stack's NetworkPolicies",
                maker.binding,
            )
        for policy in policies:
            yield from check_each(enumerate(as_list(policy.get_path("spec.egress"))), _open(policy))

    yield from _each_maker(stack, judge)


def _denies(policy: Resource) -> bool:
    both = {"Ingress", "Egress"} <= set(as_list(policy.get_path("spec.policyTypes")))
    rules = as_list(policy.get_path("spec.ingress")) or as_list(policy.get_path("spec.egress"))
    # Of a namespace of others, those pods alone that are of tasks.
    selector = policy.get_path("spec.podSelector") or {}
    of_tasks = [
        one
        for one in as_list(get_path(selector, "matchExpressions"))
        if str(get_path(one, "key")).startswith("kestra.io/")
    ]
    return both and not rules and (not selector or bool(of_tasks))


def _open(policy: Resource) -> Any:
    def judge(entry: tuple[int, Any]) -> Iterator[Finding]:
        position, rule = entry
        path = f"spec.egress.{position}"
        peers = as_list(get_path(rule, "to"))
        if not peers:
            yield Problem("lets the pods of tasks out to everybody", "networks", path, policy)
        for peer in peers:
            cidr = get_path(peer, "ipBlock.cidr")
            closed = as_list(get_path(peer, "ipBlock.except"))
            for address in _METADATA if cidr else ():
                if _has(cidr, address) and not any(_has(one, address) for one in closed):
                    yield Problem(
                        f"lets the pods of tasks ask {address} for the node's identity",
                        f"except with {address}",
                        f"{path}.to",
                        policy,
                    )

    return judge


def _has(cidr: Any, address: str) -> bool:
    try:
        network = ipaddress.ip_network(str(cidr), strict=False)
    except ValueError:
        return False  # The API server refuses it.
    one = ipaddress.ip_address(address)
    return network.version == one.version and one in network


def _inside(stack: Stack, kind: str, name: str) -> list[Resource]:
    return [one for one in stack.of(kind) if namespace(one) == name]


def _namespaces(stack: Stack, name: str) -> list[Resource]:
    every = stack.of("kubernetes:core/v1:Namespace")
    return [one for one in every if one.get_path("metadata.name") == name]


def _each_maker(stack: Stack, judge: Any) -> Iterator[Finding]:
    for maker in pod_makers(stack):
        if isinstance(maker, PodMaker):
            yield from check_each((maker,), judge)
        else:
            yield maker


def _each_namespace(stack: Stack, judge: Any, what: str) -> Iterator[Finding]:
    """Judges each namespace in which an account of the stack makes pods; of one that others made nothing is seen."""
    judged: set[str] = set()

    def of_maker(maker: PodMaker) -> Iterator[Finding]:
        if maker.namespace is None or maker.namespace in judged:
            return
        judged.add(maker.namespace)
        spaces = _namespaces(stack, maker.namespace)
        if not spaces:
            raise OutOfView(f"{what}, of the namespace {maker.namespace}")
        yield from check_each(spaces, judge)

    yield from _each_maker(stack, of_maker)
