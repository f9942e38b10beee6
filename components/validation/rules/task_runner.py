"""The task runner: namespaces of its own, amounts that fit into each other, networks that leave something."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.quantities import amount
from ...settings.task_places import TaskPlace, task_places
from ...settings.task_runner import LEAST_MEMORY, TaskRunner
from ...settings.workloads import group_accounts


def check(s: Settings) -> Iterator[Finding]:
    """The stack's namespace for task pods, and those of worker groups."""
    yield from _groups(s)
    runner = s.deployment.task_runner
    if runner is None:
        return
    places = task_places(s)
    yield from _namespaces(s, places)
    for place in places:
        yield from _existing(place)
        yield from _amounts(place)
        yield from _network(place)
    yield from _api_server(s, runner)
    yield from _defaults(s, runner)


def _groups(s: Settings) -> Iterator[Finding]:
    own_accounts = group_accounts(s)
    for name, group in s.deployment.worker_groups.items():
        at = ("deployment", "worker-groups", name, "task-runner")
        if group.task_runner is None:
            continue
        if s.deployment.task_runner is None:
            yield Finding(
                at,
                "has no use without deployment.task-runner",
                "that one gives Kestra's workers what the task runner needs",
                "set kestra:deployment.task-runner too ({} takes its defaults), or remove this one",
                kind="relation",
            )
        if name not in own_accounts:
            yield Finding(
                at,
                "needs a service account of the group",
                f"the group shares {s.identity.service_account.name}, which makes pods in deployment.task-runner's "
                "namespace: a second namespace would keep nobody apart",
                "remove service-account.name of the group, or its task-runner",
                kind="relation",
            )


def _namespaces(s: Settings, places: tuple[TaskPlace, ...]) -> Iterator[Finding]:
    kestras = s.deployment.namespace
    taken = {kestras: "the namespace of Kestra itself"}
    for place in places:
        at = (*place.loc, "namespace")
        if len(place.namespace) > 63:
            yield Finding(
                at,
                f"would be {place.namespace}",
                "a namespace has at most 63 characters",
                "set a shorter one",
            )
        if place.namespace.startswith("kube-") or (
            place.namespace == "default" and place.settings.create_namespace
        ):
            yield Finding(
                at,
                "is a namespace of Kubernetes itself",
                "whoever makes pods in a namespace gets at every service account of it, and no stack makes this one",
                "choose another one",
                kind="relation",
            )
        if (other := taken.get(place.namespace)) is not None:
            rule = (
                "whoever makes pods in a namespace gets at every Secret and service account of it"
                if place.namespace == kestras
                else "each has its own account, quota and policies"
            )
            yield Finding(at, f"is {other}", rule, "choose another one", kind="relation")
        taken.setdefault(place.namespace, f"that of kestra:{'.'.join(place.loc)} too")


def _existing(place: TaskPlace) -> Iterator[Finding]:
    """What is set for a namespace that others made."""
    if place.settings.create_namespace:
        return
    for name in ("pod_security", "quota", "containers"):
        if name in place.settings.model_fields_set:
            yield Finding(
                (*place.loc, name.replace("_", "-")),
                "has no use where the namespace exists",
                "quota, limits and labels of a namespace are its owner's",
                "remove it, or set create-namespace to true",
                kind="relation",
            )


def _amounts(place: TaskPlace) -> Iterator[Finding]:
    amounts, at = place.settings.containers.amounts, (*place.loc, "containers")
    yield from _too_small(amounts, at)
    for lower, upper in (("requests", "limits"), ("limits", "maximum"), ("requests", "maximum")):
        for kind, value in amounts[lower].items():
            bound = amounts[upper].get(kind)
            if bound is not None and amount(value) > amount(bound):
                yield Finding(
                    (*at, lower, kind),
                    f"is above {upper} ({bound})",
                    "Kubernetes takes requests <= limits <= maximum",
                    f"lower it, or raise {upper}.{kind}",
                    kind="relation",
                )
    quota = place.settings.quota
    for name, total, kind, share in (
        ("requests-cpu", quota.requests_cpu, "cpu", amounts["requests"]["cpu"]),
        ("requests-memory", quota.requests_memory, "memory", amounts["requests"]["memory"]),
        ("limits-memory", quota.limits_memory, "memory", amounts["limits"]["memory"]),
    ):
        if amount(share) > amount(total):
            yield Finding(
                (*place.loc, "quota", name),
                f"is less than one container has by default ({share} of {kind})",
                "no pod would be made",
                "raise it",
                kind="relation",
            )


def _too_small(amounts: dict[str, dict[str, str]], at: tuple[str, ...]) -> Iterator[Finding]:
    for name in ("limits", "maximum"):
        for kind, value in amounts[name].items():
            if kind == "memory" and amount(value) < LEAST_MEMORY:
                yield Finding(
                    (*at, name, kind),
                    "is less than a container starts with",
                    "4Mi at least; a number without a unit means bytes, and 0 means no limit",
                    "write for example 512Mi",
                )
            elif amount(value) == 0:
                yield Finding(
                    (*at, name, kind),
                    "is 0, which means no limit",
                    "a container of a task has a limit",
                    "write for example 500m",
                )


def _network(place: TaskPlace) -> Iterator[Finding]:
    # Objects are above the settings: imported when they are used.
    from ...kubernetes.task_runner import contains, egress_peers

    chosen, at = place.settings.network_policy, (*place.loc, "network-policy")
    if chosen.egress_cidrs and not chosen.egress_ports:
        yield Finding(
            (*at, "egress-ports"),
            "is empty",
            "no port means that egress-cidrs opens nothing",
            "name the ports",
            warning=True,
        )
    if chosen.egress_cidrs and not any(egress_peers(chosen)):
        yield Finding(
            (*at, "except-cidrs"),
            "leaves nothing of egress-cidrs",
            "each of its networks is closed again",
            "make it smaller, or remove both",
            kind="relation",
        )
    elif chosen.egress_cidrs and not any(map(_leaves, egress_peers(chosen))):
        yield Finding(
            (*at, "except-cidrs"),
            "leaves nothing of egress-cidrs",
            "together its networks close each of them again",
            "make them smaller, or remove both",
            kind="relation",
        )
    networks = [ipaddress.ip_network(one, strict=False) for one in chosen.egress_cidrs]
    for position, text in enumerate(chosen.except_cidrs):
        closed = ipaddress.ip_network(text, strict=False)
        if not any(contains(n, closed) or contains(closed, n) for n in networks):
            yield Finding(
                (*at, "except-cidrs", position),
                "closes what is not open",
                "it lies in none of egress-cidrs",
                "remove it",
                warning=True,
            )


def _leaves(peer: Mapping[str, Any]) -> bool:
    """Whether something of the network is open."""
    block = peer["ipBlock"]
    closed = map(ipaddress.ip_network, block.get("except", ()))
    return ipaddress.ip_network(block["cidr"]) not in ipaddress.collapse_addresses(closed)  # type: ignore[type-var]


def _api_server(s: Settings, runner: TaskRunner) -> Iterator[Finding]:
    network, at = s.deployment.network_policy, ("deployment", "task-runner", "api-server")
    if not network.enabled:
        return
    if not runner.api_server.ports:
        yield Finding(
            (*at, "ports"),
            "is empty",
            "the task runner asks the API server for every pod",
            "remove it (443 and 6443), or name the port",
            warning=True,
        )
    if not runner.api_server.cidrs and not network.egress_cidrs:
        yield Finding(
            (*at, "cidrs"),
            "is empty, and so is kestra:deployment.network-policy.egress-cidrs",
            "the task runner asks the API server for every pod",
            "name the network of the API server",
            warning=True,
        )


def _defaults(s: Settings, runner: TaskRunner) -> Iterator[Finding]:
    at = ("deployment", "task-runner", "scripts")
    if runner.scripts != "as-written" and not s.is_enterprise:
        yield Finding(
            at,
            "needs the Enterprise Edition",
            "the Kubernetes task runner is part of it; open-source Kestra makes pods by the task PodCreate",
            "remove it, or set kestra:edition to enterprise",
            kind="relation",
        )
    if runner.scripts != "as-written" and (s.version == "2.0" or not runner.plugin_defaults):
        yield Finding(
            at,
            "has no effect without kestra.plugins.defaults",
            "Kestra has them up to 1.3, and this project writes them with plugin-defaults",
            "remove it, and on 2.0 write a policy under kestra:policies",
            kind="relation",
        )
    if s.version == "2.0" and runner.plugin_defaults:
        namespace = task_places(s)[0].namespace
        yield Finding(
            ("deployment", "task-runner", "plugin-defaults"),
            "has no effect on Kestra 2.0",
            "kestra.plugins.defaults ended with 1.3",
            f"name namespace {namespace} and serviceAccountName {runner.service_account} in the flows, or in a policy "
            "under kestra:policies (docs/task-runner.md), and set this to false",
            warning=True,
        )
