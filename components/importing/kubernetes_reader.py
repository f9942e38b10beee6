"""Inputs of Kubernetes: values of the Helm chart, objects that hold them, and plain objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import charts, helm, helm_legacy, kustomize, manifests
from .absent_objects import note_absent
from .assembly import Assembly
from .chart_objects import add_chart_objects
from .chart_values import Layer, Values
from .cluster_edges import add_edges
from .documents import Unreadable, load_documents
from .gitops import KINDS, ReleaseSource, kind_of, release_of
from .helm import Release
from .kubernetes_objects import Entry, Objects, Source, dig
from .pod_configuration import add_configuration, is_configuration
from .pod_volumes import carried_volumes
from .readers import ImportRefused, Part
from .substitution import substitute_flux, template_substitution
from .unrendered_values import without_unrendered
from .value_sources import below, find_values, merged, names_chart
from .workloads import Workload, add_workloads

#: Roots of Kestra's own configuration: a document with one of them is an application.yaml.
_ROOTS = frozenset(["datasources", "micronaut", "endpoints", "flyway", "logger"])


class KubernetesReader:
    """Reads everything of a cluster's together, since values, objects and pods refer to each other."""

    def recognizes(self, part: Part) -> bool:
        """Whether the part is an object, values of the chart, or a file that holds values."""
        return bool(self.kind(part))

    def kind(self, part: Part) -> str:
        """What the part is; empty where it is none of Kubernetes' inputs."""
        document = part.document
        if not isinstance(document, Mapping):
            return ""
        if kind_of(document):
            return f"{document.get('kind')} with values of the Helm chart"
        if kustomize.is_kustomization(part):
            return "a kustomization"
        if isinstance(document.get("kind"), str) and isinstance(document.get("apiVersion"), str):
            return "Kubernetes objects"
        if kustomize.is_helmfile(document):
            return "a helmfile"
        if _chart_version(document):
            return "the metadata of a Helm chart"
        if kustomize.is_fleet(document):
            return "a fleet.yaml with values of the Helm chart"
        if _ROOTS & document.keys() or "services" in document:
            return ""
        values = find_values(document)
        return f"values of the Helm chart {charts.generation(values[1])}" if values else ""

    def read(self, parts: Sequence[Part], assembly: Assembly) -> None:
        """Reads all parts.

        Raises:
            ImportRefused: where nothing in them runs or configures Kestra.
        """
        objects, versions = Objects(), [""]
        files: list[Part] = []
        for part in parts:
            document = part.document
            if kustomize.is_kustomization(part):
                continue
            if isinstance(document.get("kind"), str):
                objects.add(document, part.file)
            elif version := _chart_version(document):
                versions.append(version)
            else:
                files.append(part)
        # What kustomizations name is among the objects already, or is read now.
        for part in filter(kustomize.is_kustomization, parts):
            kustomize.add_kustomization(part, objects, assembly)
        substitute_flux(objects, assembly)
        releases = _releases(parts, objects, assembly)
        plain = [part for part in files if _is_values(part) and not assembly.is_used(part)]
        layers = [_layer(part, assembly) for part in plain]
        workloads = _release_workloads(releases, layers, versions[-1], objects, assembly)
        if workloads:
            manifests.note_others(objects, assembly)
        else:
            workloads = manifests.workloads(objects, assembly)
        if not workloads and not releases:
            layers = list(_values_of_objects(objects))
            workloads = _release_workloads([], layers, versions[-1], objects, assembly)
        if workloads:
            _finish(workloads, objects, assembly)
        elif _add_loose_configuration(objects, assembly) or objects.of("Ingress", "HTTPRoute"):
            add_edges([], objects, assembly)
        else:
            raise ImportRefused(
                "No Kubernetes object or value of the inputs runs Kestra or holds its configuration."
            )


def _layer(part: Part, assembly: Assembly) -> Layer:
    layer = Layer(part.file, "", part.document)
    substitution = template_substitution(part)
    if substitution is not None:
        layer = substitution.layer(layer)
        substitution.note(part.file, assembly)
    return layer


def _is_values(part: Part) -> bool:
    document = part.document
    return not kustomize.is_helmfile(document) and not kustomize.is_fleet(document)


def _releases(parts: Sequence[Part], objects: Objects, assembly: Assembly) -> list[ReleaseSource]:
    """The releases of the chart that objects and files describe."""
    result: list[ReleaseSource] = []
    by_file = {part.file: part for part in parts}
    for item in objects.of(*dict.fromkeys(kind for kind, _ in KINDS)):
        if kind_of(item.document):
            release = release_of(item, objects, assembly, by_file.get(item.file, parts[0]))
            if release is not None:
                result.append(release)
    for part in parts:
        if kustomize.is_kustomization(part):
            result += kustomize.inflated_charts(part, assembly)
        elif isinstance(part.document, Mapping) and kustomize.is_helmfile(part.document):
            result += kustomize.helmfile_releases(part, assembly)
        elif isinstance(part.document, Mapping) and kustomize.is_fleet(part.document):
            result += kustomize.fleet_releases(part, assembly)
    return _one_release(result, assembly)


def _one_release(releases: list[ReleaseSource], assembly: Assembly) -> list[ReleaseSource]:
    """Releases of the first one's name: a HelmChart and its HelmChartConfig are one."""
    if not releases:
        return []
    first = releases[0]
    same = [
        r
        for r in releases
        if (r.name, r.namespace or first.namespace) == (first.name, first.namespace)
    ]
    for other in releases:
        if other not in same:
            assembly.note(
                "not carried",
                other.title,
                f"a further release ({other.name or 'without a name'}) beside {first.title}",
                "import each installation by itself",
            )
    return same


def _release_workloads(
    releases: list[ReleaseSource],
    layers: list[Layer],
    chart_version: str,
    objects: Objects,
    assembly: Assembly,
) -> list[Workload]:
    if not releases and not layers:
        return []
    every = [*layers]
    name = namespace = ""
    version = chart_version
    for release in releases:
        every += release.layers
        name, namespace = release.name or name, release.namespace or namespace
        version = release.chart_version or version
    values = find_values(merged(every))
    if values is not None and values[0]:
        every = below(every, values[0])
        if "s3Emulator" in merged([*layers, *(x for r in releases for x in r.layers)]):
            assembly.note(
                "changed",
                "kestra-starter",
                "the chart kestra-starter brings values of its own, which no input holds",
                "give all values: helm get values --all RELEASE",
            )
    every = [without_unrendered(layer, assembly.unprovided, assembly) for layer in every]
    release = Release(Values(every), version, name, namespace, objects)
    if namespace:
        assembly.add_setting("deployment.namespace", namespace, release.values.origin("namespace"))
    assembly.installation.release = release.fullname
    _note_overridden_image(release, assembly)
    is_legacy = release.generation == "0.x"
    read = helm_legacy.workloads if is_legacy else helm.workloads
    workloads = read(release, assembly)
    components = {name: w.component for w in workloads for name in w.names}
    add_chart_objects(release, components, assembly)
    _add_version(release, assembly)
    return workloads


def is_tag(text: str) -> bool:
    """Whether a text is a tag of an image."""
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", text) is not None


def _note_overridden_image(release: Release, assembly: Assembly) -> None:
    tags = [*release.values.overridden("image", "tag"), release.values.get("image", "tag")]
    *replaced, tag = (str(t) if is_tag(str(t)) else "another" for t in tags)
    if replaced:
        assembly.note(
            "changed",
            "image.tag",
            f"{', '.join(dict.fromkeys(replaced))} was replaced by {tag}, which stands later and was in force",
            origin=release.values.origin("image", "tag"),
        )


def _add_version(release: Release, assembly: Assembly) -> None:
    values = release.values
    tag = values.get("image", "tag")
    if release.generation == "2.x":
        # A tag that names a release says it better, and is read later.
        assembly.add_setting("version", "2.0", values.origin("deployments"))
    if not tag and not charts.kestra_release(release.chart_version):
        assembly.note(
            "changed",
            "image.tag",
            "it is empty, so the chart's release decides which Kestra runs, and no input says which release that is",
            "set kestra:deployment.image.tag to what runs, or give Chart.yaml as a further input",
            values.origin("image"),
        )
    elif not tag:
        assembly.note(
            "changed",
            "image.tag",
            f"it is empty; the chart {release.chart_version} runs {charts.kestra_release(release.chart_version)}",
            origin=values.origin("image"),
        )


def _finish(workloads: Sequence[Workload], objects: Objects, assembly: Assembly) -> None:
    """Configuration, variables, volumes, options, and the objects around the pods."""
    configuration, paths = add_configuration(workloads, objects, assembly)
    carried = [carried_volumes(w, configuration, paths, objects, assembly) for w in workloads]
    scaled = frozenset(
        str(item.get("spec", "scaleTargetRef", "name"))
        for item in objects.of("HorizontalPodAutoscaler")
    )
    add_workloads(carried, scaled, assembly)
    add_edges(carried, objects, assembly)
    note_absent(carried, objects, assembly)


def _values_of_objects(objects: Objects) -> Iterator[Layer]:
    """Values of the chart in ConfigMaps and Secrets, for which no input holds the object that names them."""
    for entry in _texts(objects):
        try:
            documents = load_documents(entry.text or "").documents
        except Unreadable:
            continue
        for document in documents:
            if not (isinstance(document, Mapping) and _ROOTS & document.keys()):
                values = find_values(document)
                if values is not None:
                    yield Layer(entry.origin.file, entry.origin.place, values[1])


def _add_loose_configuration(objects: Objects, assembly: Assembly) -> bool:
    """Reads configuration of ConfigMaps and Secrets that no pod of the inputs names."""
    entries = [entry for entry in _texts(objects) if is_configuration(entry.text or "")]
    for entry in entries:
        assembly.add_configuration_text(entry.text or "", entry.origin)
    for item in objects.of("ConfigMap", "Secret") if entries else ():
        if item.namespace:
            origin = item.origin("metadata.namespace")
            assembly.add_setting("deployment.namespace", item.namespace, origin)
    return bool(entries)


def _texts(objects: Objects) -> Iterator[Entry]:
    for item in objects.of("ConfigMap", "Secret"):
        source: Source = "Secret" if item.kind == "Secret" else "ConfigMap"
        yield from (objects.entries(source, item.name) or {}).values()


def _chart_version(document: Any) -> str:
    """The version of Kestra's chart that the metadata of a chart name: its own, or that of a dependency."""
    if "kind" in document or not isinstance(document.get("name") or "", str):
        return ""
    version = document.get("version")
    if document.get("name") == "kestra" and isinstance(version, str) and "appVersion" in document:
        return version
    dependencies = document.get("dependencies")
    for dependency in dependencies if isinstance(dependencies, list) else ():
        if names_chart(dig(dependency, "name"), dig(dependency, "repository")):
            return str(dig(dependency, "version") or "")
    return ""
