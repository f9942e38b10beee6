"""`deployment`: how Kestra runs on Kubernetes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from .base import (
    SOURCE_PROJECT,
    Model,
    ProjectBool,
    Secret,
    StrictInt,
    TextOrSecret,
    key,
)
from .edge import K8S, NAME, SUBDOMAIN, HttpRoute, Ingress, Monitoring
from .kubeconfig import Kubeconfig
from .networks import Network, Port
from .pods import PodSettings
from .scaling import Autoscaling, DisruptionBudget
from .task_runner import TaskNamespace, TaskRunner
from .worker_channel import GrpcTls, WorkerAuthentication

#: `kestra:version` to the release that runs where the settings name no image.
DEFAULT_TAGS = {"1.3": "v1.3.31", "2.0": "v2.0.0"}

#: Name of an object that exists in the namespace.
Existing = Annotated[str, Field(pattern=SUBDOMAIN)]
NamespaceName = Annotated[str, Field(pattern=NAME)]

#: Where the pods have the authority of the database.
AUTHORITY_FOLDER = "/app/database-authority"

COMPONENTS_1 = ("webserver", "executor", "scheduler", "indexer", "worker")
COMPONENTS_2 = (*COMPONENTS_1, "controller")


class Image(Model):
    """The container image."""

    repository: str | None = key(
        None,
        "Repository (kestra/kestra; Enterprise: registry.kestra.io/docker/kestra-ee).",
        pattern=r"^([a-z0-9][a-z0-9.-]*(:[0-9]+)?/)?[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$",
        source=SOURCE_PROJECT,
    )
    tag: str | None = key(
        None,
        "Tag; `latest` and other moving tags are refused"
        f" ({' or '.join(DEFAULT_TAGS.values())} by kestra:version).",
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
        source=SOURCE_PROJECT,
    )
    digest: str | None = key(
        None, "Digest; wins over the tag.", pattern=r"^sha256:[0-9a-f]{64}$", source=SOURCE_PROJECT
    )
    pull_policy: Literal["IfNotPresent", "Always", "Never"] = key(
        "IfNotPresent", "When the image is pulled.", source=SOURCE_PROJECT
    )
    pull_secrets: tuple[Existing, ...] = key(
        (), "Names of existing pull Secrets.", source=SOURCE_PROJECT
    )


class Quantities(Model):
    """Amounts of cpu and memory."""

    cpu: str | None = key(
        None,
        "Cores.",
        unit="Kubernetes quantity",
        pattern=r"^([0-9]+m|[0-9]+(\.[0-9]+)?)$",
        source=K8S,
    )
    memory: str | None = key(
        None,
        "Memory.",
        unit="Kubernetes quantity",
        pattern=r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$",
        source=K8S,
    )


class Resources(Model):
    """What a container asks for and may use."""

    requests: Quantities = key(Quantities, "What is reserved.", source=SOURCE_PROJECT)
    limits: Quantities = key(Quantities, "What is allowed.", source=SOURCE_PROJECT)


class Component(PodSettings):
    """One of Kestra's server components."""

    replicas: StrictInt = key(
        1, "Number of pods.", unit="pods", ge=0, le=100, source=SOURCE_PROJECT
    )
    resources: Resources = key(
        Resources, "Resources (500m and 1Gi requested, 2Gi memory allowed).", source=SOURCE_PROJECT
    )
    worker_threads: StrictInt | None = key(
        None, "Threads of the worker (standalone and worker).", ge=0, le=1024, source=SOURCE_PROJECT
    )
    heap_percentage: StrictInt | None = key(
        None,
        "Share of the memory limit for Java's heap (50, unless java-options or a variable say it).",
        unit="percent",
        ge=10,
        le=90,
        source="Kestra's start script",
    )
    java_options: str | None = key(
        None,
        "Options of the Java virtual machine, after those of a variable JAVA_OPTS in deployment.environment or "
        "extra-env.",
        source=SOURCE_PROJECT,
    )
    extra_args: tuple[str, ...] = key(
        (), "Further arguments of `kestra server`.", source=SOURCE_PROJECT
    )
    autoscaling: Autoscaling | None = key(
        None, "Number of pods by what they use, in mode distributed.", source=SOURCE_PROJECT
    )
    disruption_budget: DisruptionBudget | None = key(
        None,
        "How many pods stay while nodes are drained (of more than one: all but one).",
        source=SOURCE_PROJECT,
    )


class GroupAccount(Model):
    """The service account of a worker group."""

    name: str | None = key(
        None,
        "Name (absent: `kestra-worker-<group>`). That of kestra:identity.service-account shares Kestra's account.",
        pattern=NAME,
        source=SOURCE_PROJECT,
    )
    annotations: dict[str, str] = key(
        {},
        "Annotations, which give the group a cloud identity of its own (docs/pods.md).",
        source=SOURCE_PROJECT,
    )


class WorkerGroup(Component):
    """Workers that only tasks for this group run on, as a Deployment of their own. Enterprise, mode distributed."""

    group_key: str | None = key(
        None,
        "Key of the worker group in Kestra (absent: the name).",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
        until="1.3",
        alias="key",
        source="Kestra documentation, worker groups",
    )
    registration_token: Secret | None = key(
        None,
        "Token with which the workers join their group (kestra.worker.auth.registration-token).",
        since="2.0",
        source="Kestra documentation, worker groups",
    )
    service_account: GroupAccount = key(
        GroupAccount, "Service account of its own.", source=SOURCE_PROJECT
    )
    task_runner: TaskNamespace | None = key(
        None,
        "A namespace of its own for the pods of its tasks (absent: that of deployment.task-runner).",
        source=SOURCE_PROJECT,
    )


class Components(Model):
    """Server components. `standalone` in mode standalone, the others in mode distributed."""

    standalone: Component = key(Component, "All in one.", source=SOURCE_PROJECT)
    webserver: Component = key(Component, "API and user interface.", source=SOURCE_PROJECT)
    executor: Component = key(Component, "Runs the state of executions.", source=SOURCE_PROJECT)
    scheduler: Component = key(Component, "Evaluates triggers.", source=SOURCE_PROJECT)
    indexer: Component = key(Component, "Writes to the repository.", source=SOURCE_PROJECT)
    worker: Component = key(Component, "Runs tasks.", source=SOURCE_PROJECT)
    controller: Component = key(
        Component, "Talks to workers over gRPC.", since="2.0", source=SOURCE_PROJECT
    )


class NetworkPolicy(Model):
    """Who may talk to Kestra's pods and whom they may talk to. Everything else is denied."""

    enabled: ProjectBool = key(True, "Whether the policies are made.", source=SOURCE_PROJECT)
    ingress_namespace: str | None = key(
        None,
        "Namespace of the ingress controller, the only one that reaches the web port. Absent: the pods of Kestra's "
        "own namespace reach it.",
        pattern=NAME,
        source=K8S,
    )
    monitoring_namespace: str | None = key(
        None, "Namespace that may read the management port (8081).", pattern=NAME, source=K8S
    )
    egress_cidrs: tuple[Network, ...] = key(
        ("0.0.0.0/0",), "Networks that Kestra may reach on the egress ports.", source=SOURCE_PROJECT
    )
    egress_ports: tuple[Port, ...] = key(
        (443,),
        "Ports that Kestra may reach, besides those of the addresses in the settings (docs/network.md).",
        source=SOURCE_PROJECT,
    )
    dns_namespaces: tuple[NamespaceName, ...] = key(
        ("kube-system",), "Namespaces whose pods resolve names, by port 53.", source=SOURCE_PROJECT
    )
    dns_cidrs: tuple[Network, ...] = key(
        (),
        "Networks that resolve names, by port 53: 169.254.20.10/32 is NodeLocal DNSCache, the default of new GKE "
        "clusters.",
        source=SOURCE_PROJECT,
    )


class DatabaseAuthority(Model):
    """Who signed the certificate of Kestra's database. One of config-map, secret and certificates."""

    config_map: Existing | None = key(
        None, "Existing ConfigMap of the namespace that holds it.", source=SOURCE_PROJECT
    )
    secret: Existing | None = key(
        None, "Existing Secret of the namespace that holds it.", source=SOURCE_PROJECT
    )
    certificates: str | None = key(
        None,
        "The certificates themselves, as PEM text; they are no secret. For PostgreSQL and MariaDB.",
        source=SOURCE_PROJECT,
    )
    file: str = key(
        "ca.crt",
        "Its key: PEM for PostgreSQL and MariaDB; for MySQL a trust store, whose name ends in .p12 or .jks.",
        pattern=r"^[-._a-zA-Z0-9]{1,253}$",
        source=SOURCE_PROJECT,
    )
    trust_store_password: str = key(
        "changeit",
        "Password of that trust store. It protects no secret.",
        source="MySQL documentation, Connector/J, security properties",
    )

    @property
    def path(self) -> str:
        """Where the pods have it."""
        return f"{AUTHORITY_FOLDER}/{self.file}"


class StorageVolume(Model):
    """A volume for storage of type local; absent: an emptyDir, gone with the pod."""

    size: str | None = key(
        None,
        "Size of the volume that is claimed.",
        unit="Kubernetes quantity",
        pattern=r"^[0-9]+(Mi|Gi|Ti)$",
        source=K8S,
    )
    class_name: str | None = key(None, "Storage class.", pattern=SUBDOMAIN, source=K8S)
    existing_claim: str | None = key(
        None,
        "An existing PersistentVolumeClaim of the namespace; nothing is claimed then.",
        pattern=SUBDOMAIN,
        source=K8S,
    )
    access_mode: Literal["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"] | None = key(
        None,
        "Access mode of the claim (absent: ReadWriteMany in mode distributed, else ReadWriteOnce).",
        source=K8S,
    )


class Deployment(PodSettings):
    """Kestra on Kubernetes."""

    enabled: ProjectBool = key(
        True,
        "Whether Kestra is deployed. False: a stack of secrets alone, which writes the declared secrets of one team into "
        "the store of another stack's Kestra and makes nothing else (docs/teams.md).",
        source=SOURCE_PROJECT,
    )
    namespace: str = key("kestra", "Namespace.", pattern=NAME, max_length=63, source=K8S)
    kubeconfig: Kubeconfig | None = key(
        None,
        "kubeconfig of the cluster, as its text: encrypted, or an output of the cluster's stack "
        "(docs/stacks-that-compose.md). Absent: that of kubernetes:kubeconfig, or that of kubectl.",
        source="Pulumi documentation, Kubernetes provider",
    )
    create_namespace: ProjectBool = key(
        True,
        "Whether the namespace is made, enforcing Pod Security `restricted`.",
        source=SOURCE_PROJECT,
    )
    url: str | None = key(
        None,
        "Address that users see (kestra.url).",
        pattern=r"^https?://[^\s/]+",
        source=SOURCE_PROJECT,
    )
    mode: Literal["standalone", "distributed"] = key(
        "standalone",
        "One pod for everything, or one Deployment a component.",
        source=SOURCE_PROJECT,
    )
    image: Image = key(Image, "The container image.", source=SOURCE_PROJECT)
    components: Components = key(Components, "Server components.", source=SOURCE_PROJECT)
    worker_groups: dict[str, WorkerGroup] = key(
        {}, "Name to group of workers, Enterprise (docs/pods.md).", source=SOURCE_PROJECT
    )
    environment: dict[str, TextOrSecret] = key(
        {},
        "Environment variables of the containers. An encrypted one is kept in the stack's Secret; one in clear stands "
        "in the specification of the pods. Both win over environment-from.",
        source=SOURCE_PROJECT,
    )
    environment_from: tuple[Existing, ...] = key(
        (), "Existing Secrets whose keys become environment variables.", source=SOURCE_PROJECT
    )
    ingress: Ingress | None = key(None, "Ingress, with TLS only.", source=SOURCE_PROJECT)
    http_route: HttpRoute | None = key(
        None,
        "HTTPRoute of the Gateway API, instead of an Ingress or beside it.",
        source=SOURCE_PROJECT,
    )
    monitoring: Monitoring | None = key(
        None, "ServiceMonitor or PodMonitor of the Prometheus Operator.", source=SOURCE_PROJECT
    )
    autoscaling: Autoscaling | None = key(
        None, "The same for every component that does not say its own.", source=SOURCE_PROJECT
    )
    disruption_budget: DisruptionBudget | None = key(
        None, "The same for every component that does not say its own.", source=SOURCE_PROJECT
    )
    task_runner: TaskRunner | None = key(
        None,
        "Namespace in which Kestra's Kubernetes task runner makes pods (docs/task-runner.md).",
        source=SOURCE_PROJECT,
    )
    network_policy: NetworkPolicy = key(NetworkPolicy, "Network policies.", source=SOURCE_PROJECT)
    grpc_tls: GrpcTls | None = key(
        None,
        "Mutual TLS between workers and controllers, with certificates of cert-manager (absent: none).",
        since="2.0",
        source=SOURCE_PROJECT,
    )
    worker_authentication: WorkerAuthentication | None = key(
        None,
        "Registration tokens of workers, made by the stack (absent: none).",
        since="2.0",
        source=SOURCE_PROJECT,
    )
    storage_volume: StorageVolume | None = key(
        None, "Volume for local storage.", source=SOURCE_PROJECT
    )
    database_authority: DatabaseAuthority | None = key(
        None,
        "Has Kestra reach its databases over TLS only, and check their certificates (docs/database.md).",
        source=SOURCE_PROJECT,
    )
    protect: ProjectBool | None = key(
        None,
        "Whether stores and keys are protected (absent: yes in production).",
        source=SOURCE_PROJECT,
    )
    accept: str | None = key(
        None,
        "Lets one refused update pass that would lose secrets: the acceptance code that the refusal prints (docs/guards.md). "
        "It holds for that change alone.",
        pattern=r"^ok-[0-9a-f]{8}$",
        source=SOURCE_PROJECT,
    )

    @property
    def plain_environment(self) -> dict[str, str]:
        """Variables that stand in clear in the stack file."""
        return {n: v for n, v in self.environment.items() if isinstance(v, str)}

    @property
    def secret_environment(self) -> dict[str, SecretStr]:
        """Variables that are encrypted in the stack file."""
        return {n: v for n, v in self.environment.items() if isinstance(v, SecretStr)}
