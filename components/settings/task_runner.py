"""`deployment.task-runner`: where Kestra's Kubernetes task runner makes the pods of tasks, and what those may use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import SOURCE_PROJECT, Model, ProjectBool, StrictInt, key
from .edge import K8S, NAME
from .networks import Network, Port
from .pods import SUBDOMAIN
from .quantities import amount

QUOTA = "Kubernetes documentation, resource quotas"
LIMIT_RANGE = "Kubernetes documentation, limit ranges"
STANDARDS = "Kubernetes documentation, Pod Security Standards"
CPU = r"^([0-9]+m|[0-9]+(\.[0-9]+)?)$"
MEMORY = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$"
#: Bytes that a runtime of containers wants for a limit at least (runc; others want a little more).
LEAST_MEMORY = 4 * 1024 * 1024
#: Where the API server answers: managed clusters on 443, kubeadm on 6443.
API_SERVER_PORTS = (443, 6443)


class TaskQuota(Model):
    """What all task pods of the namespace use together, at most (a ResourceQuota)."""

    pods: StrictInt = key(
        50, "Pods that are not ended.", unit="pods", ge=1, le=100_000, source=QUOTA
    )
    requests_cpu: str = key(
        "16", "Cores reserved.", unit="Kubernetes quantity", pattern=CPU, source=QUOTA
    )
    requests_memory: str = key(
        "32Gi", "Memory reserved.", unit="Kubernetes quantity", pattern=MEMORY, source=QUOTA
    )
    limits_memory: str = key(
        "64Gi", "Memory allowed.", unit="Kubernetes quantity", pattern=MEMORY, source=QUOTA
    )


class TaskAmounts(Model):
    """Amounts of cpu and memory of one container."""

    cpu: str | None = key(
        None, "Cores.", unit="Kubernetes quantity", pattern=CPU, source=LIMIT_RANGE
    )
    memory: str | None = key(
        None, "Memory.", unit="Kubernetes quantity", pattern=MEMORY, source=LIMIT_RANGE
    )


class TaskContainers(Model):
    """What one container of a task pod uses (a LimitRange); absent amounts are the defaults in brackets."""

    requests: TaskAmounts = key(
        TaskAmounts, "Reserved where a task says nothing (100m, 128Mi).", source=LIMIT_RANGE
    )
    limits: TaskAmounts = key(
        TaskAmounts,
        "Allowed where a task says nothing (cpu: as maximum; memory: 1Gi).",
        source=LIMIT_RANGE,
    )
    maximum: TaskAmounts = key(
        TaskAmounts, "What a task may ask for at most (4 cores, 8Gi).", source=LIMIT_RANGE
    )

    @property
    def amounts(self) -> dict[str, dict[str, str]]:
        """`requests`, `limits` and `maximum` with their defaults, which give way to what is set."""
        names = ("requests", "limits", "maximum")
        chosen = {name: getattr(self, name).model_dump(exclude_none=True) for name in names}
        largest = {
            kind: max(
                (usual, *(chosen[name][kind] for name in names[:2] if kind in chosen[name])),
                key=amount,
            )
            for kind, usual in (("cpu", "4"), ("memory", "8Gi"))
        } | chosen["maximum"]
        limits = {"memory": min("1Gi", largest["memory"], key=amount)} | chosen["limits"]
        if "memory" not in chosen["limits"] and "memory" in chosen["requests"]:
            limits["memory"] = max(limits["memory"], chosen["requests"]["memory"], key=amount)
        requests = {
            kind: min(usual, limits.get(kind, largest[kind]), key=amount)
            for kind, usual in (("cpu", "100m"), ("memory", "128Mi"))
        } | chosen["requests"]
        return {"requests": requests, "limits": limits, "maximum": largest}


class TaskNetwork(Model):
    """Whom task pods reach. Nobody reaches them; logs and files pass through the API server."""

    enabled: ProjectBool = key(True, "Whether the policies are made.", source=SOURCE_PROJECT)
    egress_cidrs: tuple[Network, ...] = key(
        (),
        "Networks that task pods reach (absent: none, but for DNS). Addresses at which clouds give out identities "
        "stay closed unless one of these networks lies within 169.254.0.0/16.",
        source=SOURCE_PROJECT,
    )
    except_cidrs: tuple[Network, ...] = key(
        (),
        "Networks within those that stay closed: of the API server, of Vault, of the cluster's own pods.",
        source=SOURCE_PROJECT,
    )
    egress_ports: tuple[Port, ...] = key(
        (443,), "Ports that they reach there.", source=SOURCE_PROJECT
    )


class TaskNamespace(Model):
    """A namespace for the pods of tasks."""

    namespace: str | None = key(
        None,
        "Its name (absent: `<Kestra's namespace>-tasks`, of a worker group `<Kestra's namespace>-tasks-<group>`).",
        pattern=NAME,
        source=K8S,
    )
    create_namespace: ProjectBool = key(
        True,
        "Whether the namespace is made. One that exists gets no quota, no limits and no labels of Pod Security, and "
        "policies for task pods alone.",
        source=SOURCE_PROJECT,
    )
    pod_security: Literal["restricted", "baseline"] = key(
        "restricted", "Pods that it takes (pod-security.kubernetes.io/enforce).", source=STANDARDS
    )
    service_account: str = key(
        "kestra-tasks",
        "Service account of the task pods. It has no role, no identity in a store or cloud, and no token in the pods.",
        pattern=NAME,
        source=SOURCE_PROJECT,
    )
    pull_secrets: tuple[Annotated[str, Field(pattern=SUBDOMAIN)], ...] = key(
        (),
        "Names of pull Secrets of that namespace, for the images of tasks.",
        source="Kubernetes documentation, imagePullSecrets of service accounts",
    )
    quota: TaskQuota = key(TaskQuota, "All pods together.", source=QUOTA)
    containers: TaskContainers = key(TaskContainers, "Each container.", source=LIMIT_RANGE)
    network_policy: TaskNetwork = key(TaskNetwork, "Network policies.", source=SOURCE_PROJECT)


class ApiServer(Model):
    """Where Kestra's workers reach the API server."""

    cidrs: tuple[Network, ...] = key(
        (),
        "Its networks (absent: network-policy.egress-cidrs). Most network plugins judge by the address of the server "
        "itself, not by that of its Service.",
        source=SOURCE_PROJECT,
    )
    ports: tuple[Port, ...] = key(API_SERVER_PORTS, "Its ports.", source=SOURCE_PROJECT)


class TaskRunner(TaskNamespace):
    """Where tasks run as pods of their own (docs/task-runner.md)."""

    api_server: ApiServer = key(
        ApiServer, "How Kestra's workers reach the API server.", source=SOURCE_PROJECT
    )
    plugin_defaults: ProjectBool = key(
        True,
        "Whether flows use the namespace, the account and a security context that Pod Security takes where they say "
        "nothing (kestra.plugins.defaults, which ended with 1.3).",
        source="Kestra documentation, configuration/plugins-and-execution",
    )
    scripts: Literal["as-written", "default", "forced"] = key(
        "as-written",
        "Whether script tasks (io.kestra.plugin.scripts) run in such pods too: where they name no task runner "
        "(default), or whatever they name (forced), so that no script runs in a worker. Enterprise, 1.3.",
        until="1.3",
        source="Kestra documentation, configuration/plugins-and-execution",
    )
    run_as_user: StrictInt = key(
        1000,
        "User of the task pods by those defaults, since most images name none or root.",
        ge=1,
        le=2_147_483_647,
        source=STANDARDS,
    )
