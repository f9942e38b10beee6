"""The namespaces of task pods, for the stacks that have a task runner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import core, networking, rbac

from ..settings import Settings
from ..settings.task_places import TaskPlace, task_places
from . import task_runner
from .manifests import api
from .pod_security import namespace_labels

ROLE = "kestra-task-runner"


def register_task_namespaces(
    name: str,
    settings: Settings,
    labels: Mapping[str, str],
    accounts: Mapping[str | None, pulumi.Input[str]],
    kestras_namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> None:
    """Registers each namespace for task pods with its account, role, quota, limits and policies.

    Args:
        name: beginning of the logical names.
        settings: the stack's settings.
        labels: of the stack's objects.
        accounts: worker group (None: Kestra's own) to the name of the service account.
        kestras_namespace: the namespace of those accounts.
        parent: of the resources.
    """
    for place in task_places(settings):
        _Namespace(f"{name}-{place.suffix}", place, settings, labels, parent).register(
            [
                {"kind": "ServiceAccount", "name": accounts[one], "namespace": kestras_namespace}
                for one in (*((None,) if place.is_kestras else ()), *place.groups)
            ]
        )


class _Namespace:
    def __init__(
        self,
        logical: str,
        place: TaskPlace,
        settings: Settings,
        labels: Mapping[str, str],
        parent: pulumi.Resource,
    ) -> None:
        self._logical, self._place, self._settings = logical, place, settings
        self._labels = dict(labels)
        self._parent = parent
        self._child = pulumi.ResourceOptions(parent=parent)
        self._name = self._namespace()

    def _namespace(self) -> pulumi.Input[str]:
        place = self._place
        if not place.settings.create_namespace:
            return place.namespace
        return core.v1.Namespace(
            f"{self._logical}-namespace",
            metadata={
                "name": place.namespace,
                "labels": self._labels | namespace_labels(place.settings.pod_security),
            },
            # It holds nothing that lasts: pods of tasks alone.
            opts=self._child,
        ).metadata.name

    def register(self, makers: list[dict[str, Any]]) -> None:
        """Everything in the namespace; `makers` are the subjects that may make pods."""
        self._account()
        self._role(makers)
        if self._place.settings.create_namespace:
            self._bounds()
        for suffix, spec in task_runner.policies(self._place, self._settings).items():
            networking.v1.NetworkPolicy(
                f"{self._logical}-{suffix}",
                metadata=self._metadata(f"kestra-tasks-{suffix}"),
                spec=spec,
                opts=self._child,
            )

    def _metadata(self, name: str) -> Any:
        return {"name": name, "namespace": self._name, "labels": self._labels}

    def _account(self) -> None:
        chosen = self._place.settings
        core.v1.ServiceAccount(
            f"{self._logical}-service-account",
            metadata=self._metadata(chosen.service_account),
            automount_service_account_token=False,
            # The API server drops an empty list, which would be a difference for ever.
            image_pull_secrets=api([{"name": name} for name in chosen.pull_secrets]) or None,
            opts=self._child,
        )
        if chosen.create_namespace and chosen.service_account != "default":
            # Kubernetes makes this account itself; pods that name no account have it.
            core.v1.ServiceAccountPatch(
                f"{self._logical}-default-account",
                metadata={"name": "default", "namespace": self._name},
                automount_service_account_token=False,
                opts=self._child,
            )

    def _role(self, makers: list[dict[str, Any]]) -> None:
        role = rbac.v1.Role(
            f"{self._logical}-role",
            metadata=self._metadata(ROLE),
            rules=api(task_runner.role_rules()),
            opts=self._child,
        )
        reference = {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": role.metadata.name,
        }
        rbac.v1.RoleBinding(
            f"{self._logical}-role-binding",
            metadata=self._metadata(ROLE),
            role_ref=api(reference),
            subjects=api(makers),
            opts=self._child,
        )

    def _bounds(self) -> None:
        core.v1.ResourceQuota(
            f"{self._logical}-quota",
            metadata=self._metadata("kestra-tasks"),
            spec=api(task_runner.quota_spec(self._place)),
            opts=self._child,
        )
        core.v1.LimitRange(
            f"{self._logical}-limits",
            metadata=self._metadata("kestra-tasks"),
            spec=api(task_runner.limit_range_spec(self._place)),
            opts=self._child,
        )
