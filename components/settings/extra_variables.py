"""Environment variables of Kestra's container in Kubernetes' form (`extra-env`, `extra-env-from`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from .pods import Object, PodSettings

if TYPE_CHECKING:
    from .model import Settings


def literal(variable: Object) -> str | None:
    """The text of a variable in clear; None where it is encrypted or comes from another object."""
    if variable.get("valueFrom"):
        return None
    value = variable.get("value", "")
    return value if isinstance(value, str) else None


def is_encrypted(variable: Object) -> bool:
    """Whether the value of a variable is encrypted in the stack file."""
    return isinstance(variable.get("value"), SecretStr)


def comes_from_elsewhere(variable: Object) -> bool:
    """Whether a Secret has the value: the stack's, since it is encrypted, or another one."""
    source = variable.get("valueFrom")
    reads_secret = isinstance(source, dict) and "secretKeyRef" in source
    return is_encrypted(variable) or reads_secret


def find(pod: PodSettings, name: str) -> Object | None:
    """The variable of a name; None where the settings have none."""
    return next((v for v in pod.extra_env if v.get("name") == name), None)


def names(pod: PodSettings) -> set[str]:
    """Names of the variables that `extra-env` gives."""
    return {v["name"] for v in pod.extra_env if isinstance(v.get("name"), str)}


def missing_in(s: Settings, name: str) -> list[str]:
    """The Deployments whose containers certainly lack a variable.

    Those with a Secret or a ConfigMap whose keys are not known here may have it.
    """
    deployment = s.deployment
    if deployment.environment_from or name in deployment.environment:
        return []
    return [
        workload.name
        for workload in s.workloads
        if not workload.pod.extra_env_from and name not in names(workload.pod)
    ]
