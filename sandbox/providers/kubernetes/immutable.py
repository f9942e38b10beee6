"""Which changed fields replace an object instead of updating it.

The behaviour of the official plugin (``provider/pkg/provider/diff.go``); a path is matched when
the change lies at it, below it or above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.providers.kubernetes.naming import Kind

Path = tuple[str, ...]

_CONTAINER = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
]
_POD = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]
_VOLUME = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
]


def _spec(*names: str) -> list[Path]:
    return [("spec", name) for name in names]


_STATEFUL = _spec(
    "podManagementPolicy",
    "revisionHistoryLimit",
    "selector",
    "serviceName",
    "volumeClaimTemplates",
)
_ROLE_BINDING: list[Path] = [("roleRef",)]
_JOB = _spec("completions", "parallelism", "selector", "template")
_TABLE: dict[str, list[Path]] = {
    "apps/v1beta1/StatefulSet": _STATEFUL,
    "policy/v1beta1/PodDisruptionBudget": [("spec",)],
    "storage.k8s.io/v1/StorageClass": [("parameters",), ("provisioner",)],
    "v1/PersistentVolume": _spec(*_VOLUME),
    "v1/PersistentVolumeClaim": _spec("accessModes", "selector", "storageClassName", "volumeName"),
    "v1/Pod": _spec(*_POD)
    + [
        ("spec", group, "*", name)
        for group in ("containers", "initContainers")
        for name in _CONTAINER
    ],
    "v1/ResourceQuota": _spec("scopes"),
    "v1/Service": _spec("clusterIP"),
}
for _version in ("v1", "v1beta2"):
    _TABLE[f"apps/{_version}/StatefulSet"] = _STATEFUL
    _TABLE[f"apps/{_version}/Deployment"] = _TABLE[f"apps/{_version}/DaemonSet"] = _spec("selector")
for _version in ("v1", "v1beta1", "v1alpha1"):
    for _kind in ("RoleBinding", "ClusterRoleBinding"):
        _TABLE[f"rbac.authorization.k8s.io/{_version}/{_kind}"] = _ROLE_BINDING
for _version in ("v1", "v1beta1", "v2alpha1"):
    _TABLE[f"batch/{_version}/Job"] = _JOB
IDENTITY: list[Path] = [("metadata", "name"), ("metadata", "namespace")]


def replacing_paths(
    kind: Kind,
    inputs: Mapping[str, Any],
    *,
    secrets_mutable: bool = False,
    config_maps_mutable: bool = False,
) -> list[Path]:
    """The paths whose change replaces an object of this kind; ``*`` stands for a list index."""
    frozen = inputs.get("immutable") is True
    if str(kind) == "v1/Secret":
        fixed: list[Path] = [("type",)]
        if frozen or not secrets_mutable:
            fixed += [("stringData",), ("data",)]
        return IDENTITY + fixed
    if str(kind) == "v1/ConfigMap":
        return IDENTITY + (
            [("binaryData",), ("data",)] if frozen or not config_maps_mutable else []
        )
    return IDENTITY + _TABLE.get(str(kind), [])


def touches(path: tuple[str | int, ...], value: Any, replacing: list[Path]) -> bool:
    """Whether a change of ``path`` to ``value`` touches one of the replacing paths."""
    return any(_touches(path, value, fixed) for fixed in replacing)


def _touches(path: tuple[str | int, ...], value: Any, fixed: Path) -> bool:
    for have, want in zip(path, fixed, strict=False):
        if have != want and not (want == "*" and isinstance(have, int)):
            return False
    return _holds(value, fixed[len(path) :])


def _holds(value: Any, rest: Path) -> bool:
    """Whether a changed value contains the rest of a replacing path."""
    if not rest:
        return True
    if rest[0] == "*":
        return isinstance(value, list) and any(_holds(item, rest[1:]) for item in value)
    return isinstance(value, Mapping) and rest[0] in value and _holds(value[rest[0]], rest[1:])
