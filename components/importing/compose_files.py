"""Compose files as one project: interpolated, merged, with `extends` and `include` resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .assembly import Assembly
from .compose_variables import Interpolation
from .documents import Override, Reset, Unreadable, load_documents
from .env_files import read_lines
from .installation import Origin
from .readers import Part

#: Sequences of a service that compose adds to each other; of the others the last file's counts.
_ADDED = frozenset(
    ("ports", "expose", "dns", "dns_search", "tmpfs", "env_file", "cap_add", "cap_drop", "security_opt", "profiles",
     "group_add", "external_links", "links", "extra_hosts")
)  # fmt: skip
#: Parts that are a mapping or a list of `NAME=value`.
_PAIRS = frozenset(("environment", "labels", "sysctls", "args"))
#: Parts that are not taken over from a service that is extended.
_NOT_EXTENDED = frozenset(("depends_on", "volumes_from", "links", "network_mode"))
_DEEPEST = 10


@dataclass
class Service:
    """A service of the project."""

    name: str
    part: Part
    """The file that has most of it: what names in it are relative to."""
    spec: dict[str, Any] = field(repr=False)
    place: str = ""
    """Where it stands in its file; empty: `services.<name>`."""

    def origin(self, place: str = "") -> Origin:
        """An origin in the service."""
        return self.part.origin(self.where(place).removesuffix("."))

    def where(self, place: str) -> str:
        """A part of the service for the report."""
        return f"{self.place or f'services.{self.name}'}.{place}"


@dataclass
class Project:
    """All compose files together."""

    services: dict[str, Service]
    top: dict[str, Any] = field(repr=False)
    """The other keys of the first level: `volumes`, `configs`, `secrets`."""
    interpolation: Interpolation


def load_project(parts: Sequence[Part], assembly: Assembly, others: Sequence[Part]) -> Project:
    """Reads compose files; `others` are files of variables that the project may take values from."""
    loaded = [(part, document) for part in parts for document in _documents(part)]
    variables = _variables(loaded, others, assembly)
    interpolation = Interpolation(variables)
    project = Project({}, {}, interpolation)
    for part, document in _included(loaded, assembly):
        _add(project, part, interpolation.tree(document))
    for service in project.services.values():
        service.spec = _extended(service, project, assembly, ())
        service.spec = _without_resets(service.spec)
    return project


def _documents(part: Part) -> list[dict[str, Any]]:
    try:
        documents = load_documents(part.text, "go").documents
    except Unreadable:
        documents = (part.document,)
    return [d for d in documents if isinstance(d, dict)]


def _included(
    loaded: Sequence[tuple[Part, dict[str, Any]]], assembly: Assembly, depth: int = 0
) -> Iterator[tuple[Part, dict[str, Any]]]:
    for part, document in loaded:
        for entry in _sequence(document.get("include")):
            paths = entry.get("path") if isinstance(entry, dict) else entry
            for path in _sequence(paths):
                file = assembly.companion(str(path), part) if depth < _DEEPEST else None
                if file is None:
                    assembly.note(
                        "not carried",
                        f"include {path}",
                        "no input is that file: its services are missing here",
                        f"give {path} to the import too",
                        part.origin("include"),
                    )
                else:
                    inner = [(file, d) for d in _documents(file)]
                    yield from _included(inner, assembly, depth + 1)
        yield part, document


def _variables(
    loaded: Sequence[tuple[Part, dict[str, Any]]], others: Sequence[Part], assembly: Assembly
) -> dict[str, str]:
    """Values for interpolation: `.env` beside the file, and files of variables that no service names."""
    named = {
        _last(path)
        for _, document in loaded
        for service in _mapping(document.get("services")).values()
        for path, _ in env_file_paths(_mapping(service).get("env_file"))
    }
    folders = {part.folder for part, _ in loaded}
    files = [
        p
        for p in others
        if (p.name == ".env" or p.name not in named)
        # Of a directory only what lies beside the compose file belongs to it.
        and (not p.is_of_directory or (p.name == ".env" and p.folder in folders))
    ]
    if loaded and not any(p.name == ".env" for p in files):
        beside = assembly.companion(".env", loaded[0][0])
        files = [*files, beside] if beside is not None else files
    variables: dict[str, str] = {}
    for part in files:
        assembly.use(part)
        for line in read_lines(part, assembly):
            if line.value is not None:
                text = line.value
                variables[line.name] = (
                    text if line.is_literal else Interpolation(variables).text(text)
                )
    return variables


def env_file_paths(value: Any) -> list[tuple[str, bool]]:
    """Paths of `env_file`, each with whether it is required: a text, a list, or a list of mappings."""
    paths: list[tuple[str, bool]] = []
    for entry in _sequence(value):
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            paths.append((entry["path"], entry.get("required") is not False))
        elif isinstance(entry, str):
            paths.append((entry, True))
    return paths


def _add(project: Project, part: Part, document: dict[str, Any]) -> None:
    for name, spec in _mapping(document.get("services")).items():
        if isinstance(spec, Reset):
            project.services.pop(name, None)
        elif isinstance(spec, Override):
            project.services[name] = Service(name, part, dict(_mapping(spec.value)))
        elif isinstance(spec, dict):
            there = project.services.get(name)
            if there is None:
                project.services[name] = Service(name, part, spec)
            else:
                there.spec = merge_services(there.spec, spec)
    for key, value in document.items():
        if key != "services":
            there = project.top.get(key)
            project.top[key] = {**_mapping(there), **value} if isinstance(value, dict) else value


def _extended(
    service: Service, project: Project, assembly: Assembly, seen: tuple[str, ...]
) -> dict[str, Any]:
    spec = dict(service.spec)
    extends = spec.pop("extends", None)
    name = extends.get("service") if isinstance(extends, dict) else extends
    if not isinstance(name, str) or len(seen) > _DEEPEST:
        return spec
    file = extends.get("file") if isinstance(extends, dict) else None
    base: Service | None = None
    source = service.part
    if isinstance(file, str):
        other = assembly.companion(file, service.part)
        if other is not None:
            source = other
            for document in _documents(other):
                block = _mapping(project.interpolation.tree(document).get("services"))
                if isinstance(block.get(name), dict):
                    base = Service(name, other, block[name])
    else:
        base = project.services.get(name)
    key = f"{source.file}:{name}"
    if base is None or key in seen:
        assembly.note(
            "not carried",
            service.where("extends"),
            f"the service {name} that it extends is in none of the inputs: what it says is missing here",
            f"give {file} to the import too" if file else "",
            service.origin("extends"),
        )
        return spec
    inherited = _extended(base, project, assembly, (*seen, key))
    inherited = {k: v for k, v in inherited.items() if k not in _NOT_EXTENDED}
    return merge_services(inherited, spec)


def merge_services(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A service with what a later file says of it, as compose merges them."""
    result = dict(base)
    for key, value in over.items():
        there = result.get(key)
        if isinstance(value, Reset):
            result.pop(key, None)
        elif isinstance(value, Override):
            result[key] = value.value
        elif value is None and there is not None:
            continue
        elif key in _PAIRS:
            result[key] = {**pairs(there), **pairs(value)}
        elif key in ("volumes", "configs", "secrets"):
            result[key] = _by_target(_sequence(there) + _sequence(value))
        elif key in _ADDED:
            result[key] = _sequence(there) + _sequence(value)
        elif isinstance(value, dict) and isinstance(there, dict):
            result[key] = merge_services(there, value)
        else:
            result[key] = value
    return result


def _by_target(entries: Sequence[Any]) -> list[Any]:
    """Mounts; of two at one place in the container the later one counts."""
    result: dict[str, Any] = {}
    for entry in entries:
        if isinstance(entry, dict):
            key = str(entry.get("target") or entry.get("source"))
        else:
            key = split_volume(str(entry))[1]
        result[key] = entry
    return list(result.values())


def _without_resets(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _without_resets(v) for k, v in node.items() if not isinstance(v, Reset)}
    if isinstance(node, list):
        return [_without_resets(v) for v in node if not isinstance(v, Reset)]
    return _without_resets(node.value) if isinstance(node, Override) else node


def pairs(value: Any) -> dict[str, str | None]:
    """`environment` and its like: a mapping, or a list of `NAME=value`; None where a name has no value."""
    result: dict[str, str | None] = {}
    if isinstance(value, dict):
        for name, item in value.items():
            result[str(name)] = None if isinstance(item, Reset) else scalar(item)
    else:
        for entry in _sequence(value):
            if isinstance(entry, str):
                name, sign, text = entry.partition("=")
                result[name.strip()] = text if sign else None
            elif isinstance(entry, dict):
                # A colon in a list makes a mapping of the entry, which compose refuses; what is meant is plain.
                result |= pairs(entry)
    return result


def scalar(value: Any) -> str | None:
    """A value as compose hands it to a process; None for nothing, or for what is no single value."""
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


_WINDOWS = re.compile(r"([A-Za-z]:[\\/][^:]*):(.+)")


def split_volume(text: str) -> tuple[str, str]:
    """Source and target of a short volume: `./a:/b:ro`, `C:\\a:/b`, `/b` alone."""
    if match := _WINDOWS.fullmatch(text):
        source, rest = match[1], match[2]
    else:
        # A colon may stand in a variable that nobody gave.
        masked = re.sub(r"\$\{[^}]*\}", lambda m: m[0].replace(":", "\0"), text)
        source, sign, rest = masked.partition(":")
        source, rest = source.replace("\0", ":"), rest.replace("\0", ":")
        if not sign:
            return "", source
    target = rest.partition(":")[0]
    if match := re.match(r"[A-Za-z]:[\\/][^:]*", rest):
        target = match[0]
    return source, target


def _sequence(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None or isinstance(value, Reset) else [value]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _last(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].lower()
