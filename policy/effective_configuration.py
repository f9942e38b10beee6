"""The configuration that each of a stack's Kestra servers has in the end."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .application import Application, Document, MissingSetting, documents
from .cluster_objects import (
    CONFIG_MAP,
    SECRET,
    ClusterObjects,
    Entry,
    entries,
    is_encrypted,
    may_share_namespace,
)
from .configuration_sources import (
    FileSource,
    Source,
    UnseenSource,
    VariableSource,
    system_properties,
)
from .configuration_texts import UnreadableText, flatten, is_kestras, parse
from .container_variables import ContainerVariables
from .controls.kestra_containers import config_option
from .controls.kestra_servers import (
    CHART,
    HELM,
    Server,
    chart_servers,
    task_servers,
    workload_servers,
)
from .core.model import Context, Finding, Resource, Stack
from .core.values import UNKNOWN, OutOfView, Sealed, Undecided, check_each, reveal
from .mounted_files import file_at, mount_of
from .pods import WORKLOADS
from .task_definitions import TASK_DEFINITION

#: Variables with options of the JVM, the weakest first.
_JVM_OPTIONS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "_JAVA_OPTIONS")
#: Read when `--config` is not given.
_HOME_FILES = ("/root/.kestra/config.yml", "/home/kestra/.kestra/config.yml")


@dataclass(frozen=True)
class Configurations:
    """What a stack configures."""

    applications: list[Application]
    undecided: list[Undecided]
    """Why a workload, or a document, could not be judged."""

    def of(self, workload: Resource) -> list[Application]:
        """The applications of the servers of a workload."""
        return [a for a in self.applications if a.server and a.server.resource is workload]


def configurations(stack: Stack) -> Configurations:
    """The configuration of each server of a stack, and of each document that no server reads."""
    if "configurations" not in stack.memory:
        stack.memory["configurations"] = _Reader(stack).read()
    return stack.memory["configurations"]


Check = Callable[[Application, Context], Iterable[Finding]]


def each_application(check: Check) -> Callable[[Stack, Context], Iterator[Finding]]:
    """A judge of one configuration as a judge of a stack; what several servers share is said once."""

    def judging(stack: Stack, context: Context) -> Iterator[Finding]:
        known = configurations(stack)
        yield from known.undecided
        said: set[tuple[Any, ...]] = set()
        for application in known.applications:
            for finding in check_each([application], lambda a: check(a, context)):
                if isinstance(finding, MissingSetting):
                    finding = _attributed(finding, application, known.applications)
                if not isinstance(finding, Undecided):
                    whose = finding.resource
                    what = (whose and (whose.urn, whose.type, whose.name), finding.actual)
                    if (*what, finding.property_path, finding.setting) in said:
                        continue
                    said.add((*what, finding.property_path, finding.setting))
                yield finding

    return judging


def _attributed(
    missing: MissingSetting, application: Application, every: list[Application]
) -> MissingSetting:
    """Names the server when another one that reads the same file has the setting by other means."""
    resource, path = application.home
    for other in every:
        shares = other.server is not None and other.home[0] is resource and other.home[1] == path
        if shares and application.server and other.has(missing.key):
            server = application.server
            return replace(
                missing, resource=server.resource, property_path=f"{server.path}: {missing.key}"
            )
    return missing


class _Reader:
    """Reads the configurations of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._objects = stack, ClusterObjects(stack)
        self._undecided: list[Undecided] = []
        self._used: list[Resource] = []
        """ConfigMaps and Secrets of servers: they are judged with these, not alone."""
        self._unsure: Undecided | None = None
        """Why these may not be all."""

    def read(self) -> Configurations:
        applications = [a for server in self._servers() for a in self._application(server)]
        if not self._undecided:
            # Else a document may be one that an unknown server reads.
            applications += self._alone()
        return Configurations(applications, self._undecided)

    def _servers(self) -> list[Server]:
        chosen: list[Server] = []
        kinds = (
            (WORKLOADS, workload_servers),
            (HELM, chart_servers),
            ((TASK_DEFINITION,), task_servers),
        )
        for types, read in kinds:
            for resource in filter(self._is_read, self._stack.of(*types)):
                try:
                    chosen += read(resource)
                except Undecided as reason:
                    self._undecided.append(reason)
        return chosen

    def _is_read(self, resource: Resource) -> bool:
        """Whether a resource is read itself: the pods of a release by its values, a rendered chart by its pods."""
        if resource.origin is not None:
            return False
        rendered = f"{CHART}$"
        return resource.type != CHART or not any(rendered in r.urn for r in self._stack.resources)

    def _application(self, server: Server) -> Iterator[Application]:
        try:
            self._use(server)
            variables = ContainerVariables(
                server.resource, server.env, server.env_from, self._objects
            )
            sources: list[Source] = [UnseenSource(reason) for reason in server.unseen]
            sources += self._files(server, variables)
            sources.append(VariableSource(variables))
            sources += _java_options(server, variables)
            sources += self._option_file(server, variables)
        except Undecided as reason:
            self._undecided.append(reason)
            return
        yield Application(tuple(sources), server, variables)

    def _use(self, server: Server) -> None:
        try:
            for kind, name in server.refers_to():
                with contextlib.suppress(OutOfView):
                    self._used.append(self._objects.find(kind, name, server.resource))
        except Undecided as reason:
            self._unsure = reason

    def _files(self, server: Server, variables: ContainerVariables) -> Iterator[Source]:
        """What stands below the variables: KESTRA_CONFIGURATION, or the files, and those of `-D`."""
        try:
            text = variables.get("KESTRA_CONFIGURATION")
        except Undecided as reason:
            text = None
            yield UnseenSource(reason)
        if text is not None and text.value is UNKNOWN:
            yield UnseenSource(text.reason or Undecided(text.path))
        elif text is not None and text.text():
            # The launcher writes it to a file and names this one alone in MICRONAUT_CONFIG_FILES.
            yield _source(text.resource, text.path, text.value, "application.yml")
        else:
            yield from self._listed(server, variables)
        for options, _ in _options(server, variables):
            for key, value in system_properties(options):
                if key == "micronaut.config.files":
                    yield from (self._file(server, name) for name in _names(value))

    def _listed(self, server: Server, variables: ContainerVariables) -> Iterator[Source]:
        try:
            names = file_names(variables)
        except Undecided as reason:
            yield UnseenSource(reason)
            return
        yield from (self._file(server, name) for name in names)

    def _file(self, server: Server, path: str) -> Source:
        if path in server.documents:
            where, content = server.documents[path]
            return FileSource(server.resource, where, flatten(content))
        try:
            entry = file_at(path, server.mounts, self._objects)
        except OutOfView as reason:
            entry = self._by_name(path, server)
            if entry is None:
                return UnseenSource(reason)
        except Undecided as reason:
            return UnseenSource(reason)
        if entry.value is UNKNOWN:
            return UnseenSource(Undecided(f"{entry.path} of {entry.resource.name}"))
        return _source(entry.resource, entry.path, entry.value, posixpath.basename(path))

    def _by_name(self, path: str, server: Server) -> Entry | None:
        """The one document of the stack with the name of a file that no mount explains."""
        fitting: list[Entry] = []
        for resource in self._stack.of(CONFIG_MAP, SECRET):
            try:
                entry = dict(entries(resource)).get(posixpath.basename(path))
            except Undecided:
                continue
            if entry and may_share_namespace(resource, server.resource) and _is_document(entry):
                fitting.append(entry)
        if len(fitting) != 1:
            return None
        self._used.append(fitting[0].resource)
        return fitting[0]

    def _option_file(self, server: Server, variables: ContainerVariables) -> Iterator[Source]:
        try:
            path = config_option(variables.expand(server.command))
        except Undecided as reason:
            yield UnseenSource(reason)
            return
        if path:
            yield self._file(server, path)
            return
        for path in _HOME_FILES:
            if mount_of(path, server.mounts.mounts) is not None:
                yield self._file(server, path)

    def _alone(self) -> Iterator[Application]:
        for resource in self._stack.of(CONFIG_MAP, SECRET):
            # Of one that is encrypted nobody knows whether it has anything of Kestra's.
            if is_encrypted(resource) or any(resource is used for used in self._used):
                continue
            for finding in check_each([resource], documents):
                if isinstance(finding, Undecided):
                    self._undecided.append(finding)
                elif self._unsure:
                    self._undecided.append(self._unsure)
                else:
                    yield Application((_of_document(finding),))


def file_names(variables: ContainerVariables) -> list[str]:
    """The files of MICRONAUT_CONFIG_FILES. Raises Undecided when unknown."""
    names = variables.get("MICRONAUT_CONFIG_FILES")
    return _names(names.text()) if names else []


def _names(text: str) -> list[str]:
    names = (name.strip().removeprefix("file:") for name in text.split(","))
    return [posixpath.normpath(name) for name in names if name]


def _of_document(document: Document) -> FileSource:
    is_secret = document.resource.type == SECRET
    return FileSource(document.resource, document.path, flatten(document.content), is_secret)


def _is_document(entry: Entry) -> bool:
    if entry.value is UNKNOWN or entry.value is None:
        return False
    try:
        return any(map(is_kestras, parse(str(reveal(entry.value)), entry.path)))
    except UnreadableText:
        return False


def _source(resource: Resource, path: str, value: Any, name: str) -> Source:
    try:
        leaves = flatten(*parse(str(reveal(value)), name))
    except UnreadableText:
        return UnseenSource(OutOfView(f"{path} of {resource.name}, which is no valid file"))
    return FileSource(resource, path, leaves, isinstance(value, Sealed))


def _options(server: Server, variables: ContainerVariables) -> Iterator[tuple[str, Any]]:
    """Texts with options of the JVM, and the variable of each; those that are unknown left out."""
    for name in _JVM_OPTIONS:
        variable = variables.known.get(name)
        if variable is not None and variable.value is not UNKNOWN:
            yield variable.text(), variable
    yield server.command, None


def _java_options(server: Server, variables: ContainerVariables) -> Iterator[Source]:
    for name in _JVM_OPTIONS:
        variable = variables.known.get(name)
        if variable is not None and variable.value is UNKNOWN:
            yield UnseenSource(variable.reason or Undecided(variable.path))
    for text, variable in _options(server, variables):
        leaves = flatten(dict(system_properties(text)))
        if not leaves:
            continue
        if variable is None:
            yield FileSource(
                server.resource, f"{server.path.rpartition('.')[0]}.args", leaves, mark="-D"
            )
        else:
            path = f"{variable.path}: the variable {variable.name}"
            yield FileSource(variable.resource, path, leaves, variable.is_secret, "-D")
