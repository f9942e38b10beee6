"""Kestra's servers in a stack: the containers of workloads, and what the official chart makes of its values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster_objects import CONFIG_MAP, SECRET
from ..configuration_texts import is_kestras
from ..core.model import Resource
from ..core.values import UNKNOWN, OutOfView, Undecided, as_list, get_path, is_unknown, raw
from ..mounted_files import Mounts, referred
from ..pods import containers, pod
from ..task_definitions import task_containers
from .kestra_containers import command_text, component_of, is_enterprise, servers, serves

RELEASE, CHART = "kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart"
HELM = (RELEASE, CHART)
CHART_COMPONENTS = ("standalone", "webserver", "executor", "indexer", "scheduler", "controller")
_CHART_FILE = "/app/confs/_default.yml"


@dataclass(frozen=True)
class Server:
    """A Kestra that runs, and what it is started with."""

    resource: Resource
    path: str
    """Where its variables are set."""
    command: str
    component: str
    """`webserver`; empty when it does not say."""
    image: Any
    """May be UNKNOWN."""
    env: tuple[tuple[str, Any], ...]
    env_from: tuple[tuple[str, Any], ...]
    mounts: Mounts
    documents: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    """File to its place in the resource and its content, for files that the resource itself holds."""
    unseen: tuple[Undecided, ...] = ()
    """What else configures it."""

    @property
    def is_enterprise(self) -> bool | None:
        """Whether it is the Enterprise Edition; None when the image does not say. Raises Undecided."""
        if is_unknown(self.image):
            raise Undecided("the image")
        return is_enterprise(self.image)

    def refers_to(self) -> Iterator[tuple[str, Any]]:
        """Kind and name of the ConfigMaps and Secrets that its pod refers to. Raises Undecided."""
        yield from referred(self.mounts.volumes)
        for _, entry in (*self.env, *self.env_from):
            inner = entry.get("valueFrom", entry) if isinstance(entry, Mapping) else None
            if not isinstance(inner, Mapping):
                continue
            for name, kind in (
                ("configMapKeyRef", CONFIG_MAP),
                ("configMapRef", CONFIG_MAP),
                ("secretKeyRef", SECRET),
                ("secretRef", SECRET),
            ):
                reference = inner.get(name)
                if isinstance(reference, Mapping):
                    yield kind, reference.get("name")


def workload_servers(workload: Resource) -> list[Server]:
    """The servers in the pods of a workload. Raises Undecided when a container is unknown."""
    chosen = servers(workload)
    if not chosen:
        return []
    spec, every = pod(workload), list(containers(workload))
    copying = [c for c in every if c.is_init]
    copies = " ; ".join(command_text(c) for c in copying)
    return [
        Server(
            workload,
            f"{container.path}.env",
            command_text(container),
            component_of(command_text(container)),
            raw(container.props, "image"),
            _located(container.props, "env", container.path),
            _located(container.props, "envFrom", container.path),
            Mounts(
                workload,
                get_path(spec, "volumes"),
                container.get_path("volumeMounts"),
                f"{copies} ; {command_text(container)}",
                tuple(c.get_path("volumeMounts") for c in copying),
            ),
        )
        for container in chosen
    ]


def task_servers(task: Resource) -> list[Server]:
    """The servers among the containers of a task of ECS. Raises Undecided."""
    return [
        Server(
            task,
            f"{container.path}.environment",
            command_text(container),
            component_of(command_text(container)),
            raw(container.props, "image"),
            located,
            (),
            Mounts(task, [], []),
        )
        for container, located in task_containers(task)
        if serves(container)
    ]


def _located(value: Any, name: str, path: str) -> tuple[tuple[str, Any], ...]:
    """Path and entry of a list; one unknown entry stands for an unknown list."""
    entries = value.get(name) if isinstance(value, Mapping) else None
    if is_unknown(entries):
        return ((f"{path}.{name}", UNKNOWN),)
    return tuple((f"{path}.{name}.{n}", entry) for n, entry in enumerate(as_list(entries)))


def chart_values(release: Resource) -> tuple[str, Mapping[str, Any]] | None:
    """Path and content of the values of Kestra's chart; None for other charts. Raises Undecided.

    The chart is Kestra's by the end of its name, path or address. One of another name is when it has Kestra's values
    below `kestra` (it contains Kestra's chart), or when its values have their form: many charts have a
    `configuration` of their own.
    """
    inner = release.get_path("values.kestra")
    if isinstance(inner, Mapping) and {"configurations", "configuration"} & set(inner):
        return "values.kestra", inner
    values = release.get_path("values") or {}
    name = str(release.get_path("chart") or "").rstrip("/").rpartition("/")[2]
    if re.fullmatch(r"kestra(-\d.*)?", name) or _has_kestras_form(values):
        return "values", values
    return None


def chart_servers(release: Resource) -> list[Server]:
    """The servers that Kestra's chart makes of its values; none for other charts. Raises Undecided."""
    chosen = chart_values(release)
    return list(_of_values(release, *chosen)) if chosen else []


def _has_kestras_form(values: Any) -> bool:
    block = get_path(values, "configurations")
    if isinstance(block, Mapping) and {"application", "configmaps", "secrets"} & set(block):
        return True
    return is_kestras(get_path(values, "configuration"))


def _of_values(release: Resource, root: str, values: Mapping[str, Any]) -> Iterator[Server]:
    files, documents, mounts, volumes = _files(root, values)
    for group, name, own in chart_components(values):
        places = ((f"{root}.common", get_path(values, "common")), (f"{root}.{group}", own))
        component = name if name in CHART_COMPONENTS else "worker"
        options = " ".join(str(o) for _, o in _joined(places, "extraArgs"))
        java = str(get_path(values, "common.jvm.extraOpts") or "")
        yield Server(
            release,
            f"{root}.common.extraEnv",
            f"/app/kestra server {component} {options}",
            component,
            get_path(values, "image.repository") or "kestra/kestra",
            (
                (root, {"name": "MICRONAUT_CONFIG_FILES", "value": ",".join(files)}),
                (f"{root}.common.jvm.extraOpts", {"name": "_JAVA_OPTIONS", "value": java}),
                *_joined(((root, values), *places), "extraEnv"),
            ),
            _joined(((root, values), *places), "extraEnvFrom"),
            Mounts(
                release,
                [*volumes, *(v for _, v in _joined(places, "extraVolumes"))],
                [*mounts, *(m for _, m in _joined(places, "extraVolumeMounts"))],
            ),
            documents,
            (OutOfView("the chart's valueYamlFiles"),)
            if release.get_path("valueYamlFiles")
            else (),
        )


def chart_components(values: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Place, name and values of each component that the chart starts. Raises Undecided."""
    deployments = {"standalone": {}, **(get_path(values, "deployments") or {})}
    for group, own in (
        ("deployments", deployments),
        ("workerGroups", get_path(values, "workerGroups") or {}),
    ):
        for name, content in own.items():
            if is_unknown(content):
                raise Undecided(f"{group}.{name}")
            enabled = get_path(content or {}, "enabled")
            if enabled or (name == "standalone" and enabled is None):
                yield f"{group}.{name}", name, content or {}


def makes_docker(values: Mapping[str, Any]) -> bool:
    """Whether the chart starts Docker beside one of its components. Raises Undecided."""
    if get_path(values, "dind.enabled") is False:
        return False
    own = get_path(values, "deployments.standalone.dind.enabled")
    return any(
        own is not False if name == "standalone" else name not in CHART_COMPONENTS
        for _, name, _ in chart_components(values)
    )


def _joined(places: Iterable[tuple[str, Any]], name: str) -> tuple[tuple[str, Any], ...]:
    return tuple(entry for path, value in places for entry in _located(value, name, path))


def _files(
    root: str, values: Mapping[str, Any]
) -> tuple[list[str], dict[str, Any], list[Any], list[Any]]:
    """Files, documents, mounts and volumes of the chart; `configuration` and `secrets` are those of charts before 1.0."""
    documents: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for path in ("configuration", "secrets", "configurations.application"):
        content = get_path(values, path)
        if isinstance(content, Mapping) and content:
            file = _CHART_FILE if "." in path else f"/app/{path}.yml"
            documents[file] = (f"{root}.{path}", content)
    files, mounts, volumes = list(documents), [], []
    for kind, name, folder in (
        ("configMap", "configmaps", "confs"),
        ("secret", "secrets", "secrets"),
    ):
        for number, entry in enumerate(as_list(get_path(values, f"configurations.{name}"))):
            key, volume = str(get_path(entry, "key")), f"{kind}-{number}"
            named = {"secretName" if kind == "secret" else "name": raw(entry, "name")}
            files.append(f"/app/{folder}/{key}")
            mounts.append({"name": volume, "mountPath": files[-1], "subPath": key})
            volumes.append({"name": volume, kind: named})
    return files, documents, mounts, volumes
