"""What a service mounts: configuration files that Kestra reads, stored files, folders of the machine."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .assembly import Assembly, Rank
from .commands import Command
from .compose_files import Project, Service, split_volume
from .documents import Unreadable, load_documents
from .installation import Origin, Variable
from .systemd import add_file

_SOCKET = re.compile(r"(docker|podman|containerd)\.sock$")
#: Where Kestra looks for `--config` without being told.
_DEFAULT_OPTION = re.compile(r"(/root|/home/[^/]+|/app|~|\$HOME)/\.kestra/config\.ya?ml")
_YAML = re.compile(r".*\.(ya?ml|json)")
_STORAGE = "/app/storage"


@dataclass(frozen=True)
class Mount:
    """Something that is mounted into a service."""

    source: str
    """A path, or the name of a volume; empty for an anonymous volume."""
    target: str
    kind: str
    """`bind`, `volume`, `tmpfs`, `config` or `secret`."""
    content: str | None = None
    """The file's text where the compose file has it."""


def mounts_of(service: Service, project: Project) -> list[Mount]:
    """Volumes, configs and secrets of a service."""
    mounts: list[Mount] = []
    volumes = service.spec.get("volumes")
    for entry in volumes if isinstance(volumes, list) else ():
        if isinstance(entry, dict):
            mounts.append(_long(entry))
        elif isinstance(entry, str):
            source, target = split_volume(entry)
            mounts.append(Mount(source, target, "bind" if _is_path(source) else "volume"))
    for kind, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
        entries = service.spec.get(kind)
        for entry in entries if isinstance(entries, list) else ():
            mounts.append(_granted(entry, kind, folder, project))
    return mounts


def _long(entry: Mapping[str, Any]) -> Mount:
    source, target = str(entry.get("source") or ""), str(entry.get("target") or "")
    content = entry.get("content")
    kind = str(entry.get("type") or ("bind" if _is_path(source) else "volume"))
    return Mount(source, target, kind, content if isinstance(content, str) else None)


def _granted(entry: Any, kind: str, folder: str, project: Project) -> Mount:
    name = entry.get("source") if isinstance(entry, dict) else entry
    target = entry.get("target") if isinstance(entry, dict) else None
    target = str(target or name)
    path = target if target.startswith("/") else f"{folder}{target}"
    definitions = project.top.get(kind)
    definition = definitions.get(str(name)) if isinstance(definitions, dict) else None
    definition = definition if isinstance(definition, dict) else {}
    content = definition.get("content")
    if content is None and isinstance(definition.get("environment"), str):
        content = project.interpolation.variables.get(definition["environment"])
    source = str(definition.get("file") or name)
    return Mount(source, path, kind[:-1], content if isinstance(content, str) else None)


def _is_path(source: str) -> bool:
    return bool(re.match(r"[./~$\\]|[A-Za-z]:[\\/]", source))


def add_files(
    service: Service,
    mounts: list[Mount],
    command: Command,
    variables: dict[str, Variable],
    assembly: Assembly,
) -> None:
    """Adds the configuration files that the service's Kestra reads, each with its rank."""
    text = variables.get("KESTRA_CONFIGURATION")
    named = variables.pop("MICRONAUT_CONFIG_FILES", None)
    read: set[str] = set()
    paths = [(p.strip(), Rank.FILE) for p in command.system_files]
    if named is not None and text is not None and text.value:
        assembly.note(
            "changed",
            "MICRONAUT_CONFIG_FILES",
            "KESTRA_CONFIGURATION takes its place: Kestra read none of the files that it names",
            origin=named.origin,
        )
    elif named is not None:
        paths += [(p.strip(), Rank.FILE) for p in (named.value or "").split(",")]
    paths += [(p, Rank.OPTION) for p in command.config_files]
    if not command.config_files:
        paths += [(m.target, Rank.OPTION) for m in mounts if _DEFAULT_OPTION.fullmatch(m.target)]
    for path, rank in paths:
        if path:
            read.add(posixpath.normpath(path))
            _add_path(path, rank, service, mounts, assembly)
    has_other = bool(read) or (text is not None and bool(text.value))
    for mount in mounts:
        if posixpath.normpath(mount.target) not in read:
            _unread(mount, service, has_other, assembly)


def _add_path(
    path: str, rank: Rank, service: Service, mounts: list[Mount], assembly: Assembly
) -> None:
    mount = _mount_of(path, mounts)
    if mount is None:
        add_file(path, service.part, assembly, rank)
        return
    place = f"{mount.kind}s" if mount.kind in ("config", "secret") else "volumes"
    origin = service.origin(f"{place} {mount.target}")
    if mount.content is not None:
        assembly.add_configuration_text(mount.content, origin, rank)
        return
    inner = posixpath.relpath(posixpath.normpath(path), posixpath.normpath(mount.target))
    source = mount.source if inner == "." else f"{mount.source.rstrip('/')}/{inner}"
    add_file(source, service.part, assembly, rank)


def _mount_of(path: str, mounts: list[Mount]) -> Mount | None:
    normal = posixpath.normpath(path)
    for mount in sorted(mounts, key=lambda m: -len(m.target)):
        target = posixpath.normpath(mount.target)
        if normal == target or normal.startswith(f"{target}/"):
            return mount
    return None


def _unread(mount: Mount, service: Service, has_other: bool, assembly: Assembly) -> None:
    """A mounted configuration file that no option names: never read, unless it is the only one."""
    if not _YAML.fullmatch(mount.target) or _SOCKET.search(mount.target):
        return
    text, origin = mount.content, service.origin(f"volumes {mount.target}")
    if text is None:
        file = assembly.companion(mount.source, service.part)
        text, origin = (file.text, file.origin()) if file is not None else (None, origin)
    if text is None or not _is_configuration(text):
        return
    if has_other:
        assembly.note(
            "not carried",
            f"{mount.source} at {mount.target}",
            "a configuration file that is mounted, but that neither --config nor MICRONAUT_CONFIG_FILES names: Kestra "
            "never read it",
            origin=origin,
        )
        return
    assembly.note(
        "changed",
        f"{mount.source} at {mount.target}",
        "nothing says that Kestra reads this file; it is carried as the only configuration of the service",
        "check that the installation ran with it",
        origin,
    )
    assembly.add_configuration_text(text, origin)


def _is_configuration(text: str) -> bool:
    try:
        documents = load_documents(text).documents
    except Unreadable:
        return False
    return any(
        isinstance(d, dict) and {"kestra", "datasources", "micronaut"} & set(d) for d in documents
    )


def note_mounts(service: Service, mounts: list[Mount], assembly: Assembly) -> None:
    """Names what is mounted and does not come along."""
    for mount in mounts:
        _note_mount(
            service, mount, assembly, assembly.text_of("kestra", "storage", "local", "base-path")
        )


def _note_mount(service: Service, mount: Mount, assembly: Assembly, base_path: str | None) -> None:
    origin = service.origin("volumes")
    what = service.where(f"volumes {mount.target}")
    if _SOCKET.search(mount.source) or _SOCKET.search(mount.target):
        name = mount.source.rsplit("/", 1)[-1] or "docker.sock"
        extra = "" if name == "docker.sock" else f" ({mount.source})"
        assembly.note(
            "not carried",
            service.where("volumes /var/run/docker.sock"),
            f"the socket of the machine's Docker daemon, docker.sock{extra}: a restricted pod has no host paths, so "
            "tasks of the Docker runner and of the Process runner with Docker do not work",
            "let such tasks use a task runner of Kubernetes, or one of a cloud",
            origin,
        )
    elif _covers(mount.target, base_path or _STORAGE) or _covers(mount.target, _STORAGE):
        _note_storage(service, mount, assembly, origin)
    elif mount.kind == "secret":
        assembly.note(
            "not carried",
            service.where(f"secrets {mount.target}"),
            "a file with a secret; the stack has no such file",
            "give its value as a secret setting, or mount a Secret with kestra:deployment.extra-volumes and "
            "kestra:deployment.extra-volume-mounts",
            origin,
        )
    elif _YAML.fullmatch(mount.target):
        # A configuration file: it was read, or it is named already.
        return
    elif mount.target.startswith("/tmp"):  # noqa: S108 - a path in a container
        assembly.note(
            "changed",
            what,
            f"{_shown(mount)} shared {mount.target} with other containers; in the pod it is a folder of its own that "
            "ends with the pod",
            origin=origin,
        )
    elif "plugins" in mount.target.split("/"):
        assembly.note(
            "not carried",
            what,
            f"{_shown(mount)} held plugins",
            "build an image with the plugins, and name it under kestra:deployment.image",
            origin,
        )
    else:
        if _covers(mount.target, "/app/confs") or _covers(mount.target, "/app/secrets"):
            assembly.miss_configuration(what)
        assembly.note(
            "not carried",
            what,
            f"{_shown(mount)} is mounted at {mount.target}; its files do not come along",
            "put them into a Secret, a ConfigMap or a PersistentVolumeClaim, and mount that with "
            "kestra:deployment.extra-volumes and kestra:deployment.extra-volume-mounts",
            origin,
        )


def _note_storage(service: Service, mount: Mount, assembly: Assembly, origin: Origin) -> None:
    name = f"volume {mount.source}" if mount.kind == "volume" and mount.source else mount.source
    assembly.note(
        "not carried",
        name or service.where(f"volumes {mount.target}"),
        f"{_shown(mount)} at {mount.target} holds Kestra's stored files; they do not come along",
        "set kestra:deployment.storage-volume.size, and copy the files by hand into the new volume",
        origin,
    )


def _shown(mount: Mount) -> str:
    if mount.kind == "volume":
        return f"the volume {mount.source}" if mount.source else "an anonymous volume"
    return f"a folder or file of that machine ({mount.source})" if mount.source else "a mount"


def _covers(folder: str, path: str) -> bool:
    folder, path = posixpath.normpath(folder or "/"), posixpath.normpath(path)
    return folder != "/" and (path == folder or path.startswith(f"{folder}/"))
