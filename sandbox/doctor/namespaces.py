"""Namespaces of a stack that others keep, and those for the pods of tasks: whether they are there, and what bounds their pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.settings import Settings
from components.settings.task_places import TaskPlace, task_places
from sandbox.doctor.callers import SECONDS, cluster_client
from sandbox.doctor.machine import Check
from sandbox.errors import SandboxError
from sandbox.state import State
from sandbox.status import is_healthy, services

_ENFORCE = "pod-security.kubernetes.io/enforce"
#: Pod Security Standards, from what takes every pod; a namespace without the label takes every pod.
_LEVELS = ("privileged", "baseline", "restricted")
#: What a quota bounds that a pod then has to say, or a LimitRange for it.
_AMOUNTS = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


@dataclass(frozen=True)
class NamespaceState:
    """What a cluster says of a namespace."""

    labels: Mapping[str, str]
    is_ending: bool = False
    quota: frozenset[str] | None = None
    """What its quotas bound; None where there is none."""
    defaults: frozenset[str] = frozenset()
    """Of `requests.cpu`, `limits.memory` and the like: what its LimitRanges give containers that say nothing."""


@dataclass(frozen=True)
class ExpectedNamespace:
    """A namespace as the settings have it."""

    name: str
    setting: str
    """Settings path of its block."""
    is_created: bool
    """Whether the stack makes it."""
    pod_security: str | None = None
    """The level that it enforces at least; None for Kestra's own namespace, whose pods the policy pack judges."""

    @classmethod
    def of(cls, place: TaskPlace) -> ExpectedNamespace:
        """The one of a task runner."""
        chosen, setting = place.settings, "kestra:" + ".".join(place.loc)
        # Labels of a namespace that exists are its owner's; what even `baseline` refuses is too much for task pods.
        level = chosen.pod_security if chosen.create_namespace else "baseline"
        return cls(place.namespace, setting, chosen.create_namespace, level)


def examine_namespaces(
    state: State, settings: Settings, *, own: bool, kubeconfig: Path | None = None
) -> Iterator[Check]:
    """One check a namespace; asks the sandbox's cluster, or the caller's own.

    Args:
        state: the sandbox's state.
        settings: the stack's settings.
        own: whether the caller's own cluster is asked.
        kubeconfig: of the caller's own (default: as kubectl finds it).
    """
    expected = expected_namespaces(settings)
    if not expected:
        return
    if not own:
        plane, *_ = services(state)
        if not is_healthy(plane):
            names = ", ".join(one.name for one in expected)
            yield Check("namespaces", f"{names}: not asked, the cluster does not run", None)
            return
        kubeconfig = plane.kubeconfig
    for one in expected:
        name = f"namespace {one.name}"
        try:
            actual = read_namespace(one.name, kubeconfig)
        except SandboxError as error:
            yield Check(name, f"could not be asked. {error}", None)
            continue
        yield judge(one, actual, own=own)


def expected_namespaces(settings: Settings) -> list[ExpectedNamespace]:
    """Namespaces for task pods, and Kestra's own where another owner keeps it."""
    if settings.is_secrets_alone:
        return []
    deployment = settings.deployment
    tasks = [ExpectedNamespace.of(place) for place in task_places(settings)]
    if deployment.create_namespace:
        return tasks
    return [ExpectedNamespace(deployment.namespace, "kestra:deployment", False), *tasks]


def judge(expected: ExpectedNamespace, state: NamespaceState | None, *, own: bool) -> Check:
    """What a namespace lacks.

    Args:
        expected: as the settings have it.
        state: as the cluster has it; None where there is none of the name.
        own: whether the cluster is the caller's own; the sandbox makes namespaces of other owners itself.
    """
    name = f"namespace {expected.name}"
    if state is None:
        if expected.is_created or not own:
            return Check(name, "not there; `up` makes it", None)
        return Check(
            name,
            f"missing, and {expected.setting}.create-namespace is false",
            False,
            f"Have its owner make it (`kubectl create namespace {expected.name}`), or set "
            f"{expected.setting}.create-namespace to true.",
        )
    if state.is_ending:
        return Check(
            name,
            "is being deleted, and takes no new object",
            False,
            f"Wait until it is gone, or see what holds it: `kubectl describe namespace {expected.name}`.",
        )
    problems = list(_problems(expected, state))
    if not problems:
        return Check(name, _summary(state), True)
    return Check(
        name,
        "; ".join(words for words, _ in problems),
        False,
        " ".join(remedy for _, remedy in problems),
    )


def _problems(expected: ExpectedNamespace, state: NamespaceState) -> Iterator[tuple[str, str]]:
    again = "Run `pulumi refresh` and `pulumi up`: somebody changed what this stack made."
    if expected.pod_security is not None:
        actual, level = _level(state), expected.pod_security
        if _LEVELS.index(actual) < _LEVELS.index(level):
            label = f"kubectl label --overwrite namespace {expected.name} {_ENFORCE}={level}"
            yield (
                f"takes pods that Pod Security {level} refuses ({_ENFORCE} is {state.labels.get(_ENFORCE) or 'not set'})",
                again if expected.is_created else f"Have its owner run `{label}`, or enforce more.",
            )
        elif actual != level and expected.is_created:
            yield (
                f"refuses pods of {expected.setting}.pod-security {level} ({_ENFORCE} is {actual})",
                again,
            )
    if expected.is_created and state.quota is None:
        yield "has no ResourceQuota, which this stack made", again
    if missing := _unsaid(state):
        yield (
            f"has a quota of {', '.join(missing)} and no LimitRange that gives them: pods of tasks that do not say them "
            "are refused",
            again
            if expected.is_created
            else "Have its owner add a LimitRange with defaults, or write resources into every task.",
        )


def _level(state: NamespaceState) -> str:
    label = state.labels.get(_ENFORCE, "")
    return label if label in _LEVELS else _LEVELS[0]


def _unsaid(state: NamespaceState) -> list[str]:
    """What a quota bounds and no LimitRange gives. A limit given stands for the request, too (limit ranges)."""
    bounded = {
        name if "." in name else f"requests.{name}"
        for name in state.quota or ()
        if name in _AMOUNTS
    }
    given = state.defaults | {f"requests.{one.partition('.')[2]}" for one in state.defaults}
    return sorted(bounded - given)


def _summary(state: NamespaceState) -> str:
    quota = "a quota" if state.quota is not None else "no quota"
    limits = "limits for containers" if state.defaults else "no limits for containers"
    return f"there, with Pod Security {_level(state)}, {quota} and {limits}"


def read_namespace(name: str, kubeconfig: Path | None = None) -> NamespaceState | None:
    """A namespace with its quotas and limit ranges; None where there is none of the name.

    Raises:
        SandboxError: when there is no cluster, it does not answer, or the caller may not read it.
    """
    import kubernetes.client as api

    with cluster_client(kubeconfig) as client:
        core = api.CoreV1Api(client)
        try:
            namespace: Any = core.read_namespace(name, _request_timeout=SECONDS)
        except api.ApiException as error:
            if error.status == 404:
                return None
            raise
        quotas: Any = core.list_namespaced_resource_quota(name, _request_timeout=SECONDS)
        ranges: Any = core.list_namespaced_limit_range(name, _request_timeout=SECONDS)
    defaults = {
        f"{kind}.{amount}"
        for one in ranges.items
        for limit in one.spec.limits
        if limit.type == "Container"
        for kind, amounts in (("limits", limit.default), ("requests", limit.default_request))
        for amount in amounts or ()
    }
    bounded = [frozenset(one.spec.hard or ()) for one in quotas.items]
    return NamespaceState(
        namespace.metadata.labels or {},
        namespace.status.phase == "Terminating",
        frozenset[str]().union(*bounded) if bounded else None,
        frozenset(defaults),
    )
