"""The task runner's namespaces: who makes pods there, what those may use and reach, and what flows use by default."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.network import policies
from components.kubernetes.open_ports import open_ports
from components.kubernetes.task_runner import TASK_LABEL, VERBS
from components.kubernetes.task_runner import policies as task_policies
from components.rendering.configuration import render
from components.rendering.plugin_defaults import POD_CREATE, SCRIPTS, TASK_RUNNER
from components.settings import Settings, SettingsError
from components.settings.task_places import task_places
from components.settings.task_runner import TaskContainers
from components.validation import load
from tests.components.pods_support import distributed, distributed_document, settings, spec, specs
from tests.components.recording_support import run

GROUPS: dict[str, Any] = {
    "task-runner": {},
    "worker-groups": {
        "gpu": {"task-runner": {"pod-security": "baseline"}},
        "cpu": {},
        "old": {"task-runner": {"namespace": "shared", "create-namespace": False}},
    },
}
LABELS = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "kestra"}
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"


def _resources(suffix: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name to type and inputs of what a namespace for task pods has, `tasks` or that of a group."""
    names = ("namespace", "account", "role", "binding", "quota", "limits", "deny", "dns", "egress")
    return {
        name: one
        for name, one in run(distributed_document(GROUPS)).resources.items()
        if name.startswith(f"kestra-{suffix}-")
        and name.endswith(names)
        and (suffix != "tasks" or not any(f"-tasks-{g}-" in name for g in GROUPS["worker-groups"]))
    }


def test_a_stack_without_it_has_nothing_of_it() -> None:
    assert task_places(distributed({})) == ()
    assert "plugins" not in render(distributed({})).document["kestra"]
    assert not any(pod["automountServiceAccountToken"] for pod in specs(distributed({})).values())
    assert "api-server" not in policies(distributed({}), LABELS)


def test_a_namespace_holds_everything_that_bounds_task_pods() -> None:
    resources = _resources("tasks")
    assert {name: kind.rpartition(":")[2] for name, (kind, _) in resources.items()} == {
        "kestra-tasks-namespace": "Namespace",
        "kestra-tasks-service-account": "ServiceAccount",
        "kestra-tasks-default-account": "ServiceAccountPatch",
        "kestra-tasks-role": "Role",
        "kestra-tasks-role-binding": "RoleBinding",
        "kestra-tasks-quota": "ResourceQuota",
        "kestra-tasks-limits": "LimitRange",
        "kestra-tasks-default-deny": "NetworkPolicy",
        "kestra-tasks-dns": "NetworkPolicy",
    }
    for name, (_, inputs) in resources.items():
        if name != "kestra-tasks-namespace":
            assert inputs["metadata"]["namespace"] == "kestra-tasks"
    labels = resources["kestra-tasks-namespace"][1]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for account in ("service", "default"):
        inputs = resources[f"kestra-tasks-{account}-account"][1]
        assert inputs["automountServiceAccountToken"] is False
        # No cloud and no store knows the pods of tasks.
        assert "annotations" not in inputs["metadata"]


def test_kestras_account_may_do_what_the_plugin_asks_and_no_more() -> None:
    resources = _resources("tasks")
    rules = {r["resources"][0]: r["verbs"] for r in resources["kestra-tasks-role"][1]["rules"]}
    assert rules == {resource: list(verbs) for resource, verbs in VERBS.items()}
    binding = resources["kestra-tasks-role-binding"][1]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == (
        "Role",
        "kestra-task-runner",
    )
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": name, "namespace": "kestra"}
        for name in ("kestra", "kestra-worker-cpu")
    ]


def test_a_worker_group_has_a_namespace_of_its_own_or_shares_the_stacks() -> None:
    resources = _resources("tasks-gpu")
    (subject,) = resources["kestra-tasks-gpu-role-binding"][1]["subjects"]
    assert subject["name"] == "kestra-worker-gpu"
    labels = resources["kestra-tasks-gpu-namespace"][1]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    assert labels["pod-security.kubernetes.io/warn"] == "restricted"


def test_only_pods_that_run_tasks_have_a_token() -> None:
    mounted = {n: p["automountServiceAccountToken"] for n, p in specs(distributed(GROUPS)).items()}
    assert {n for n, mounts in mounted.items() if mounts} == {
        "worker",
        "worker-gpu",
        "worker-cpu",
        "worker-old",
    }
    assert spec({"task-runner": {}})["automountServiceAccountToken"] is True


def _api_server(chosen: Settings) -> dict[str, Any]:
    return policies(chosen, LABELS)["api-server"]


def test_only_pods_that_run_tasks_reach_the_api_server() -> None:
    policy = _api_server(distributed(GROUPS))
    (expression,) = policy["podSelector"]["matchExpressions"]
    assert expression["values"] == ["worker", "worker-gpu", "worker-cpu", "worker-old"]
    (rule,) = policy["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    assert [p["port"] for p in rule["ports"]] == [443, 6443]
    own = {"task-runner": {"api-server": {"cidrs": ["10.0.0.1/32"], "ports": [8443]}}}
    policy = _api_server(settings(own))
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "standalone"
    assert policy["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
    rows = [row for row in open_ports(settings(own)) if row.port == 8443]
    assert [(row.peer, row.why) for row in rows] == [
        ("10.0.0.1/32", "workers make the pods of tasks")
    ]


@pytest.mark.parametrize(
    ("network", "blocks"),
    [
        ({}, None),
        (
            {"egress-cidrs": ["0.0.0.0/0"]},
            [{"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16", "168.63.129.16/32"]}],
        ),
        (
            {"egress-cidrs": ["::/0"]},
            [{"cidr": "::/0", "except": ["fd00:ec2::/32", "fd20:ce::/32"]}],
        ),
        (
            {"egress-cidrs": ["10.0.0.0/8"], "except-cidrs": ["10.96.0.0/12"]},
            [{"cidr": "10.0.0.0/8", "except": ["10.96.0.0/12"]}],
        ),
        # What a smaller network asks for by its own is open.
        ({"egress-cidrs": ["169.254.169.254/32"]}, [{"cidr": "169.254.169.254/32"}]),
        # Kubernetes takes no exception as large as its network, and no bits of a host in one.
        ({"egress-cidrs": ["168.63.129.16/32"]}, [{"cidr": "168.63.129.16/32"}]),
        (
            {"egress-cidrs": ["10.0.0.1/8"], "except-cidrs": ["10.1.2.3/16"]},
            [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}],
        ),
        # What is closed as a whole is not there, and what is left is.
        (
            {"egress-cidrs": ["10.1.0.0/16", "192.0.2.0/24"], "except-cidrs": ["10.0.0.0/8"]},
            [{"cidr": "192.0.2.0/24"}],
        ),
    ],
)
def test_task_pods_reach_what_is_set_and_no_identity_of_the_cloud(
    network: dict[str, Any], blocks: list[dict[str, Any]] | None
) -> None:
    chosen = settings({"task-runner": {"network-policy": network}})
    rules = task_policies(task_places(chosen)[0], chosen)
    assert rules["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    if blocks is None:
        assert "egress" not in rules
        return
    (rule,) = rules["egress"]["egress"]
    assert [peer["ipBlock"] for peer in rule["to"]] == blocks
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]


def test_without_policies_there_are_none() -> None:
    chosen = settings({"task-runner": {"network-policy": {"enabled": False}}})
    assert task_policies(task_places(chosen)[0], chosen) == {}


def test_a_namespace_of_others_gets_policies_for_task_pods_alone() -> None:
    resources = _resources("tasks-old")
    kinds = {kind.rpartition(":")[2] for kind, _ in resources.values()}
    assert kinds == {"ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"}
    selector = {"matchExpressions": [{"key": TASK_LABEL, "operator": "Exists"}]}
    for kind, inputs in resources.values():
        assert inputs["metadata"]["namespace"] == "shared"
        if kind.endswith("NetworkPolicy"):
            assert inputs["spec"]["podSelector"] == selector


def _defaults(chosen: Settings) -> dict[str, dict[str, Any]]:
    plugins = render(chosen).document["kestra"].get("plugins", {})
    return {one["type"]: one["values"] for one in plugins.get("defaults", [])}


def test_flows_use_the_namespace_and_the_account_by_default() -> None:
    defaults = _defaults(distributed({"task-runner": {"run-as-user": 2000}}))
    runner, pod = defaults[TASK_RUNNER], defaults[POD_CREATE]
    assert runner["namespace"] == pod["namespace"] == "kestra-tasks"
    assert runner["serviceAccountName"] == pod["spec"]["serviceAccountName"] == "kestra-tasks"
    for fields in (runner["podSpec"], pod["spec"]):
        assert fields["automountServiceAccountToken"] is False
        assert fields["securityContext"]["runAsUser"] == 2000
    for values in (runner, pod):
        context = values["containerDefaultSpec"]["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
    # The open edition has no task runner, and 2.0 has no such defaults.
    assert set(_defaults(settings({"task-runner": {}}))) == {POD_CREATE}
    assert not _defaults(distributed({"task-runner": {}}, version="2.0"))
    assert not _defaults(settings({"task-runner": {"plugin-defaults": False}}))
    baseline = _defaults(settings({"task-runner": {"pod-security": "baseline"}}))[POD_CREATE]
    assert "securityContext" not in baseline["spec"]


def test_scripts_run_in_pods_where_the_settings_say_so() -> None:
    def defaults(scripts: str) -> dict[str, Any]:
        chosen = distributed({"task-runner": {"scripts": scripts}})
        return render(chosen).document["kestra"]["plugins"]["defaults"][-1]

    values = {"taskRunner": {"type": TASK_RUNNER}}
    assert defaults("default") == {"type": SCRIPTS, "values": values}
    assert defaults("forced") == {"type": SCRIPTS, "forced": True, "values": values}
    assert defaults("as-written")["type"] == TASK_RUNNER
    with pytest.raises(SettingsError, match="needs the Enterprise Edition"):
        settings({"task-runner": {"scripts": "forced"}})


def test_defaults_of_the_settings_stay_and_win() -> None:
    own = [
        {"type": POD_CREATE, "values": {"namespace": "mine"}},
        {"type": "io.kestra.plugin.core.log.Log", "values": {"level": "WARN"}},
    ]
    chosen = distributed({"task-runner": {}}, plugins={"defaults": own})
    defaults = render(chosen).document["kestra"]["plugins"]["defaults"]
    assert [one["type"] for one in defaults] == [TASK_RUNNER, *(one["type"] for one in own)]
    assert defaults[1:] == own


@pytest.mark.parametrize(
    ("containers", "amounts"),
    [
        ({}, ("100m", "128Mi", "1Gi", "4", "8Gi")),
        ({"maximum": {"memory": "64Mi"}}, ("100m", "64Mi", "64Mi", "4", "64Mi")),
        ({"limits": {"memory": "16Gi"}}, ("100m", "128Mi", "16Gi", "4", "16Gi")),
        ({"requests": {"memory": "2Gi", "cpu": "8"}}, ("8", "2Gi", "2Gi", "8", "8Gi")),
        ({"limits": {"cpu": "50m"}}, ("50m", "128Mi", "1Gi", "4", "8Gi")),
    ],
)
def test_default_amounts_give_way_to_what_is_set(
    containers: dict[str, Any], amounts: tuple[str, ...]
) -> None:
    every = TaskContainers(**containers).amounts
    assert amounts == (
        *every["requests"].values(), every["limits"]["memory"], *every["maximum"].values(),
    )  # fmt: skip


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"task-runner": {"namespace": "kestra"}}, "task-runner.namespace", "namespace of Kestra itself"),
    ({"task-runner": {"service-account": "Bad"}}, "task-runner.service-account", ""),
    ({"task-runner": {"quota": {"pods": 0}}}, "task-runner.quota.pods", ""),
    (
        {"task-runner": {"containers": {"limits": {"memory": "2Gi"}, "maximum": {"memory": "1Gi"}}}},
        "task-runner.containers.limits.memory",
        "is above maximum (1Gi)",
    ),
    (
        {"task-runner": {"containers": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}},
        "task-runner.containers.requests.cpu",
        "is above limits (1)",
    ),
    (
        {"task-runner": {"quota": {"limits-memory": "512Mi"}}},
        "task-runner.quota.limits-memory",
        "less than one container",
    ),
    (
        {"task-runner": {"create-namespace": False, "quota": {"pods": 1}}},
        "task-runner.quota",
        "has no use where the namespace exists",
    ),
    (
        {"task-runner": {"network-policy": {"egress-cidrs": ["10.0.0.0/8"], "except-cidrs": ["0.0.0.0/0"]}}},
        "task-runner.network-policy.except-cidrs",
        "leaves nothing",
    ),
    (
        {"task-runner": {"network-policy": {"egress-cidrs": ["10.0.0.0/8"], "except-cidrs": ["10.0.0.0/9", "10.128.0.0/9"]}}},
        "task-runner.network-policy.except-cidrs",
        "leaves nothing",
    ),
    ({"task-runner": {"network-policy": {"egress-cidrs": ["10.0.0.0/255.0.0.0"]}}}, "task-runner.network-policy.egress-cidrs[0]", "is no network"),
    ({"task-runner": {"network-policy": {"egress-cidrs": ["fe80::1%eth0/64"]}}}, "task-runner.network-policy.egress-cidrs[0]", "is no network"),
    ({"task-runner": {"namespace": "kube-system", "create-namespace": False}}, "task-runner.namespace", "of Kubernetes itself"),
    ({"task-runner": {"namespace": "default"}}, "task-runner.namespace", "of Kubernetes itself"),
    ({"task-runner": {"containers": {"limits": {"memory": "512"}}}}, "task-runner.containers.limits.memory", "without a unit"),
    ({"task-runner": {"containers": {"limits": {"memory": "0"}}}}, "task-runner.containers.limits.memory", "0 means no limit"),
    ({"task-runner": {"containers": {"maximum": {"cpu": "0"}}}}, "task-runner.containers.maximum.cpu", "is 0"),
    (
        {"worker-groups": {"gpu": {"task-runner": {}}}},
        "worker-groups.gpu.task-runner",
        "has no use without deployment.task-runner",
    ),
    (
        {"task-runner": {}, "worker-groups": {"gpu": {"service-account": {"name": "kestra"}, "task-runner": {}}}},
        "worker-groups.gpu.task-runner",
        "needs a service account of the group",
    ),
    (
        {"task-runner": {"namespace": "tasks"}, "worker-groups": {"gpu": {"task-runner": {"namespace": "tasks"}}}},
        "worker-groups.gpu.task-runner.namespace",
        "that of kestra:deployment.task-runner too",
    ),
    ({"task-runner": {"scripts": "forced", "plugin-defaults": False}}, "task-runner.scripts", "has no effect without"),
    ({"namespace": "k" * 60, "task-runner": {}}, "task-runner.namespace", "at most 63"),
]  # fmt: skip


@pytest.mark.parametrize(("deployment", "key", "words"), WRONG)
def test_what_cannot_work_is_refused(deployment: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(distributed_document(deployment), source="test")
    assert any(
        f"kestra:deployment.{key}:" in line and words in line
        for line in str(refused.value).splitlines()
    )


WARNED: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"task-runner": {}}, {"version": "2.0"}, "plugin-defaults", "has no effect on Kestra 2.0"),
    (
        {"task-runner": {}, "network-policy": {"egress-cidrs": []}},
        {},
        "api-server.cidrs",
        "is empty, and so is",
    ),
    ({"task-runner": {"api-server": {"ports": []}}}, {}, "api-server.ports", "is empty"),
    (
        {"task-runner": {"network-policy": {"egress-cidrs": ["10.0.0.0/8"], "egress-ports": []}}},
        {},
        "network-policy.egress-ports",
        "is empty",
    ),
    (
        {"task-runner": {"network-policy": {"except-cidrs": ["10.0.0.0/8"]}}},
        {},
        "network-policy.except-cidrs[0]",
        "closes what is not open",
    ),
]


@pytest.mark.parametrize(("deployment", "changed", "key", "words"), WARNED)
def test_what_has_no_use_is_told(
    deployment: dict[str, Any], changed: dict[str, Any], key: str, words: str
) -> None:
    loaded = load(distributed_document(deployment, **changed), source="test")
    path = f"kestra:deployment.task-runner.{key}"
    assert [w for w in loaded.warnings if w.path == path and w.message.startswith(words)]


def test_places_say_who_makes_pods_where() -> None:
    stack, group, old = task_places(distributed(GROUPS))
    assert (old.namespace, old.groups) == ("shared", ("old",))
    assert (stack.namespace, stack.is_kestras, stack.groups) == ("kestra-tasks", True, ("cpu",))
    assert (group.namespace, group.is_kestras, group.groups) == (
        "kestra-tasks-gpu",
        False,
        ("gpu",),
    )
