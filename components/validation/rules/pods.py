"""What the settings add to pods: names that stand once, mounts that have a volume, nothing of the program's own."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...settings.deployment import AUTHORITY_FOLDER
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.pods import IDENTITY, Object, PodSettings, containers, identify
from ...settings.workloads import places
from ..kubernetes_values import is_label_key, is_label_value
from ..schema import Loc

#: Containers and volumes of the program (components/kubernetes/pods.py).
OWN_CONTAINERS = ("kestra", "configuration")
OWN_VOLUMES = ("configuration", "loaded", "storage", "tmp")
#: Labels that the program sets on pods: those of selectors, and those of identities.
_OWN_LABELS = re.compile(
    r"app\.kubernetes\.io/(name|instance|component|part-of|managed-by)|azure\.workload\.identity/use"
)
#: Folders without which Kestra's image does not start.
_OF_THE_IMAGE = (
    "/", "/app", "/app/kestra", "/bin", "/dev", "/etc", "/lib", "/lib64", "/opt", "/opt/java", "/proc", "/sbin", "/sys",
    "/usr", "/usr/bin", "/usr/lib",
)  # fmt: skip
_OWN_ANNOTATIONS = re.compile(r"kestra\.pulumi/.*")


def own_mounts(s: Settings) -> dict[str, str]:
    """Path to volume of what the program mounts in Kestra's container."""
    mounts = {"/etc/kestra": "configuration", "/tmp": "tmp"}  # noqa: S108 - a volume of the pod
    if s.storage is None or s.storage.type == "local":
        local = s.storage and s.storage.local
        mounts[(local and local.base_path) or "/app/storage"] = "storage"
    if s.configurations.delete_files_on_start:
        mounts["/app/confs"] = "loaded"
    if s.deployment.database_authority is not None:
        mounts[AUTHORITY_FOLDER] = "kestra-database-authority"
    return mounts


def _mounts_of_some(s: Settings) -> dict[str, str]:
    """The same of what the program mounts in Kestra's containers of some pods, or for some settings."""
    # Rendering is above the settings: imported when it is used.
    from ...rendering.worker_channel import STORES_FOLDER, TOKENS_FOLDER

    mounts: dict[str, str] = {}
    if s.grpc_tls is not None:
        mounts[STORES_FOLDER] = "grpc-tls"
    if s.registration_groups:
        mounts[TOKENS_FOLDER] = "worker-tokens"
    if any(one.existing and one.existing.kubernetes_secret for one in s.declared_secrets.values()):
        mounts["/etc/kestra-secrets"] = "existing-secrets"
    return mounts


def check(s: Settings) -> Iterator[Finding]:
    """What the API server would refuse, or what would take the place of something of Kestra's."""
    for loc, pod in places(s):
        yield from _twice(pod, loc)
        yield from _names(s, pod, loc)
        yield from _marks(pod, loc)
        yield from _mounts(s, pod, loc)
        yield from _init_containers(pod, loc)
    yield from _both_kinds(s)


def _key(name: str) -> str:
    return name.replace("_", "-")


def _twice(pod: PodSettings, loc: Loc) -> Iterator[Finding]:
    lists: list[tuple[Loc, tuple[str, ...], list[Object]]] = [
        ((*loc, _key(name)), identity, list(getattr(pod, name)))
        for name, identity in IDENTITY.items()
    ]
    for name, i, container in containers(pod):
        at = (*loc, name, i)
        lists.append(((*at, "env"), ("name",), container.get("env") or []))
        lists.append(((*at, "volumeMounts"), ("mountPath",), container.get("volumeMounts") or []))
    for at, identity, items in lists:
        seen: set[tuple[Any, ...]] = set()
        for i, item in enumerate(items):
            one = identify(item, identity)
            if None not in one and one in seen:
                yield Finding(
                    (*at, i, identity[0]),
                    "is there twice",
                    "each entry of the list has one of its own",
                    "keep one of the two, or rename one",
                )
            seen.add(one)


def _both_kinds(s: Settings) -> Iterator[Finding]:
    """Names that an init container and another one of the same pods have."""
    said: set[Loc] = set()
    for workload in s.workloads:
        first = {c.get("name") for c in workload.pod.init_containers} - {None}
        for loc, pod in ((("deployment",), s.deployment), (workload.loc, workload.component)):
            for i, container in enumerate(pod.extra_containers):
                at = (*loc, "extra-containers", i, "name")
                if container.get("name") in first and at not in said:
                    said.add(at)
                    yield Finding(
                        at,
                        "is the name of an init container too",
                        "each container of a pod has a name of its own",
                        "rename one of them",
                    )


def _init_containers(pod: PodSettings, loc: Loc) -> Iterator[Finding]:
    for i, container in enumerate(pod.init_containers):
        if container.get("restartPolicy") == "Always":
            continue
        for name in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if name in container:
                yield Finding(
                    (*loc, "init-containers", i, name),
                    "has no use in a container that ends",
                    "an init container has probes and hooks when its restartPolicy is Always",
                    "remove it, or set restartPolicy to Always",
                    kind="relation",
                )


def _names(s: Settings, pod: PodSettings, loc: Loc) -> Iterator[Finding]:
    for name, i, container in containers(pod):
        if container.get("name") in OWN_CONTAINERS:
            yield Finding(
                (*loc, name, i, "name"),
                "is the name of a container of this project's",
                f"{' and '.join(OWN_CONTAINERS)} are its own",
                "rename it",
            )
    volumes = dict.fromkeys((*OWN_VOLUMES, *own_mounts(s).values(), *_mounts_of_some(s).values()))
    for i, volume in enumerate(pod.extra_volumes):
        if volume.get("name") in volumes:
            yield Finding(
                (*loc, "extra-volumes", i, "name"),
                "is the name of a volume of this project's",
                f"{', '.join(volumes)} are its own",
                "rename it",
            )


def _marks(pod: PodSettings, loc: Loc) -> Iterator[Finding]:
    for key, own in (
        ("labels", _OWN_LABELS),
        ("annotations", _OWN_ANNOTATIONS),
        ("node-selector", None),
    ):
        marks: Mapping[str, str] = getattr(pod, key.replace("-", "_"))
        for name, value in marks.items():
            at = (*loc, key, name)
            is_value = key == "annotations" or is_label_value(value)
            if own and own.fullmatch(name):
                yield Finding(
                    at,
                    f"is one of the {key} that this project sets",
                    "Deployments, Services and network policies select the pods by their labels"
                    if key == "labels"
                    else "by it a changed secret rolls the pods",
                    "choose another name",
                )
            elif not is_label_key(name) or not is_value:
                yield Finding(
                    at,
                    "has a form that Kubernetes refuses",
                    "a key has at most 63 letters, digits, -, _ and ., with a domain and / before it where it has "
                    "one; the value of a label has at most 63 of them",
                    "correct it",
                )


def _mounts(s: Settings, pod: PodSettings, loc: Loc) -> Iterator[Finding]:
    shared = loc == ("deployment",)
    pods = [w.pod for w in s.workloads if shared or w.loc == loc]
    names = [{v.get("name") for v in one.extra_volumes} for one in pods]
    known = set.intersection(*names) if names else set()
    known |= set(own_mounts(s).values())
    lists = [((*loc, "extra-volume-mounts"), list(pod.extra_volume_mounts))]
    lists += [
        ((*loc, name, i, "volumeMounts"), container.get("volumeMounts") or [])
        for name, i, container in containers(pod)
    ]
    for at, mounts in lists:
        for i, mount in enumerate(mounts):
            name = mount.get("name")
            if name is not None and name not in known:
                yield _without_volume((*at, i, "name"), name, names, known)
            if name == "loaded" or (name == "configuration" and at[-1] == "extra-volume-mounts"):
                yield Finding(
                    (*at, i, "name"),
                    "is a volume that Kestra alone has",
                    "it holds Kestra's configuration",
                    "mount another volume",
                )
    for i, mount in enumerate(pod.extra_volume_mounts):
        yield from _path(s, mount, (*loc, "extra-volume-mounts", i, "mountPath"))


def _without_volume(
    loc: Loc, name: str, names: list[set[str | None]], known: set[str | None]
) -> Finding:
    if any(name in one for one in names):
        what = "names a volume that not every component has"
        fix = (
            "put the volume under kestra:deployment.extra-volumes, or the mount under the component"
        )
    else:
        what = "names no volume of the pods"
        own = sorted(str(one) for one in known - set(OWN_VOLUMES))
        near = difflib.get_close_matches(name[:200], own, n=1)
        fix = f"did you mean {near[0]}" if near else "add the volume to extra-volumes"
    return Finding(loc, what, "a mount has the name of a volume", fix)


def _path(s: Settings, mount: Object, loc: Loc) -> Iterator[Finding]:
    path = posixpath.normpath(mount.get("mountPath") or "/any")
    own = own_mounts(s) | _mounts_of_some(s)
    if path in own:
        yield Finding(
            loc,
            f"is where this project mounts its volume {own[path]}",
            "one volume is mounted at a path",
            "choose another path",
        )
    elif path.startswith("/etc/kestra/"):
        yield Finding(
            loc,
            "is inside the mounted configuration",
            "it is read-only, so that nothing can be mounted in it",
            "choose another path",
        )
    elif path in _OF_THE_IMAGE:
        yield Finding(
            loc,
            "hides what Kestra runs with",
            "a mount takes the place of what the image has at its path",
            "choose a path of its own, as /app/certs",
        )
