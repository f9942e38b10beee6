"""Files that name values or objects: kustomizations, helmfiles, Fleet's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import COMMAND
from .assembly import Assembly
from .chart_values import Layer, typed
from .documents import Unreadable, load_documents
from .gitops import ReleaseSource, inflated
from .kubernetes_objects import Entry, Objects, Source, dig, listed
from .readers import Part
from .value_sources import file_layers, names_chart

_NAMES = ("kustomization.yaml", "kustomization.yml", "kustomization")
_GROUP = "kustomize.config.k8s.io"
#: Parts of a kustomization that change objects in ways that are not read here.
_CHANGES = (
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
    "namePrefix",
    "nameSuffix",
    "transformers",
    "components",
    "vars",
    "replicas",
)


def is_kustomization(part: Part) -> bool:
    """Whether a part is a file of kustomize's own (not Flux's object of the same kind)."""
    document = part.document
    if not isinstance(document, Mapping):
        return False
    group = str(document.get("apiVersion", "")).partition("/")[0]
    kind = document.get("kind")
    return (kind in ("Kustomization", "Component") and group in (_GROUP, "")) or (
        kind is None and part.name in _NAMES
    )


def is_helmfile(document: Any) -> bool:
    """Whether a document is a helmfile with a release of Kestra's chart."""
    releases = dig(document, "releases")
    return isinstance(releases, list) and any(names_chart(dig(r, "chart")) for r in releases)


def is_fleet(document: Any) -> bool:
    """Whether a document is Fleet's file for Kestra's chart."""
    return names_chart(dig(document, "helm", "chart"), dig(document, "helm", "repo"))


def add_kustomization(part: Part, objects: Objects, assembly: Assembly) -> None:
    """Adds the objects that a kustomization generates, and those of files that it names."""
    document = part.document
    for name in _texts(document, "resources") + _texts(document, "bases"):
        if name.endswith((".yaml", ".yml", ".json")):
            _add_resource(name, part, objects, assembly)
    for key, source in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for generator in listed(document, key):
            if isinstance(dig(generator, "name"), str):
                _generate(generator, source, part, objects, assembly)  # type: ignore[arg-type]
    if isinstance(namespace := dig(document, "namespace"), str):
        assembly.add_setting("deployment.namespace", namespace, part.origin("namespace"))
    objects.images += [i for i in listed(document, "images") if isinstance(i, Mapping)]
    changes = [key for key in _CHANGES if dig(document, key)]
    if changes:
        assembly.note(
            "not carried",
            f"{part.file}: {', '.join(changes)}",
            "kustomize changes objects with them, which the import does not do",
            f"give what it builds: kustomize build DIRECTORY | {COMMAND} import -",
            part.origin(),
        )


def _add_resource(name: str, part: Part, objects: Objects, assembly: Assembly) -> None:
    companion = assembly.companion(name, part)
    if companion is None:
        assembly.note(
            "not carried",
            name,
            f"{part.file} names it, and no input is it",
            "give it as a further input",
            part.origin("resources"),
        )
        return
    known = {item.file for item in objects.all}
    if companion.file in known:
        return
    try:
        documents = load_documents(companion.text).documents
    except Unreadable as error:
        assembly.note("not carried", companion.file, f"the file {error}")
        return
    for document in documents:
        objects.add(document, companion.file)


def _generate(
    generator: Any, source: Source, part: Part, objects: Objects, assembly: Assembly
) -> None:
    name, entries = dig(generator, "name"), {}
    place = f"{source} {name} (generated)"
    for literal in listed(generator, "literals"):
        key, has_value, value = str(literal).partition("=")
        if has_value:
            entries[key] = Entry(value.strip("\"'"), part.origin(place))
    for file in listed(generator, "files"):
        key, has_key, path = str(file).partition("=")
        path = path if has_key else key
        key = key if has_key else path.rpartition("/")[2]
        entries[key] = Entry(_text_of(path, part, assembly), part.origin(place))
    for file in [*(listed(generator, "envs")), dig(generator, "env")]:
        text = _text_of(file, part, assembly) if isinstance(file, str) else None
        for line in (text or "").splitlines():
            key, has_value, value = line.partition("=")
            if has_value and not line.lstrip().startswith("#"):
                entries[key.strip()] = Entry(value, part.origin(place))
    objects.add_entries(source, name, entries)
    options = [dig(generator, "options"), dig(part.document, "generatorOptions")]
    if not any(dig(option, "disableNameSuffixHash") is True for option in options):
        assembly.note(
            "changed",
            place,
            "kustomize adds a hash to its name in the cluster, so a reference by the plain name finds nothing there",
            f"make a {source} of the plain name (generatorOptions.disableNameSuffixHash: true)",
            part.origin(place),
        )


def _text_of(path: str, part: Part, assembly: Assembly) -> str | None:
    companion = assembly.companion(path, part)
    if companion is None:
        assembly.note(
            "not carried",
            path,
            f"{part.file} takes it into a ConfigMap or Secret, and no input is it",
            "give it as a further input",
            part.origin(),
        )
        return None
    return companion.text


def inflated_charts(part: Part, assembly: Assembly) -> Iterator[ReleaseSource]:
    """Releases of the chart that a kustomization inflates."""
    for index, chart in enumerate(listed(part.document, "helmCharts")):
        place = f"helmCharts[{index}]"
        release = inflated(chart, part.file, f"{part.file}: {place}", place, part, assembly)
        if release is not None:
            yield release


def helmfile_releases(part: Part, assembly: Assembly) -> Iterator[ReleaseSource]:
    """Releases of the chart in a helmfile."""
    for index, release in enumerate(listed(part.document, "releases")):
        if not names_chart(dig(release, "chart")):
            continue
        place = f"releases[{index}]"
        layers: list[Layer] = []
        for values in [*listed(release, "values"), *listed(release, "secrets")]:
            if isinstance(values, str):
                layers += file_layers(values, part, assembly, f"{part.file}: {place}")
            elif isinstance(values, Mapping):
                layers.append(Layer(part.file, f"{place}.values", values))
        singles = tuple(
            (str(dig(single, "name")), typed(str(dig(single, "value"))))
            for single in listed(release, "set")
            if dig(single, "name") and isinstance(dig(single, "value"), (str, int, float))
        )
        layers.append(Layer(part.file, f"{place}.set", singles=singles))
        yield ReleaseSource(
            f"{part.file}: {place}",
            name=str(dig(release, "name") or ""),
            namespace=str(dig(release, "namespace") or ""),
            chart_version=str(dig(release, "version") or ""),
            layers=layers,
        )


def fleet_releases(part: Part, assembly: Assembly) -> Iterator[ReleaseSource]:
    """The release of a Fleet file."""
    block = dig(part.document, "helm")
    layers: list[Layer] = []
    for name in _texts(block, "valuesFiles"):
        layers += file_layers(name, part, assembly, part.file)
    values = dig(block, "values")
    layers.append(Layer(part.file, "helm.values", values if isinstance(values, Mapping) else {}))
    namespace = dig(part.document, "namespace") or dig(part.document, "defaultNamespace")
    yield ReleaseSource(
        part.file,
        name=str(dig(block, "releaseName") or ""),
        namespace=str(namespace or ""),
        chart_version=str(dig(block, "version") or ""),
        layers=layers,
    )


def _texts(block: Any, key: str) -> list[str]:
    return [item for item in listed(block, key) if isinstance(item, str)]
