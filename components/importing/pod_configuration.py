"""What the pods of Kestra read: configuration files that are mounted, and variables of the container."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .assembly import Assembly, Rank
from .commands import parse_command
from .kubernetes_objects import FILES, Entry, Objects, Source, dig, listed
from .pod_variables import Environment, add_variables, environment
from .pod_volumes import storage_paths
from .readers import Part
from .workloads import Workload, words

#: Where Kestra looks for `--config` without being told.
_DEFAULT_OPTION = re.compile(r"(/root|/home/[^/]+|/app)/\.kestra/config\.ya?ml")
_TEXTS = (".yml", ".yaml", ".properties", ".json", ".toml")


@dataclass(frozen=True)
class Mounted:
    """A file that a volume puts into the container."""

    path: str
    volume: str
    source: Source
    name: str
    """The ConfigMap or Secret."""
    key: str
    entry: Entry | None
    """What it holds; None where no input says it."""


def mounted_files(workload: Workload, objects: Objects) -> list[Mounted]:
    """The files that ConfigMaps and Secrets put into Kestra's container."""
    volumes = {
        str(dig(volume, "name")): volume
        for volume in listed(workload.pod, "volumes")
        if isinstance(volume, Mapping)
    }
    files: list[Mounted] = []
    for mount in listed(workload.container, "volumeMounts"):
        name, at = dig(mount, "name"), dig(mount, "mountPath")
        volume = volumes.get(str(name))
        if volume is None or not isinstance(name, str) or not isinstance(at, str):
            continue
        sub = dig(mount, "subPath")
        for source, owner, key, path in _keys(volume, objects):
            if not isinstance(sub, str):
                where = posixpath.join(at, path)
            elif path == sub:
                where = at
            elif path.startswith(sub.rstrip("/") + "/"):
                where = posixpath.join(at, path[len(sub.rstrip("/")) + 1 :])
            else:
                continue
            entry = objects.entry(source, owner, key)
            files.append(Mounted(posixpath.normpath(where), name, source, owner, key, entry))
    return files


def _keys(volume: Mapping[str, Any], objects: Objects) -> Iterator[tuple[Source, str, str, str]]:
    """Kind, name, key and path of each file of a volume."""
    parts = [volume]
    projected = dig(volume, "projected", "sources")
    if isinstance(projected, list):
        parts += projected
    for part in parts:
        for field_name, source in FILES:
            block = dig(part, field_name)
            owner = dig(block, "secretName") or dig(block, "name")
            if not isinstance(owner, str):
                continue
            items = dig(block, "items")
            if isinstance(items, list):
                for item in items:
                    key = dig(item, "key")
                    if isinstance(key, str):
                        yield source, owner, key, str(dig(item, "path") or key)
            else:
                for key in objects.entries(source, owner) or {}:
                    yield source, owner, key, key


def add_configuration(
    workloads: Sequence[Workload], objects: Objects, assembly: Assembly
) -> tuple[frozenset[str], frozenset[str]]:
    """Adds the configuration files and the variables that the pods read, and notes files that none reads.

    Returns:
        Names of volumes that hold configuration, and folders of storage type local.
    """
    environments = {w.target: environment(w, objects, assembly.unprovided) for w in workloads}
    chosen = min(workloads, key=_order)
    volumes: set[str] = set()
    sources: dict[str, list[str]] = {}
    texts: list[str] = []
    for workload in sorted(workloads, key=_order):
        reading = _Reading(workload, environments[workload.target], objects)
        volumes |= reading.volumes
        sources[workload.target] = [str(origin) for origin in reading.read_from]
        if workload is chosen:
            reading.add(assembly)
            texts = [entry.text or "" for _, entry in reading.files]
        elif sources[workload.target] != sources[chosen.target]:
            assembly.note(
                "changed",
                workload.prefix.rstrip(": ."),
                f"{workload.component} read other configuration than {chosen.component}; all components of the stack "
                f"read that of {chosen.component}",
                "compare them, and set what differs by variables (extra-env) of the component",
                workload.origin("env"),
            )
    if all(e.is_known for e in environments.values()):
        assembly.is_environment_known = True
    add_variables(workloads, environments, assembly)
    return frozenset(volumes), storage_paths(texts)


_READERS = ("standalone", "webserver", "executor", "scheduler", "indexer", "controller", "worker")


def _order(workload: Workload) -> tuple[bool, int]:
    return bool(workload.group), _READERS.index(workload.component)


class _Reading:
    """The configuration that one container reads."""

    def __init__(self, workload: Workload, variables: Environment, objects: Objects) -> None:
        self.workload = workload
        self.mounted = mounted_files(workload, objects)
        self.by_path = {file.path: file for file in self.mounted}
        self.files: list[tuple[Rank, Entry]] = []
        self.missing: list[tuple[Rank, str, Mounted | None]] = []
        """Paths of files that were read and whose text no input holds."""
        self.unread_variable = ""
        """The object whose key is the whole configuration, where no input holds it."""
        self.guessed: Mounted | None = None
        self._paths: set[str] = set()
        self._find(variables)

    def _find(self, variables: Environment) -> None:
        text = variables.text("KESTRA_CONFIGURATION")
        named = variables.text("MICRONAUT_CONFIG_FILES")
        reference = variables.reference("KESTRA_CONFIGURATION")
        if text is not None and text.text:
            # The start script writes it to a file, and lets Kestra read that one alone.
            self.files.append((Rank.FILE, text))
        elif text is None and reference:
            self.unread_variable = reference
        elif named is not None and named.text:
            for path in named.text.split(","):
                self._read(path.strip(), Rank.FILE)
        command = parse_command(words(self.workload.container))
        for path in command.system_files:
            self._read(path.strip(), Rank.FILE)
        defaults = [f.path for f in self.mounted if _DEFAULT_OPTION.fullmatch(f.path)]
        for path in command.config_files or defaults:
            self._read(path, Rank.OPTION)
        if not self.files and not self.missing and not self.unread_variable:
            self._guess()

    def _guess(self) -> None:
        """Takes the only configuration file that is mounted, where nothing says which one is read."""
        candidates = [file for file in self.mounted if _is_configuration(file)]
        if len(candidates) == 1:
            self.guessed = candidates[0]
            self._read(candidates[0].path, Rank.FILE)

    def _read(self, path: str, rank: Rank) -> None:
        path = posixpath.normpath(path)
        self._paths.add(path)
        file = self.by_path.get(path)
        if file is not None and file.entry is not None and file.entry.text is not None:
            self.files.append((rank, file.entry))
        else:
            self.missing.append((rank, path, file))

    @property
    def volumes(self) -> set[str]:
        """Names of the volumes that hold configuration files."""
        return {f.volume for f in self.mounted if f.path in self._paths or _is_configuration(f)}

    @property
    def read_from(self) -> list[Any]:
        """Where the configuration comes from, to compare two containers."""
        return [entry.origin for _, entry in self.files] + [path for _, path, _ in self.missing]

    def add(self, assembly: Assembly) -> None:
        """Adds the files to the installation, and notes those that no input holds, or that were never read."""
        workload = self.workload
        for rank, entry in self.files:
            assembly.add_configuration_text(entry.text or "", entry.origin, rank)
        if not (self.files or self.missing or self.unread_variable):
            assembly.note(
                "not carried",
                f"{workload.prefix}configuration",
                "no input holds a configuration file of Kestra's container; variables of Secrets and ConfigMaps that "
                "are not among the inputs may hold it (KESTRA_CONFIGURATION)",
                "give them as further inputs: kubectl get secret,configmap -o yaml",
                workload.origin("configuration"),
            )
            assembly.miss_configuration("configuration")
        if self.unread_variable:
            kind, _, rest = self.unread_variable.partition(" ")
            _note_missing(kind, rest, "KESTRA_CONFIGURATION", workload, "env", assembly)
        if self.guessed is not None:
            assembly.note(
                "changed",
                f"{self.guessed.source} {self.guessed.name}, key {self.guessed.key}",
                "nothing says that Kestra reads this file; it is carried as the only configuration that is mounted",
                "check that the installation ran with it",
                workload.origin("configuration"),
            )
        for rank, path, file in self.missing:
            name = file.key if file is not None else path
            companion = assembly.companion(name, Part(workload.file, ""))
            if companion is not None:
                assembly.add_configuration_text(companion.text, companion.origin(), rank)
            elif file is not None:
                _note_missing(file.source, file.name, file.key, workload, "configuration", assembly)
            else:
                assembly.miss_configuration(path)
                assembly.note(
                    "not carried",
                    path,
                    "a configuration file that Kestra read, and no input holds it: its keys are missing here",
                    "give that file as a further input",
                    workload.origin("volumeMounts"),
                )
        for file in self.mounted:
            if file.path in self._paths or not _is_configuration(file):
                continue
            assembly.note(
                "not carried",
                f"{file.source} {file.name}, key {file.key}",
                f"it is mounted at {file.path}, but nothing names that file as configuration, so Kestra never read it",
                origin=workload.origin("volumeMounts"),
            )


def _is_configuration(file: Mounted) -> bool:
    text = file.entry.text if file.entry is not None else None
    if not file.path.endswith(_TEXTS):
        return False
    if text is None:
        return file.path.startswith(("/app/confs/", "/app/secrets/"))
    return is_configuration(text)


def is_configuration(text: str) -> bool:
    """Whether a text has a root key of Kestra's configuration."""
    return re.search(r"(?m)^(kestra|datasources|micronaut)\b", text) is not None


def _note_missing(
    source: str, name: str, key: str, workload: Workload, part: str, assembly: Assembly
) -> None:
    assembly.miss_configuration(f"{source} {name}, key {key}")
    assembly.note(
        "not carried",
        f"{source} {name}, key {key}",
        "it holds configuration of Kestra's and is not among the inputs: its keys are missing here",
        f"give it as a further input: kubectl get {source.lower()} {name} -o yaml",
        workload.origin(part),
    )
