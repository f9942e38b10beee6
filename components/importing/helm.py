"""The official Helm chart: what a release's values make of pods and objects, as the chart's templates do.

Read in the templates of kestra-io/helm-charts (0.14 to 1.0.54) and of kestra-io/kestra (1.3.16 and later).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from . import charts, pull_secrets
from .assembly import Assembly
from .chart_values import Values
from .commands import split_words
from .installation import Origin
from .kubernetes_objects import Entry, Objects, Source, as_list, as_mapping
from .workloads import Workload, group_name

#: Parts of `common` that a deployment's own value replaces, and those to which it adds.
_REPLACED = (
    "startupProbe",
    "livenessProbe",
    "readinessProbe",
    "resources",
    "securityContext",
    "podSecurityContext",
    "priorityClassName",
    "strategy",
    "updateStrategy",
    "terminationGracePeriodSeconds",
    "kind",
    "replicas",
    "autoscaler",
)
_ADDED = (
    "extraEnv",
    "extraEnvFrom",
    "extraVolumes",
    "extraVolumeMounts",
    "extraContainers",
    "initContainers",
    "tolerations",
    "topologySpreadConstraints",
)
_MERGED = ("nodeSelector", "affinity", "podAnnotations", "podLabels", "annotations", "labels")
_PARTS = frozenset(
    (
        *_REPLACED,
        *_ADDED,
        *_MERGED,
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
        "jvm",
        *pull_secrets.KEYS,
    )
)
_OF_COMMON = _PARTS | {"configmapReloader"}
_OF_IMAGE = frozenset(("repository", "tag", "pullPolicy", *pull_secrets.KEYS))
_OF_DEPLOYMENTS = _OF_COMMON | {"enabled", "workerThreads", "extraArgs", "dind", "controller"}
_OF_GROUPS = _OF_DEPLOYMENTS | {"serviceAccountName"}
#: Parts that have no meaning for the program's pods, and that it decides without harm.
_DECIDED = ("annotations", "labels")

CONFIGURATION = "the chart's configuration"
"""Name of the ConfigMap that the chart makes; no object can have it."""


@dataclass(frozen=True)
class Release:
    """One release of the chart, as its values say it."""

    values: Values
    chart_version: str = ""
    name: str = ""
    """Of the release; empty: not known."""
    namespace: str = ""
    objects: Objects = field(default_factory=Objects)

    @property
    def generation(self) -> charts.Generation:
        """The form of the values."""
        return charts.generation(self.values.tree, self.chart_version)

    @property
    def fullname(self) -> str:
        """The name that the chart's objects begin with; empty where it is not known."""
        override = self.values.get("fullnameOverride")
        if isinstance(override, str) and override and self.generation != "0.x":
            return override
        name = str(self.values.get("nameOverride") or "kestra")
        if not self.name:
            return ""
        return self.name if name in self.name else f"{self.name}-{name}"

    def image(self) -> str:
        """The image, with the tag that the chart gives it; empty where the values and the chart say nothing."""
        key = "image" if self.generation == "0.x" else "repository"
        repository = self.values.get("image", key)
        tag = self.values.get("image", "tag") or charts.kestra_release(self.chart_version)
        if not repository and not tag:
            return ""
        name = str(repository or "kestra/kestra")
        return f"{name}:{tag}" if tag else name


def workloads(release: Release, assembly: Assembly) -> list[Workload]:
    """The pods of a release of the chart 1.x or 2.x; adds its configuration files to the release's objects."""
    values = release.values
    _add_configuration(release, assembly)
    _note_unread_keys(release, assembly)
    blocks = [(w, name) for w in ("deployments", "workerGroups") for name, _ in _enabled(values, w)]
    pull_secrets.add_of_chart(values, blocks, assembly)
    result = [
        _workload(release, "deployments", name, content, assembly)
        for name, content in _enabled(values, "deployments")
        if name in charts.COMPONENTS
    ]
    result += [
        _workload(release, where, name, content, assembly)
        for where in ("deployments", "workerGroups")
        for name, content in _enabled(values, where)
        if where == "workerGroups" or name not in charts.COMPONENTS
    ]
    return result


def _enabled(values: Values, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    blocks = values.mapping(where)
    if where == "deployments":
        standalone = blocks.get("standalone")
        blocks = {"standalone": {"enabled": True}} | blocks
        if isinstance(standalone, Mapping):
            blocks["standalone"] = {"enabled": True} | dict(standalone)
    for name, content in blocks.items():
        if isinstance(content, dict) and content.get("enabled"):
            yield name, content


def _add_configuration(release: Release, assembly: Assembly) -> None:
    application = release.values.get("configurations", "application")
    origin = release.values.origin("configurations", "application")
    add_document(release, "_default.yml", application, origin, assembly)


def add_document(
    release: Release, key: str, document: Any, origin: Origin, assembly: Assembly
) -> None:
    """Adds a configuration file that the chart writes from a block of the values."""
    if not document:
        return
    if isinstance(document, str):
        assembly.note(
            "changed",
            origin.place,
            "a text, of which the chart makes a text instead of keys; its keys are carried over",
            origin=origin,
        )
        text = document
    else:
        # Helm writes keys in the order of the alphabet.
        text = yaml.safe_dump(document, sort_keys=True, allow_unicode=True)
    release.objects.add_entries("ConfigMap", CONFIGURATION, {key: Entry(text, origin)})


def _workload(
    release: Release, where: str, name: str, content: Mapping[str, Any], assembly: Assembly
) -> Workload:
    values = release.values
    common, prefix = values.mapping("common"), f"{where}.{name}."
    component = name if name in charts.COMPONENTS else "worker"
    group = "" if name in charts.COMPONENTS else name
    origin = values.origin(where, name)
    places = {}
    for part in _PARTS:
        own, shared = content.get(part), common.get(part)
        if shared and (not own or part not in _REPLACED):
            places[part] = f"common.{part}" + (f" and {prefix}{part}" if own else "")

    def one(part: str) -> Any:
        return content.get(part) or common.get(part)

    def both(part: str) -> list[Any]:
        return as_list(common.get(part)) + as_list(content.get(part))

    def merged(part: str) -> dict[str, Any]:
        return as_mapping(common.get(part)) | as_mapping(content.get(part))

    mounts, volumes, files = _files(values)
    environment: list[Any] = [{"name": "MICRONAUT_CONFIG_FILES", "value": ",".join(files)}]
    if options := _java_options(common, content):
        environment.append({"name": "_JAVA_OPTIONS", "value": options})
    pod = {
        # The account of the others is a value of its own.
        "serviceAccountName": content.get("serviceAccountName") if group else None,
        "nodeSelector": merged("nodeSelector"),
        "affinity": merged("affinity"),
        "tolerations": both("tolerations"),
        "topologySpreadConstraints": both("topologySpreadConstraints"),
        "priorityClassName": one("priorityClassName"),
        "securityContext": one("podSecurityContext"),
        "terminationGracePeriodSeconds": one("terminationGracePeriodSeconds"),
        "initContainers": both("initContainers"),
        "containers": both("extraContainers"),
        "volumes": volumes + both("extraVolumes"),
    }
    container = {
        "image": release.image(),
        "imagePullPolicy": values.get("image", "pullPolicy"),
        "command": _command(component, group, content, release),
        "env": environment + both("extraEnv"),
        "envFrom": both("extraEnvFrom"),
        "resources": one("resources"),
        "securityContext": one("securityContext"),
        "volumeMounts": mounts + both("extraVolumeMounts"),
        **{probe: one(probe) for probe in ("startupProbe", "livenessProbe", "readinessProbe")},
    }
    kind = "updateStrategy" if one("kind") == "StatefulSet" else "strategy"
    places |= {
        "env": places.get("extraEnv", prefix + "extraEnv"),
        "env._JAVA_OPTIONS": _jvm_place(common, content, prefix),
        "envFrom": places.get("extraEnvFrom", prefix + "extraEnvFrom"),
        "volumes": places.get("extraVolumes", prefix + "extraVolumes"),
        "volumeMounts": places.get("extraVolumeMounts", prefix + "extraVolumeMounts"),
        "containers": places.get("extraContainers", prefix + "extraContainers"),
        "annotations": places.get("podAnnotations", prefix + "podAnnotations"),
        "labels": places.get("podLabels", prefix + "podLabels"),
        "strategy": places.get(kind, prefix + kind),
        "image": "image",
        "imagePullPolicy": "image.pullPolicy",
        "configuration": "configurations",
    }
    _note_unread_parts(prefix, content, _OF_GROUPS if group else _OF_DEPLOYMENTS, origin, assembly)
    return Workload(
        component=component,
        group=group_name(group),
        group_key=group if release.generation != "2.x" else "",
        file=origin.file,
        prefix=prefix,
        pod=pod,
        container=container,
        annotations=merged("podAnnotations"),
        labels=merged("podLabels"),
        replicas=_replicas(release, content, common),
        strategy=one(kind),
        places=places,
        is_tag_of_chart=True,
        names=frozenset((name,)),
    )


def _replicas(release: Release, content: Mapping[str, Any], common: Mapping[str, Any]) -> Any:
    # The chart takes 0 for "not set" before 2.0.
    own = content.get("replicas")
    is_set = own is not None if release.generation == "2.x" else bool(own)
    return own if is_set else common.get("replicas")


def _command(component: str, group: str, content: Mapping[str, Any], release: Release) -> list[str]:
    words = ["server", component]
    if group and release.generation != "2.x":
        words.append(f"--worker-group={group}")
    # 0 writes no option, so Kestra decides; it does not mean "no worker".
    if threads := content.get("workerThreads"):
        option = "--worker-thread" if component == "standalone" else "--thread"
        words.append(f"{option}={threads}")
    if component == "webserver" and content.get("controller") is False:
        words.append("--no-controller")
    for argument in as_list(content.get("extraArgs")):
        words += split_words(str(argument))
    return words


def _java_options(common: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Options of Java: a deployment's own replace those of `common`."""
    ours, shared = as_mapping(content.get("jvm")), as_mapping(common.get("jvm"))
    options = str(ours.get("extraOpts") or shared.get("extraOpts") or "")
    processors = as_mapping(ours.get("forceActiveProcessors")) or as_mapping(
        shared.get("forceActiveProcessors")
    )
    if processors.get("enabled") and processors.get("count") == "value":
        options = f"-XX:ActiveProcessorCount={processors.get('value')} {options}"
    return " ".join(options.split())


def _jvm_place(common: Mapping[str, Any], content: Mapping[str, Any], prefix: str) -> str:
    own = as_mapping(content.get("jvm")).get("extraOpts")
    return f"{prefix}jvm.extraOpts" if own else "common.jvm.extraOpts"


def _files(values: Values) -> tuple[list[Any], list[Any], list[str]]:
    """Mounts, volumes and paths of the configuration files, in the chart's order."""
    entries: list[tuple[Source, str, str, str]] = []
    if values.get("configurations", "application"):
        entries.append(("ConfigMap", CONFIGURATION, "_default.yml", "/app/confs"))
    for block, source, folder in (
        ("configmaps", "ConfigMap", "/app/confs"),
        ("secrets", "Secret", "/app/secrets"),
    ):
        for item in values.sequence("configurations", block):
            item = as_mapping(item)
            if isinstance(item.get("name"), str) and isinstance(item.get("key"), str):
                entries.append((source, item["name"], item["key"], folder))  # type: ignore[arg-type]
    mounts, volumes, paths = [], [], []
    for index, (source, owner, key, folder) in enumerate(entries):
        name, path = f"kestra-configuration-{index}", f"{folder}/{key}"
        item = {"items": [{"key": key, "path": key}]}
        volume = (
            {"secret": {"secretName": owner} | item}
            if source == "Secret"
            else {"configMap": {"name": owner} | item}
        )
        volumes.append({"name": name} | volume)
        mounts.append({"name": name, "mountPath": path, "subPath": key})
        paths.append(path)
    return mounts, volumes, paths


def _note_unread_keys(release: Release, assembly: Assembly) -> None:
    """Notes keys of the values that no template of the chart's reads."""
    values = release.values
    for key, value in values.tree.items():
        is_read = key in charts.CURRENT_KEYS or key in pull_secrets.KEYS
        if is_read or key.startswith("_") or value in (None, {}, [], ""):
            continue
        note_unread(key, release, assembly)
    for block, known in (("common", _OF_COMMON), ("image", _OF_IMAGE)):
        origin = values.origin(block)
        _note_unread_parts(f"{block}.", values.mapping(block), known, origin, assembly)


def note_unread(key: str, release: Release, assembly: Assembly) -> None:
    """Notes one key at the root of the values that the chart does not read."""
    other = charts.LEGACY_KEYS if release.generation != "0.x" else charts.CURRENT_KEYS
    generation = "0.x" if release.generation != "0.x" else "1.x"
    why = f"no template of the chart {release.generation} reads this key, so it had no effect"
    if key in other:
        why += f"; the chart {generation} reads it"
    assembly.note("not carried", key, why, origin=release.values.origin(key))


def _note_unread_parts(
    prefix: str,
    content: Mapping[str, Any],
    known: frozenset[str],
    origin: Origin,
    assembly: Assembly,
) -> None:
    for part, value in content.items():
        if value in (None, {}, [], ""):
            continue
        if part not in known:
            why = "no template of the chart reads this key, so it had no effect"
            assembly.note("not carried", f"{prefix}{part}", why, origin=origin)
        elif part in _DECIDED:
            why = "the stack decides this for the objects that it makes"
            assembly.note("not carried", f"{prefix}{part}", why, origin=origin)
