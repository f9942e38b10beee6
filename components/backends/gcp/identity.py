"""Who Kestra is in Google Cloud: a service account that one Kubernetes service account may act as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import organizations, projects, secretmanager, serviceaccount

from ...settings import Settings
from ..existing_store import ExistingStore
from ..secret_naming import prefix
from .names import ACCOUNT, account_id, team_prefixes
from .permissions import (
    WORKLOAD_IDENTITY,
    Grant,
    Scope,
    condition,
    grants,
)
from .secret_manager import GcpStore


class GcpIdentity(pulumi.ComponentResource):
    """Kestra's identity for Google Secret Manager, without any key.

    - A Google service account, which exactly one Kubernetes service account in one namespace may act as
      (Workload Identity Federation for GKE).
    - Read-only mode: it reads the values of the declared secrets and of no other. Managed mode: it administers
      secrets below the prefix. Either way it sees names and labels of the project's secrets, and never the
      recovery copy's value.
    - Every grant adds one member to one role; nobody else's grants are touched.

    Example:
        >>> GcpIdentity("identity", settings, store)  # doctest: +SKIP
    """

    service_account_annotations: Mapping[str, pulumi.Input[str]]
    pod_labels: Mapping[str, str]
    principal: pulumi.Output[str]
    """The service account as IAM names it, `serviceAccount:<e-mail>`."""
    needs_token: bool
    environment: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: Settings,
        store: GcpStore | ExistingStore,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kestra:identity:GcpIdentity", name, None, opts)
        manager = settings.secret
        assert manager is not None
        assert manager.google_secret_manager is not None
        block = manager.google_secret_manager
        assert block.project is not None
        self._name, self._settings, self._project = name, settings, block.project
        self._child = pulumi.ResourceOptions(parent=self, depends_on=store.services)
        account = serviceaccount.Account(
            f"{name}-account",
            account_id=account_id(settings),
            display_name="Kestra",
            description=f"Kestra in the Kubernetes namespace {settings.deployment.namespace}",
            project=self._project,
            opts=self._child,
        )
        self.principal = account.member
        self._bind_pod(account)
        for grant in grants(
            mode=settings.access_mode,
            provisioned=settings.store.gcp is not None,
            has_prefix=block.filter_on_prefix is not None,
            teams=team_prefixes(settings),
        ):
            self._grant(grant, store)
        # The metadata server of the node vouches for the pod; no token is mounted.
        self.service_account_annotations = {ACCOUNT: account.email}
        self.pod_labels = {}
        self.needs_token = False
        self.environment = {}
        self.register_outputs(
            {
                "service_account_annotations": self.service_account_annotations,
                "pod_labels": self.pod_labels,
                "principal": self.principal,
                "needs_token": self.needs_token,
                "environment": self.environment,
            }
        )

    def _bind_pod(self, account: serviceaccount.Account) -> None:
        pool = self._settings.identity.gcp.workload_pool
        namespace = self._settings.deployment.namespace
        pod = self._settings.store_account
        serviceaccount.IAMMember(
            f"{self._name}-workload-identity",
            service_account_id=account.name,
            role=WORKLOAD_IDENTITY,
            member=f"serviceAccount:{pool}[{namespace}/{pod}]",
            opts=self._child,
        )

    def _grant(self, grant: Grant, store: GcpStore | ExistingStore) -> None:
        if grant.scope is Scope.EACH_DECLARED:
            for secret, short in {**store.declared, **self._made_by_others()}.items():
                secretmanager.SecretIamMember(
                    f"{self._name}-{grant.name}-{secret}",
                    project=self._project,
                    secret_id=short,
                    role=grant.role,
                    member=self.principal,
                    opts=self._child,
                )
            return
        projects.IAMMember(
            f"{self._name}-{grant.name}",
            project=self._project,
            role=grant.role or self._role(grant.permissions),
            member=self.principal,
            condition=self._below(grant.begin or prefix(self._settings))
            if grant.scope is Scope.NAME_PATTERN
            else None,
            opts=self._child,
        )

    def _made_by_others(self) -> dict[str, str]:
        """Secret to its id in Google Cloud, for those that this stack did not make."""
        return {
            name: one.existing.name
            for name, one in self._settings.stored_secrets.items()
            if one.existing is not None and one.existing.name is not None
        }

    def _role(self, permissions: Sequence[str]) -> pulumi.Output[str]:
        account = account_id(self._settings)
        return projects.IAMCustomRole(
            f"{self._name}-role",
            # Ids of roles have no hyphens, ids of accounts no underscores.
            role_id=f"kestra_{account.replace('-', '_')}",
            title=f"Kestra {account}",
            description="What Kestra needs of Secret Manager in the project itself",
            permissions=list(permissions),
            project=self._project,
            opts=self._child,
        ).name

    def _below(self, begin: str) -> projects.IAMMemberConditionArgs:
        project = organizations.get_project_output(
            project_id=self._project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return projects.IAMMemberConditionArgs(
            title="secrets below Kestra's prefix",
            description=f"Secrets whose names begin with {begin}",
            expression=project.number.apply(lambda number: condition(number, begin)),
        )
