"""What the settings add to a Deployment's pods, in Kubernetes' own form, and the Secret's keys for what is encrypted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
from pydantic import SecretStr

from ..rendering.leaves import literal
from ..settings import Settings
from ..settings.base import PendingSecret
from ..settings.java import VARIABLE
from ..settings.placeholders import as_placeholder
from ..settings.pods import Object, PodSettings
from ..settings.workloads import Workload

REGISTRATION_TOKEN = "KESTRA_WORKER_AUTH_REGISTRATION_TOKEN"  # noqa: S105 - the name of a variable
#: Root may read, and the group of the pods: kubelet gives the files of a volume to fsGroup.
SECRET_MODE = 0o440

#: As Pod Security `restricted` asks, and a read-only file system besides.
RESTRICTED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def secret_values(settings: Settings) -> dict[str, SecretStr]:
    """Key of the stack's Secret to value, for what is encrypted in what the settings add to pods."""
    values: dict[str, SecretStr] = {}
    for workload in settings.workloads:
        for container, variable in _variables(workload.pod):
            value = variable.get("value")
            if isinstance(value, SecretStr):
                values[_key(workload, container, variable["name"])] = value
        if (token := _kept_token(workload)) is not None:
            values[_key(workload, "kestra", REGISTRATION_TOKEN)] = token
    return values


def _variables(pod: PodSettings) -> Iterator[tuple[str, Object]]:
    """Name of the container and variable, for every variable that is added."""
    yield from (("kestra", variable) for variable in pod.extra_env)
    for container in (*pod.init_containers, *pod.extra_containers):
        yield from ((container["name"], variable) for variable in container.get("env") or ())


def _key(workload: Workload, container: str, variable: str) -> str:
    """The key of a value in the stack's Secret."""
    parts = (workload.name, container, variable)
    name = "__".join(re.sub("-", "_", part.upper()) for part in parts[:2])
    # Names with two hyphens could spell another pair of names.
    mark = hashlib.sha256("/".join(parts).encode()).hexdigest()[:12].upper()
    between = f"__{mark}" if any("--" in part for part in parts) else ""
    return f"STACK_POD_{name}{between}__{variable}"


def _kept_token(workload: Workload) -> SecretStr | None:
    """The registration token, ready for Micronaut; None where there is none, or another Secret has it."""
    group = workload.worker_group
    if group is None or group.registration_token is None:
        return None
    if isinstance(group.registration_token, PendingSecret):
        return group.registration_token
    value = group.registration_token.get_secret_value()
    placeholder = as_placeholder(value)
    if placeholder is None:
        return SecretStr(literal(value))
    return SecretStr(value) if placeholder.rest else None


def container_variables(workload: Workload, secret: pulumi.Input[str]) -> list[dict[str, Any]]:
    """Kestra's variables besides those of `environment`, and without the one that Java's options are put into."""
    variables = [
        _bound(variable, workload, "kestra", secret)
        for variable in workload.pod.extra_env
        if variable["name"] != VARIABLE or "valueFrom" in variable or _is_secret(variable)
    ]
    group = workload.worker_group
    if group is not None and group.registration_token is not None:
        token = _kept_token(workload)
        # Micronaut resolves `${NAME}` in the value of a variable too.
        value = token if token is not None else group.registration_token.get_secret_value()
        token = {"name": REGISTRATION_TOKEN, "value": value}
        variables.append(_bound(token, workload, "kestra", secret))
    return variables


def _is_secret(variable: Object) -> bool:
    return isinstance(variable.get("value"), SecretStr)


def _bound(
    variable: Object, workload: Workload, container: str, secret: pulumi.Input[str]
) -> dict[str, Any]:
    """A variable whose encrypted value is a reference to the stack's Secret."""
    if not _is_secret(variable):
        return dict(variable)
    reference = {"name": secret, "key": _key(workload, container, variable["name"])}
    return {"name": variable["name"], "valueFrom": {"secretKeyRef": reference}}


def extend(spec: dict[str, Any], workload: Workload, secret: pulumi.Input[str]) -> None:
    """Adds to a pod's specification what the settings say.

    Args:
        spec: what this project gives every pod; Kestra's container is its first one.
        workload: whose pods they are.
        secret: name of the stack's Secret.
    """
    pod = workload.pod
    spec["topologySpreadConstraints"] = _spread(spec["topologySpreadConstraints"], pod)
    spec["volumes"] += [_with_mode(volume) for volume in pod.extra_volumes]
    spec["containers"][0]["volumeMounts"] += list(pod.extra_volume_mounts)
    spec["containers"] += [_container(c, workload, secret) for c in pod.extra_containers]
    if pod.init_containers:
        own = spec.get("initContainers", [])
        spec["initContainers"] = [
            *own,
            *(_container(c, workload, secret) for c in pod.init_containers),
        ]
    for name, value in (
        ("nodeSelector", pod.node_selector),
        ("tolerations", list(pod.tolerations)),
        ("affinity", pod.affinity),
        ("priorityClassName", pod.priority_class),
        ("runtimeClassName", pod.runtime_class),
        ("hostAliases", list(pod.host_aliases)),
        ("dnsConfig", pod.dns_config),
    ):
        if value:
            spec[name] = value


def _spread(own: list[dict[str, Any]], pod: PodSettings) -> list[dict[str, Any]]:
    """The constraints of this project, but for keys that the settings speak of, and those of the settings."""
    keys = {constraint.get("topologyKey") for constraint in pod.topology_spread_constraints}
    same_pods = {"labelSelector": own[0]["labelSelector"]}
    return [
        *(constraint for constraint in own if constraint["topologyKey"] not in keys),
        *(same_pods | constraint for constraint in pod.topology_spread_constraints),
    ]


def _with_mode(volume: Object) -> Object:
    """A volume whose files of Secrets have a mode."""
    for kind in ("secret", "projected"):
        block = volume.get(kind)
        if block is None or "defaultMode" in block:
            continue
        sources = block.get("sources") or ()
        if kind == "secret" or any("secret" in source for source in sources):
            return volume | {kind: block | {"defaultMode": SECRET_MODE}}
    return volume


def _container(container: Object, workload: Workload, secret: pulumi.Input[str]) -> Object:
    """A container with what Pod Security asks for, where it says nothing else."""
    written = container.get("securityContext") or {}
    capabilities = {**RESTRICTED["capabilities"], **(written.get("capabilities") or {})}
    context = {**RESTRICTED, **written, "capabilities": capabilities}
    bound = container | {"securityContext": context}
    if container.get("env"):
        bound["env"] = [_bound(v, workload, container["name"], secret) for v in container["env"]]
    return bound
