"""`doctor` says of namespaces for task pods, and of Kestra's own, whether they are there and what bounds their pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.settings import Settings
from components.validation import load
from sandbox.doctor.namespaces import (
    ExpectedNamespace,
    NamespaceState,
    examine_namespaces,
    expected_namespaces,
    judge,
)
from sandbox.state import State
from tests.sandbox.api_server_support import api_server
from tests.settings.malformed_fixtures import oss

ENFORCE = "pod-security.kubernetes.io/enforce"
SETTING = "kestra:deployment.task-runner"
OTHERS = ExpectedNamespace("tasks", SETTING, False, "baseline")
OWN = ExpectedNamespace("tasks", SETTING, True, "restricted")
KESTRAS = ExpectedNamespace("flows", "kestra:deployment", False)
RESTRICTED = {ENFORCE: "restricted"}
QUOTA = frozenset({"pods", "requests.cpu", "limits.memory"})
DEFAULTS = frozenset({"limits.memory", "limits.cpu"})


def settings(**deployment: Any) -> Settings:
    named = {name.replace("_", "-"): value for name, value in deployment.items()}
    return load(oss(deployment=named), source="t").settings


@pytest.mark.parametrize(
    ("expected", "state", "is_well", "says", "remedy"),
    [
        (OTHERS, None, False, "missing, and kestra:deployment.task-runner.create-namespace is false", "kubectl create namespace tasks"),
        (OWN, None, None, "`up` makes it", ""),
        (KESTRAS, None, False, "missing, and kestra:deployment.create-namespace is false", "kestra:deployment.create-namespace to true"),
        (OTHERS, NamespaceState(RESTRICTED, True), False, "is being deleted", "describe namespace tasks"),
        (OTHERS, NamespaceState(RESTRICTED), True, "with Pod Security restricted, no quota and no limits", ""),
        (KESTRAS, NamespaceState({}), True, "with Pod Security privileged", ""),
        (OTHERS, NamespaceState({}), False, "Pod Security baseline refuses (pod-security.kubernetes.io/enforce is not set)", f"kubectl label --overwrite namespace tasks {ENFORCE}=baseline"),
        (OTHERS, NamespaceState({ENFORCE: "baseline"}), True, "Pod Security baseline", ""),
        (OTHERS, NamespaceState({ENFORCE: "privileged"}), False, "enforce is privileged", "Have its owner run"),
        (OTHERS, NamespaceState({ENFORCE: "strict"}), False, "enforce is strict", "Have its owner run"),
        (ExpectedNamespace("tasks", SETTING, True, "baseline"), NamespaceState(RESTRICTED, quota=QUOTA, defaults=DEFAULTS), False, f"refuses pods of {SETTING}.pod-security baseline", "pulumi refresh"),
        (OWN, NamespaceState({ENFORCE: "baseline"}, quota=QUOTA, defaults=DEFAULTS), False, "Pod Security restricted refuses", "pulumi refresh"),
        (OWN, NamespaceState(RESTRICTED, quota=QUOTA, defaults=DEFAULTS), True, "a quota and limits for containers", ""),
        (OWN, NamespaceState(RESTRICTED, defaults=DEFAULTS), False, "has no ResourceQuota", "pulumi refresh"),
        (OWN, NamespaceState({}, quota=QUOTA, defaults=DEFAULTS), False, "is not set", "pulumi refresh"),
        (OTHERS, NamespaceState(RESTRICTED, quota=QUOTA), False, "a quota of limits.memory, requests.cpu and no LimitRange", "add a LimitRange"),
        (OTHERS, NamespaceState(RESTRICTED, quota=frozenset({"memory"}), defaults=DEFAULTS), True, "a quota and limits", ""),
        (OTHERS, NamespaceState(RESTRICTED, quota=frozenset({"limits.memory"}), defaults=frozenset({"requests.memory"})), False, "a quota of limits.memory", "LimitRange"),
        (OTHERS, NamespaceState(RESTRICTED, quota=frozenset({"pods"})), True, "a quota and no limits", ""),
    ],
)  # fmt: skip
def test_a_namespace_is_judged_by_what_the_stack_expects(
    expected: ExpectedNamespace,
    state: NamespaceState | None,
    is_well: bool | None,
    says: str,
    remedy: str,
) -> None:
    check = judge(expected, state, own=True)
    assert check.is_well is is_well
    assert says in check.state
    assert remedy in check.remedy
    assert bool(check.remedy) is (is_well is False)


def test_everything_that_a_namespace_lacks_is_said_at_once() -> None:
    check = judge(OTHERS, NamespaceState({}, quota=QUOTA), own=True)
    assert "Pod Security" in check.state
    assert "no LimitRange" in check.state


def test_the_sandbox_makes_the_namespaces_of_others() -> None:
    assert judge(OTHERS, None, own=False).is_well is None


def test_namespaces_of_tasks_and_kestras_own_of_another_owner_are_expected() -> None:
    assert expected_namespaces(settings()) == []
    chosen = settings(
        namespace="flows",
        create_namespace=False,
        task_runner={"create-namespace": False},
    )
    assert expected_namespaces(chosen) == [
        KESTRAS,
        ExpectedNamespace("flows-tasks", SETTING, False, "baseline"),
    ]


def test_the_cluster_is_asked_for_namespace_quotas_and_limits(tmp_path: Path) -> None:
    at = "/api/v1/namespaces/kestra-tasks"
    limit = {"type": "Container", "default": {"memory": "1Gi"}, "defaultRequest": {"cpu": "1"}}
    answers = {
        at: {"metadata": {"name": "kestra-tasks", "labels": RESTRICTED}, "status": {"phase": "Active"}},
        f"{at}/resourcequotas": {"items": [{"spec": {"hard": {"limits.memory": "1Gi", "requests.cpu": "4"}}}]},
        f"{at}/limitranges": {"items": [{"spec": {"limits": [limit, {"type": "Pod"}]}}]},
    }  # fmt: skip
    chosen = settings(create_namespace=False, task_runner={"create-namespace": False})
    with api_server(answers, tmp_path) as kubeconfig:
        checks = list(examine_namespaces(State(tmp_path), chosen, own=True, kubeconfig=kubeconfig))
    assert [(check.name, check.is_well) for check in checks] == [
        ("namespace kestra", False),
        ("namespace kestra-tasks", True),
    ]
    assert "missing" in checks[0].state


def test_without_a_cluster_nothing_is_concluded(tmp_path: Path) -> None:
    chosen = settings(task_runner={})
    [check] = examine_namespaces(State(tmp_path), chosen, own=False)
    assert (check.is_well, "does not run" in check.state) == (None, True)
    [check] = examine_namespaces(
        State(tmp_path), chosen, own=True, kubeconfig=tmp_path / "no-kubeconfig"
    )
    assert (check.is_well, "could not be asked" in check.state) == (None, True)
