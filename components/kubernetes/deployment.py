"""Kestra on Kubernetes: namespace, service account, configuration, secret, components, network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_kubernetes import apps, core, networking, policy

from .. import tags
from ..backends.login import Identity, combined
from ..generated_secrets import base64_text
from ..rendering.configuration import CONTROLLER_SERVICE
from ..rendering.web_server import WebServer, public_url
from ..settings import Settings
from ..settings.tag_rules import KUBERNETES_LABELS
from ..settings.workloads import Workload, group_accounts
from . import database_authority, edge, existing_secrets, network, scaling
from .custom_resources import custom_resource
from .manifests import annotated, api
from .monitor import register_monitor
from .pod_security import restricted_labels
from .pods import (
    PROBE_PASSWORD,
    STORAGE_CLAIM,
    PodArgs,
    pod_template,
    probe_password,
    selector,
    version_hash,
)
from .rollout import rollout_annotation, rollout_strategy, rollout_timeouts
from .service_accounts import service_account, token_review
from .storage_claim import register_storage_claim
from .task_namespaces import register_task_namespaces
from .worker_channel import WorkerChannel

#: The Deployments are waited for. A Service that waits for their pods too would, after an error that keeps them
#: from being made, hold up that error for ten minutes.
UNWAITED = {"pulumi.com/skipAwait": "true"}


@dataclass(frozen=True)
class KestraArgs:
    """What the deployment needs."""

    settings: Settings
    configuration: str
    """The rendered application.yaml, without secrets."""
    environment: Mapping[str, pulumi.Input[str]]
    """Variable to value (secret): for the placeholders of the configuration, and what the settings encrypt."""
    identity: Identity = field(default_factory=Identity)
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Declared secrets that flows of the open-source edition read: name to value (secret)."""
    version_ids: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Secret to the id of its version in the store."""
    store: Sequence[pulumi.Resource] = ()
    """What External Secrets reads, where it does."""
    management_password: pulumi.Input[str] | None = None
    """Password of the management endpoints, for probes and Prometheus (secret)."""
    server: WebServer = field(default_factory=WebServer)
    """Where the configuration makes Kestra listen."""
    channel: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """What workers and controllers need besides (`WorkerChannel`): name to value (secret)."""
    storage_identity: Identity = field(default_factory=Identity)
    """Who Kestra's pods are to the bucket of their files."""


class Kestra(pulumi.ComponentResource):
    """A Kestra deployment.

    - The namespace enforces Pod Security `restricted`, and every pod satisfies it.
    - One ConfigMap with the rendered file, which holds no secret, and one Secret; both are auto-named, so a
      change makes new ones and rolls the pods. Pods also carry a hash of the version ids of the secrets that
      their component may read.
    - The service account's token is mounted only where the identity needs it, and into workers that make pods of tasks.
    - The file system of the containers is read-only but for volumes; the user is numeric and not root.
    - Pods get a minute more to end than Kestra gives its tasks.
    - With `delete-files-on-start` the file is copied into memory, where Kestra can delete it, and copied again
      when a container restarts. The mounted original stays readable to the container; it holds no secret.
    - Ports, paths and TLS of Services, probes, policies and routes are those of the configuration.
    - The management port (8081) is not on the public Service. Probes log in when the endpoints ask for it, and the
      password is in no pod specification.
    - Nothing may talk to the pods, nor they to anything, but what Kestra needs.
    - More than one replica comes with a PodDisruptionBudget. With autoscaling the Deployment says no number of
      replicas, and updates leave alone what the autoscaler sets.

    Example:
        >>> Kestra("kestra", KestraArgs(settings, yaml, environment))  # doctest: +SKIP
    """

    namespace: pulumi.Output[str]
    service_account: pulumi.Output[str]
    config_map: pulumi.Output[str]
    secret: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    deployments: dict[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: KestraArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:kestra:Kestra", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._labels: dict[str, str] = {
            "app.kubernetes.io/name": "kestra",
            "app.kubernetes.io/instance": name,
            "app.kubernetes.io/part-of": "kestra",
            "app.kubernetes.io/managed-by": "pulumi",
            **tags.translate(tags.convention(self._settings.tags), KUBERNETES_LABELS),
        }
        self.namespace = self._namespace()
        is_external = self._settings.uses_external_secrets
        # Who reads the store; Kestra's pods are nobody there where External Secrets does.
        own = Identity() if is_external else args.identity
        self._identity = combined(own, args.storage_identity)
        self._accounts = self._service_accounts()
        self.service_account = self._accounts[None]
        self._delivered, self._followed = self._external_secrets() if is_external else ([], [])
        self.config_map = core.v1.ConfigMap(
            f"{name}-configuration",
            metadata=self._metadata(),
            data={
                "application.yaml": args.configuration,
                **database_authority.configuration_data(self._settings),
            },
            immutable=True,
            opts=self._child,
        ).metadata.name
        self.secret = core.v1.Secret(
            f"{name}-secret",
            metadata=self._metadata(),
            type="Opaque",
            string_data=self._secret_data(),
            immutable=True,
            opts=self._child,
        ).metadata.name
        register_storage_claim(
            f"{name}-storage", self._settings, self._metadata(STORAGE_CLAIM), self
        )
        self._channel = WorkerChannel(
            name, self._settings, self._metadata(), args.channel, self._child
        )
        # Once, not for each component: it waits for every secret.
        self._versions = version_hash(args.version_ids)
        self.deployments = {w.name: self._workload(w) for w in self._settings.workloads}
        self.endpoint = self._services()
        self._network()
        register_task_namespaces(
            name, self._settings, self._labels, self._accounts, self.namespace, self
        )
        register_monitor(
            name,
            self._settings,
            self._metadata(),
            args.server,
            args.management_password,
            self._child,
        )
        self.register_outputs(
            {
                "namespace": self.namespace,
                "service_account": self.service_account,
                "config_map": self.config_map,
                "secret": self.secret,
                "endpoint": self.endpoint,
                "deployments": self.deployments,
            }
        )

    def _metadata(self, name: str | None = None, component: str | None = None) -> Any:
        labels = self._labels | ({"app.kubernetes.io/component": component} if component else {})
        metadata: dict[str, Any] = {"namespace": self.namespace, "labels": labels}
        return metadata | ({"name": name} if name else {})

    def _namespace(self) -> pulumi.Output[str]:
        deployment = self._settings.deployment
        if not deployment.create_namespace:
            return pulumi.Output.from_input(deployment.namespace)
        return core.v1.Namespace(
            f"{self._name}-namespace",
            metadata={"name": deployment.namespace, "labels": self._labels | restricted_labels()},
            opts=pulumi.ResourceOptions(parent=self, protect=self._settings.protect),
        ).metadata.name

    def _service_accounts(self) -> dict[str | None, pulumi.Output[str]]:
        """Kestra's account (None), and those of worker groups that have one of their own."""
        account = self._settings.identity.service_account
        annotations = {**account.annotations, **self._identity.service_account_annotations}
        shared = self._service_account("service-account", account.name, annotations)
        groups = {
            name: self._service_account(f"worker-{name}-service-account", *own)
            for name, own in group_accounts(self._settings).items()
        }
        if self._identity.needs_token:
            token_review(
                f"{self._name}-token-review",
                f"{self._settings.deployment.namespace}-{account.name}-token-review",
                self._labels,
                [shared, *groups.values()],
                self.namespace,
                self._child,
            )
        return {None: shared, **groups}

    def _service_account(
        self, suffix: str, name: str, annotations: Mapping[str, pulumi.Input[str]]
    ) -> pulumi.Output[str]:
        logical, metadata = f"{self._name}-{suffix}", self._metadata(name)
        return service_account(logical, metadata, annotations, self._child).metadata.name

    def _external_secrets(
        self,
    ) -> tuple[Sequence[pulumi.Input[str]], Sequence[pulumi.Input[str]]]:
        """Secrets that External Secrets writes, and those of them whose values others rotate."""
        # Loaded by the stacks that have them.
        from .external_secrets import ExternalSecrets, ExternalSecretsArgs

        args = self._args
        external = ExternalSecrets(
            f"{self._name}-external-secrets",
            ExternalSecretsArgs(
                self._settings,
                self.namespace,
                self._labels,
                args.identity,
                args.version_ids,
                args.store,
            ),
            self._child,
        )
        return external.secrets, external.followed

    def _secret_data(self) -> dict[str, pulumi.Input[str]]:
        data = dict(self._args.environment)
        for name, value in self._args.secrets.items():
            data[f"SECRET_{name.upper()}"] = pulumi.Output.secret(value).apply(base64_text)
        everything = self._settings.endpoints.all
        if everything and everything.basic_auth and self._args.management_password is not None:
            data[PROBE_PASSWORD] = pulumi.Output.secret(self._args.management_password).apply(
                probe_password
            )
        return {name: pulumi.Output.secret(value) for name, value in data.items()}

    def _workload(self, workload: Workload) -> pulumi.Output[str]:
        name, component, deployment = workload.name, workload.component, self._settings.deployment
        scaled = scaling.autoscaling_of(deployment, component)
        shared = PodArgs(
            self._settings,
            self._labels,
            self._accounts.get(workload.group, self.service_account),
            self._identity.needs_token,
            self.config_map,
            self.secret,
            self._versions_of(workload.server),
            dict(self._identity.pod_labels),
            self._args.server,
            self._delivered,
        )
        chosen = {"matchLabels": selector(self._labels, name)}
        strategy = rollout_strategy(name)
        resource = apps.v1.Deployment(
            f"{self._name}-{name}",
            metadata=self._metadata(f"kestra-{name}", name)
            | annotated(
                rollout_annotation(None if scaled else component.replicas)
                | existing_secrets.reload_annotation(
                    self._settings, [*self._followed, *self._channel.renewed(workload)]
                )
            ),
            spec=api(
                {
                    **({} if scaled else {"replicas": component.replicas}),
                    "revisionHistoryLimit": 3,
                    "selector": chosen,
                    "strategy": {"type": strategy},
                    "template": self._channel.extend(pod_template(workload, shared), workload),
                }
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=[scaling.SCALED_FIELD] if scaled else None,
                depends_on=self._channel.certificates_of(workload) or None,
                custom_timeouts=rollout_timeouts(strategy, self._settings),
            ),
        )
        if scaled:
            # Loaded by the stacks that have one.
            from pulumi_kubernetes import autoscaling

            autoscaling.v2.HorizontalPodAutoscaler(
                f"{self._name}-{name}-autoscaler",
                metadata=self._metadata(f"kestra-{name}", name),
                spec=api(scaling.autoscaler_spec(scaled, f"kestra-{name}")),
                opts=self._child,
            )
        if budget := scaling.budget_of(deployment, component):
            policy.v1.PodDisruptionBudget(
                f"{self._name}-{name}-budget",
                metadata=self._metadata(f"kestra-{name}", name),
                spec=api(scaling.budget_spec(budget, chosen)),
                opts=self._child,
            )
        return resource.metadata.name

    def _versions_of(self, component: str) -> pulumi.Input[str]:
        """The versions that concern a component: one that Kestra denies the secrets of its store reads none."""
        manager = self._settings.secret
        isolation = manager.isolation if manager else None
        if isolation and isolation.enabled and component.upper() in isolation.denied_services:
            return version_hash({})
        return self._versions

    def _service(
        self, suffix: str, component: str | None, port: dict[str, Any], *, headless: bool = False
    ) -> pulumi.Output[str]:
        spec: Any = {
            "type": "ClusterIP",
            "selector": selector(self._labels, component),
            "ports": [{"protocol": "TCP", **port}],
        }
        if headless:
            spec["clusterIP"] = "None"
        return core.v1.Service(
            f"{self._name}-{suffix}-service",
            metadata=self._metadata(
                CONTROLLER_SERVICE if suffix == "controller" else f"kestra-{suffix}", component
            )
            | annotated(UNWAITED),
            spec=spec,
            opts=self._child,
        ).metadata.name

    def _services(self) -> pulumi.Output[str]:
        web = "webserver" if "webserver" in self._settings.components else "standalone"
        server = self._args.server
        public = self._service("web", web, edge.web_service_port(server))
        self._service(
            "management",
            None,
            {"name": "management", "port": server.management_port, "targetPort": "management"},
            headless=True,
        )
        if "controller" in self._settings.components:
            self._service(
                "controller",
                "controller",
                {"name": "grpc", "port": server.grpc_port, "targetPort": server.grpc_port},
            )
        self._edge(public)
        outside = public_url(self._settings, server)
        if outside is not None:
            return pulumi.Output.from_input(outside)
        return pulumi.Output.format(
            f"{server.scheme}://{{0}}.{{1}}.svc{server.context_path}", public, self.namespace
        )

    def _edge(self, service: pulumi.Output[str]) -> None:
        deployment, server = self._settings.deployment, self._args.server
        if ingress := deployment.ingress:
            annotations = edge.ingress_annotations(ingress, is_tls=server.is_tls)
            networking.v1.Ingress(
                f"{self._name}-ingress",
                metadata=self._metadata("kestra") | annotated(annotations),
                spec=api(edge.ingress_spec(ingress, server, service)),
                opts=self._child,
            )
        if route := deployment.http_route:
            custom_resource(
                f"{self._name}-http-route",
                edge.GATEWAY_API,
                "HTTPRoute",
                self._metadata("kestra") | annotated(route.annotations),
                edge.route_spec(route, server, service),
                self._child,
            )

    def _network(self) -> None:
        if not self._settings.deployment.network_policy.enabled:
            return
        for suffix, spec in network.policies(
            self._settings, self._labels, self._args.server
        ).items():
            networking.v1.NetworkPolicy(
                f"{self._name}-{suffix}",
                metadata=self._metadata(f"kestra-{suffix}"),
                spec=spec,
                opts=self._child,
            )
