"""What a file in a container holds: the entries of ConfigMaps and Secrets that its pod mounts there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cluster_objects import CONFIG_MAP, SECRET, ClusterObjects, Entry
from .core.model import Resource
from .core.values import UNKNOWN, OutOfView, as_list, get_path

_COPY = re.compile(r"\bcp\s+(?:-\S+\s+)*(?P<source>/[^\s;&|]+)\s+(?P<target>/[^\s;&|]+)")


@dataclass(frozen=True)
class Mounts:
    """The volumes of a pod, as one container sees them."""

    workload: Resource
    volumes: Any
    mounts: Any
    commands: str = ""
    """What the container and the init containers run, for files that these copy."""
    init_mounts: tuple[Any, ...] = field(default=())
    """The mounts of the init containers."""


def file_at(path: str, mounts: Mounts, objects: ClusterObjects) -> Entry:
    """The entry of a ConfigMap or Secret that is a file of a container.

    A file in another kind of volume counts when a command of the pod copies an entry there (`cp /a /b`).

    Raises:
        Undecided: when it depends on what is not known yet.
        OutOfView: when the stack does not hold the file.
    """
    try:
        return _mounted(path, mounts.mounts, mounts, objects)
    except OutOfView as reason:
        for source in _sources(path, mounts.commands):
            for own in (mounts.mounts, *mounts.init_mounts):
                try:
                    return _mounted(source, own, mounts, objects)
                except OutOfView:
                    continue
        raise reason from None


def _sources(path: str, commands: str) -> Iterator[str]:
    """The files that a command copies to a path, the last first."""
    for match in reversed(list(_COPY.finditer(commands))):
        source, target = match["source"], match["target"]
        name = posixpath.basename(path)
        if target == path:
            yield source
        elif posixpath.dirname(path) == target.removesuffix("/.").rstrip("/"):
            # A whole folder, or one file of the name.
            folder = re.fullmatch(r"(.+?)/(\*|\.|\*\.\w+)?", source)
            if posixpath.basename(source) == name:
                yield source
            elif folder:
                yield f"{folder[1]}/{name}"


def _mounted(path: str, container_mounts: Any, pod: Mounts, objects: ClusterObjects) -> Entry:
    mount = mount_of(path, container_mounts)
    if mount is None or get_path(mount, "subPathExpr"):
        raise OutOfView(f"the file {path}")
    inside = posixpath.relpath(path, str(get_path(mount, "mountPath")))
    within = str(get_path(mount, "subPath") or "")
    inside = posixpath.normpath(posixpath.join(within, inside))
    volumes = [v for v in as_list(pod.volumes) if get_path(v, "name") == get_path(mount, "name")]
    missing = OutOfView(f"the file {path}")
    for kind, name, items in _projections(volumes[0] if volumes else None):
        key = _key(inside, items)
        try:
            if key is not None:
                return objects.entry(kind, name, key, pod.workload)
        except OutOfView as reason:
            missing = OutOfView(f"the file {path} ({reason.path})")
    raise missing


def mount_of(path: str, mounts: Any) -> Any:
    """The mount that a path is in; None when there is none. Raises Undecided when unknown."""
    fitting = [
        m
        for m in as_list(mounts)
        if (f"{path}/").startswith(str(get_path(m, "mountPath")).rstrip("/") + "/")
    ]
    return max(fitting, key=lambda m: len(str(get_path(m, "mountPath"))), default=None)


def _projections(volume: Any) -> Iterator[tuple[str, Any, Any]]:
    """Kind, name and items of the objects in a volume."""
    if get_path(volume, "configMap") is not None:
        yield CONFIG_MAP, _name(volume, "configMap", "name"), get_path(volume, "configMap.items")
    if get_path(volume, "secret") is not None:
        yield SECRET, _name(volume, "secret", "secretName"), get_path(volume, "secret.items")
    for source in reversed(as_list(get_path(volume, "projected.sources"))):
        for field_, kind in (("configMap", CONFIG_MAP), ("secret", SECRET)):
            if get_path(source, field_) is not None:
                yield kind, _name(source, field_, "name"), get_path(source, f"{field_}.items")


def _name(value: Mapping[str, Any], field_: str, name: str) -> Any:
    inner = value[field_]
    return inner.get(name) if isinstance(inner, Mapping) else UNKNOWN


def _key(inside: str, items: Any) -> str | None:
    """The entry that is at a path of a volume."""
    if items is None:
        return inside
    for item in as_list(items):
        if posixpath.normpath(str(get_path(item, "path"))) == inside:
            return str(get_path(item, "key"))
    return None


def referred(volumes: Any) -> Iterator[tuple[str, Any]]:
    """Kind and name of every ConfigMap and Secret of a pod's volumes. Raises Undecided when unknown."""
    for volume in as_list(volumes):
        for kind, name, _ in _projections(volume):
            yield kind, name
