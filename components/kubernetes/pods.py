"""Pods of Kestra's server components: containers, probes, security contexts, volumes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from ..rendering.web_server import WebServer
from ..settings import Settings
from ..settings.deployment import DEFAULT_TAGS, Component
from ..settings.endpoints import EndpointsBasicAuth
from ..settings.java import (
    VARIABLE,
    comes_from_secret,
    heap_default,
    heap_option,
    java_options,
    with_extra_variables,
)
from ..settings.placeholders import as_placeholder
from ..settings.quantities import amount
from ..settings.workloads import Workload
from . import database_authority, existing_secrets, pod_additions

USER = 1000
MOUNTED, LOADED = "/etc/kestra/application.yaml", "/app/confs/application.yaml"
PROBE_PASSWORD = "STACK_PROBE_PASSWORD"  # noqa: S105 - the name of a variable

#: Copies the file where Kestra may delete it. A container that restarts in its pod finds it deleted, and
#: init containers do not run again, so the start of the container itself copies it when it is not there.
COPY = f"[ -f {LOADED} ] || cp {MOUNTED} {LOADED}"

#: The probe asks as kubelet's httpGet would, but makes the header from the environment: a header in the pod's
#: specification would show the password to everyone who may read pods. What it prints is in kubelet's event of a
#: failed probe, in the words that kubelet has for its own.
_PROBE = (
    """login=$(printf '%s:%s' "{user}" "{password}" | base64 -w0) && """
    """exec 3<>/dev/tcp/127.0.0.1/{port} && """
    r"""printf 'GET {path} HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n' "$login" >&3 && """
    """read -r _ code _ <&3 && """
    """{{ [ "$code" = 200 ] || {{ echo "HTTP probe failed with statuscode: $code"; exit 1; }}; }}"""
)

#: A process that fails its probes for so long does not end by itself either: it would hang for the pod's whole grace
#: period, minutes that are for tasks. A Kestra without tasks ends in 5 seconds when it can.
_AFTER_A_FAILED_PROBE = {"terminationGracePeriodSeconds": 30}

STORAGE_CLAIM = "kestra-storage"
_DEFAULT_REQUESTS = {"cpu": "500m", "memory": "1Gi"}
_DEFAULT_LIMITS = {"memory": "2Gi"}
COMMON_IMAGE = "kestra/kestra"
ENTERPRISE_IMAGE = "registry.kestra.io/docker/kestra-ee"


@dataclass(frozen=True)
class PodArgs:
    """What the pods of every component share."""

    settings: Settings
    labels: Mapping[str, str]
    service_account: pulumi.Input[str]
    needs_token: bool
    config_map: pulumi.Input[str]
    secret: pulumi.Input[str]
    versions: pulumi.Input[str]
    """A hash of the versions of the secrets (`version_hash`)."""
    identity_labels: Mapping[str, str] = field(default_factory=dict)
    """What the identity asks of pods."""
    server: WebServer = field(default_factory=WebServer)
    """Where the containers listen."""
    delivered: Sequence[pulumi.Input[str]] = ()
    """Secrets of others whose keys are variables of Kestra's containers."""


def image(settings: Settings) -> str:
    """The image by digest, or by the tag of one release."""
    chosen = settings.deployment.image
    name = chosen.repository or (ENTERPRISE_IMAGE if settings.is_enterprise else COMMON_IMAGE)
    if chosen.digest:
        return f"{name}@{chosen.digest}"
    return f"{name}:{chosen.tag or DEFAULT_TAGS[settings.version]}"


def pod_seconds(settings: Settings) -> int:
    """How long a pod may take to end: what Kestra gives its tasks, and a minute more."""
    return settings.grace_seconds + 60


def version_hash(version_ids: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """A hash of the versions of the secrets, never of their values: a new version rolls the pods."""

    def digest(known: Mapping[str, str]) -> str:
        text = "\n".join(f"{name}={known[name]}" for name in sorted(known))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    return pulumi.Output.all(**version_ids).apply(digest)


def probe_command(login: EndpointsBasicAuth, port: int, path: str) -> list[str]:
    """Asks a management endpoint, logged in: exit code 0 when it answers 200.

    User and password may be `${NAME}` or `${NAME:default}`, which the container's environment resolves as
    Kestra does. The container's variable `STACK_PROBE_PASSWORD` is the password, or that default.
    """
    login_password = login.password.get_secret_value() if login.password else ""
    user, default = _variable(login.username or "")
    password, _ = _variable(login_password)
    script = _PROBE.format(
        user=f"${{{user}-$1}}" if user else "$1",
        password=f"${{{password}-${PROBE_PASSWORD}}}" if password else f"${PROBE_PASSWORD}",
        port=port,
        path=path,
    )
    return ["/bin/bash", "-c", script, "probe", default]


def probe_password(password: str) -> str:
    """The value of `STACK_PROBE_PASSWORD`: the password, or the default of a placeholder."""
    return _variable(password)[1]


def _variable(value: str) -> tuple[str, str]:
    """Variable that a setting names (empty: none), and the text that counts without it."""
    placeholder = as_placeholder(value)
    return ("", value) if placeholder is None else (placeholder.name, placeholder.default or "")


def pod_template(workload: Workload, args: PodArgs) -> Any:
    """The template of a Deployment's pods."""
    settings, component = args.settings, workload.name
    deletes = settings.configurations.delete_files_on_start
    # The task runner asks the API server for pods.
    makes_pods = settings.deployment.task_runner is not None and workload.runs_tasks
    volumes: list[dict[str, Any]] = [
        {"name": "configuration", "configMap": {"name": args.config_map, "defaultMode": 0o444}},
        {"name": "tmp", "emptyDir": {}},
    ]
    if stores_locally(settings):
        volume = settings.deployment.storage_volume
        kind = (
            {"persistentVolumeClaim": {"claimName": volume.existing_claim or STORAGE_CLAIM}}
            if volume is not None
            else {"emptyDir": {}}
        )
        volumes.append({"name": "storage", **kind})
    if deletes:
        volumes.append({"name": "loaded", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}})
    volumes += existing_secrets.volumes(settings)
    volumes += database_authority.volumes(settings, args.config_map)
    spec: dict[str, Any] = {
        "serviceAccountName": args.service_account,
        "automountServiceAccountToken": args.needs_token or makes_pods,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": pod_seconds(settings),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(args.labels, component)},
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
        "containers": [_container(workload, args, deletes)],
        "volumes": volumes,
    }
    if deletes:
        spec["initContainers"] = [_copier(settings)]
    if settings.deployment.image.pull_secrets:
        spec["imagePullSecrets"] = [{"name": n} for n in settings.deployment.image.pull_secrets]
    pod_additions.extend(spec, workload, args.secret)
    own = {"app.kubernetes.io/component": component}
    return {
        "metadata": {
            "labels": {**args.labels, **workload.pod.labels, **args.identity_labels, **own},
            "annotations": {
                **workload.pod.annotations,
                "kestra.pulumi/secret-versions": args.versions,
            },
        },
        "spec": spec,
    }


def selector(labels: Mapping[str, str], component: str | None = None) -> dict[str, str]:
    """The labels that select Kestra's pods, or those of one component; they never change."""
    chosen = {
        k: v
        for k, v in labels.items()
        if k in ("app.kubernetes.io/name", "app.kubernetes.io/instance")
    }
    return chosen | ({"app.kubernetes.io/component": component} if component else {})


def stores_locally(settings: Settings) -> bool:
    """Whether Kestra's internal storage is a folder of its containers."""
    return settings.storage is None or settings.storage.type == "local"


def _copier(settings: Settings) -> dict[str, Any]:
    return {
        "name": "configuration",
        "image": image(settings),
        "imagePullPolicy": settings.deployment.image.pull_policy,
        "command": ["/bin/sh", "-c", COPY],
        "securityContext": dict(pod_additions.RESTRICTED),
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "volumeMounts": [
            {"name": "configuration", "mountPath": "/etc/kestra", "readOnly": True},
            {"name": "loaded", "mountPath": "/app/confs"},
        ],
    }


def _command(workload: Workload, settings: Settings) -> list[str]:
    component, chosen = workload.server, workload.component
    arguments = ["server", component]
    if chosen.worker_threads is not None and workload.runs_tasks:
        option = "--worker-thread" if component == "standalone" else "--thread"
        arguments.append(f"{option}={chosen.worker_threads}")
    if (group := workload.worker_group) is not None and settings.version == "1.3":
        arguments.append(f"--worker-group={group.group_key or workload.group}")
    return [*arguments, *chosen.extra_args]


def _container(workload: Workload, args: PodArgs, deletes: bool) -> dict[str, Any]:
    settings, chosen, component = args.settings, workload.component, workload.server
    deployment = with_extra_variables(settings.deployment, workload.pod)
    arguments = _command(workload, settings)
    first = [*([COPY] if deletes else []), *existing_secrets.exports(settings)]
    share = heap_default(deployment, chosen)
    if share is not None and comes_from_secret(deployment):
        # A variable of the pod would take the place of one that a Secret brings; this one comes before it.
        first.append(f'export {VARIABLE}="{heap_option(share)} ${{{VARIABLE}-}}"')
    started: dict[str, Any] = {"command": ["/app/kestra"], "args": arguments}
    if first:
        script = " && ".join([*first, 'exec /app/kestra "$@"'])
        started["command"] = ["/bin/sh", "-c", script, "kestra"]
    mounts: list[dict[str, Any]] = [
        {"name": "configuration", "mountPath": "/etc/kestra", "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod
    ]
    if stores_locally(settings):
        path = (
            settings.storage.local.base_path
            if settings.storage and settings.storage.local
            else "/app/storage"
        )
        mounts.append({"name": "storage", "mountPath": path})
    if deletes:
        mounts.append({"name": "loaded", "mountPath": "/app/confs"})
    mounts += existing_secrets.mounts(settings)
    mounts += database_authority.mounts(settings)
    plain = {"MICRONAUT_CONFIG_FILES": LOADED if deletes else MOUNTED}
    plain |= settings.deployment.plain_environment
    options = java_options(deployment, chosen)
    if options is not None:
        plain[VARIABLE] = options
    return {
        "name": "kestra",
        "image": image(settings),
        "imagePullPolicy": deployment.image.pull_policy,
        **started,
        "env": [
            *({"name": name, "value": value} for name, value in plain.items()),
            *pod_additions.container_variables(workload, args.secret),
        ],
        "envFrom": _sources(workload, args),
        "ports": _ports(component, args.server),
        "resources": _resources(chosen),
        "securityContext": dict(pod_additions.RESTRICTED),
        "volumeMounts": mounts,
        "startupProbe": _probe("/health", settings, args.server)
        | {"periodSeconds": 5, "failureThreshold": 60}
        | _AFTER_A_FAILED_PROBE,
        "readinessProbe": _probe("/health/readiness", settings, args.server)
        | {"periodSeconds": 10},
        "livenessProbe": _probe("/health/liveness", settings, args.server)
        | {"periodSeconds": 10, "failureThreshold": 6}
        | _AFTER_A_FAILED_PROBE,
    }


def _sources(workload: Workload, args: PodArgs) -> list[dict[str, Any]]:
    """Secrets and ConfigMaps whose keys are variables of the container; of two with the same key the last one counts."""
    deployment = args.settings.deployment
    own: list[dict[str, Any]] = [
        {"secretRef": {"name": name}} for name in (args.secret, *args.delivered)
    ]
    others: list[dict[str, Any]] = [
        *({"secretRef": {"name": name}} for name in deployment.environment_from),
        *workload.pod.extra_env_from,
    ]
    # A variable of the settings wins over those of the user's own Secrets, encrypted or not.
    return [*others, *own] if deployment.secret_environment else [*own, *others]


def _resources(chosen: Component) -> dict[str, dict[str, str]]:
    """Requests and limits; a default gives way to what is set, for a request above its limit is refused."""
    requests = chosen.resources.requests.model_dump(exclude_none=True)
    limits = chosen.resources.limits.model_dump(exclude_none=True)
    made_requests, made_limits = _DEFAULT_REQUESTS | requests, _DEFAULT_LIMITS | limits
    for kind, limit in made_limits.items():
        if amount(made_requests[kind]) <= amount(limit):
            continue
        if kind in limits and kind not in requests:
            made_requests[kind] = limit
        elif kind not in limits:
            made_limits[kind] = made_requests[kind]
    return {"requests": made_requests, "limits": made_limits}


def _ports(component: str, server: WebServer) -> list[dict[str, Any]]:
    ports = [{"name": "management", "containerPort": server.management_port}]
    if component in ("standalone", "webserver"):
        ports.insert(0, {"name": server.scheme, "containerPort": server.port})
    if component == "controller":
        ports.append({"name": "grpc", "containerPort": server.grpc_port})
    return ports


def _probe(path: str, settings: Settings, server: WebServer) -> dict[str, Any]:
    everything, path = settings.endpoints.all, server.management(path)
    if everything and everything.basic_auth:
        return {
            "exec": {"command": probe_command(everything.basic_auth, server.management_port, path)},
            "timeoutSeconds": 5,
        }
    return {"httpGet": {"path": path, "port": "management"}, "timeoutSeconds": 3}
