"""Volumes of Kestra's pods: the storage of its files, folders that the program has itself, and the rest."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .assembly import Assembly
from .kubernetes_objects import KubernetesObject, Objects, as_list, dig, listed
from .restricted_pods import container_refusal
from .workloads import Workload

STORAGE = "/app/storage"
"""Where Kestra's image keeps files of storage type local."""
#: Names that the program's own volumes have.
_TAKEN = frozenset(["configuration", "tmp", "storage", "loaded", "secrets", "token"])
_BASE_PATH = re.compile(r"base-?path[\"']?\s*[:=]\s*[\"']?(/[^\s\"'#,}]+)", re.IGNORECASE)
_SIZE = re.compile(r"[0-9]+(Mi|Gi|Ti)")


def storage_paths(texts: Collection[str]) -> frozenset[str]:
    """Folders in which files of storage type local may lie, by the texts of configuration files."""
    paths = [STORAGE, *(path for text in texts for path in _BASE_PATH.findall(text))]
    return frozenset(posixpath.normpath(path) for path in paths)


def carried_volumes(
    workload: Workload,
    configuration: Collection[str],
    paths: Collection[str],
    objects: Objects,
    assembly: Assembly,
) -> Workload:
    """The workload with those volumes and mounts alone that become options of its pods.

    Args:
        workload: as the input has it.
        configuration: names of volumes that hold configuration files, which the program renders itself.
        paths: folders of storage type local.
        objects: of the inputs, with the claims.
        assembly: where storage and notes go.
    """
    volumes = {
        str(dig(v, "name")): v
        for v in as_list(workload.pod.get("volumes"))
        if isinstance(v, Mapping)
    }
    out = set(configuration) | _of_refused_containers(workload, volumes)
    mounts: list[Any] = []
    for mount in as_list(workload.container.get("volumeMounts")):
        name, at = str(dig(mount, "name")), posixpath.normpath(str(dig(mount, "mountPath")))
        volume = volumes.get(name)
        if name in out or not isinstance(mount, Mapping):
            continue
        claim = dig(volume, "persistentVolumeClaim", "claimName")
        if isinstance(claim, str) and _holds(at, paths):
            _add_claim(claim, workload, objects, assembly)
            out.add(name)
        elif volume is not None and at in {"/tmp", *paths} and "emptyDir" in volume:  # noqa: S108
            # The program has a volume of its own there.
            out.add(name)
        elif volume is not None and "docker.sock" in str(dig(volume, "hostPath", "path") or at):
            assembly.note(
                "not carried",
                f"{workload.place('volumes')}: {name}",
                "the socket of the node's Docker (docker.sock): Pod Security restricted, which the namespace "
                "enforces, refuses paths of the node",
                "use the Kubernetes or process task runner in flows",
                workload.origin("volumes"),
            )
            out.add(name)
        elif volume is None and name not in volumes:
            continue
        else:
            mounts.append(mount)
    kept, names = [], _free_names(volumes, out)
    refused = {n for n, v in volumes.items() if any(k in v for k in _NODE)}
    for name, volume in volumes.items():
        if name not in out and name != "None":
            kept.append({**volume, "name": names[name]})
    renamed = [
        {**mount, "name": names[mount["name"]]}
        for mount in mounts
        if isinstance(mount.get("name"), str)
        and mount["name"] in names
        and mount["name"] not in refused
    ]
    return replace(
        workload,
        pod={**workload.pod, "volumes": kept},
        container={**workload.container, "volumeMounts": renamed},
    )


def _of_refused_containers(workload: Workload, volumes: Mapping[str, Any]) -> set[str]:
    """Volumes in which a container that is not carried shares something with Kestra: Docker's socket."""
    containers = as_list(workload.pod.get("containers"))
    refused = [c for c in containers if isinstance(c, Mapping) and container_refusal(c)]
    names = {str(dig(mount, "name")) for c in refused for mount in listed(c, "volumeMounts")}
    return {name for name in names if "emptyDir" in volumes.get(name, {})}


#: Kinds of volumes that a restricted pod cannot have; `workloads` notes them.
_NODE = ("hostPath", "nfs", "iscsi", "cephfs", "rbd", "glusterfs", "flexVolume", "gitRepo")


def _free_names(volumes: Mapping[str, Any], out: Collection[str]) -> dict[str, str]:
    return {n: f"imported-{n}" if n in _TAKEN else n for n in volumes if n not in out}


def _holds(at: str, paths: Collection[str]) -> bool:
    return any(path == at or path.startswith(f"{at}/") for path in paths)


def _add_claim(claim: str, workload: Workload, objects: Objects, assembly: Assembly) -> None:
    origin, at = workload.origin("volumes"), "deployment.storage-volume"
    assembly.add_setting(f"{at}.existing-claim", claim, origin)
    item = next((o for o in objects.of("PersistentVolumeClaim") if o.name == claim), None)
    if item is not None:
        add_claim_size(item.mapping("spec"), item, assembly)
    assembly.note(
        "changed",
        f"PersistentVolumeClaim {claim}",
        "it holds Kestra's files and is carried: pods of the stack mount the same claim, which the stack does not "
        "make and does not delete",
        f"kestra:{at}.existing-claim; keep the claim when the old installation is removed",
        origin,
    )


def add_claim_size(spec: Mapping[str, Any], item: KubernetesObject, assembly: Assembly) -> None:
    """Adds size and class of a claim, where the program can ask for the same."""
    at = "deployment.storage-volume"
    size = str(dig(spec, "resources", "requests", "storage") or "")
    if _SIZE.fullmatch(size):
        assembly.add_setting(f"{at}.size", size, item.origin("spec.resources.requests.storage"))
    if isinstance(spec.get("storageClassName"), str) and spec["storageClassName"]:
        assembly.add_setting(
            f"{at}.class-name", spec["storageClassName"], item.origin("spec.storageClassName")
        )


def with_claim_templates(pod: Mapping[str, Any], item: KubernetesObject) -> dict[str, Any]:
    """A StatefulSet's pod, with the claims of its first pod as volumes."""
    volumes: list[Any] = list(as_list(pod.get("volumes")))
    for template in item.sequence("spec", "volumeClaimTemplates"):
        name = dig(template, "metadata", "name")
        if isinstance(name, str):
            claim = {"claimName": f"{name}-{item.name}-0"}
            volumes.append({"name": name, "persistentVolumeClaim": claim})
    return {**pod, "volumes": volumes}


def claim_objects(item: KubernetesObject) -> Sequence[dict[str, Any]]:
    """The claims that a StatefulSet's templates make for its first pod."""
    return [
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": f"{dig(template, 'metadata', 'name')}-{item.name}-0"},
            "spec": dig(template, "spec") or {},
        }
        for template in item.sequence("spec", "volumeClaimTemplates")
    ]
