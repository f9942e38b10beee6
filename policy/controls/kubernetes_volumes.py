"""Kubernetes: what volumes a pod has, and who in it may read the files of its Secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.model import Context, Finding, Problem, Resource, cis_kubernetes, control
from ..core.values import as_list, check_each, get_path, number
from ..pods import WORKLOADS, pod, pod_path

#: Kinds that Pod Security `restricted` allows.
_KINDS = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
)  # fmt: skip
#: What kubelet gives a file without a mode of its own.
_USUAL_MODE = 0o644


@control(
    "ks-kubernetes-12",
    "Volumes are of kinds that a pod may choose, and files of Secrets are for its group",
    "medium",
    risk="A volume of a server by address reaches past the cluster's storage classes; a file that every user may read "
    "is read by whatever runs in the container.",
    steps=(
        "Claim storage by a PersistentVolumeClaim instead of nfs, iscsi and their like.",
        "Set defaultMode: 0440 on volumes of Secrets, and fsGroup on the pod.",
    ),
    setting="kestra:deployment.extra-volumes (files of Secrets have mode 0440 unless defaultMode says otherwise)",
    types=WORKLOADS,
    frameworks=(
        *cis_kubernetes("5.4.1", version="1.12"),
        *cis_kubernetes("5.4.1"),
    ),
)
def plain_volumes(workload: Resource, _: Context) -> Iterator[Finding]:
    path = f"{pod_path(workload)}.volumes"

    def judge(entry: tuple[int, Any]) -> Iterator[Finding]:
        position, volume = entry
        here, name = f"{path}.{position}", get_path(volume, "name")
        others = [k for k in volume if k not in (*_KINDS, "name")] if _is_map(volume) else []
        # ks-kubernetes-03 speaks of the node's own files.
        for kind in others:
            if kind != "hostPath" and get_path(volume, kind) is not None:
                expected = "a PersistentVolumeClaim"
                yield Problem(f"the volume {name} is of kind {kind}", expected, f"{here}.{kind}")
        for where, mode in _modes(volume):
            # Kubernetes takes a mode as the number that it is.
            if mode is not None and int(mode) & 0o007:
                yield Problem(
                    f"the volume {name} lets every user read files of a Secret ({int(mode):04o})",
                    "0440",
                    f"{here}.{where}",
                )

    yield from check_each(enumerate(as_list(get_path(pod(workload), "volumes"))), judge)


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _modes(volume: Any) -> Iterator[tuple[str, float | None]]:
    """Where the files of a volume's Secrets get their mode, and the mode. Raises Undecided when unknown."""
    if get_path(volume, "secret") is not None:
        yield from _of_source(volume, "secret", "secret.defaultMode")
    for position, source in enumerate(as_list(get_path(volume, "projected.sources"))):
        if get_path(source, "secret") is not None:
            yield from _of_source(
                source, "secret", "projected.defaultMode", f"projected.sources.{position}.", volume
            )


def _of_source(
    holder: Any, field: str, default: str, prefix: str = "", volume: Any = None
) -> Iterator[tuple[str, float | None]]:
    mode = number(get_path(volume if volume is not None else holder, default))
    items = as_list(get_path(holder, f"{field}.items"))
    own = [number(get_path(item, "mode")) for item in items]
    if not items or None in own:
        yield default, _USUAL_MODE if mode is None else mode
    for position, one in enumerate(own):
        if one is not None:
            yield f"{prefix}{field}.items.{position}.mode", one
