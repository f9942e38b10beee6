"""Objects and files that hold values of a Helm release: Flux, Argo CD, k3s, Fleet, Crossplane, kustomize, helmfile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .assembly import Assembly
from .chart_values import Layer, merge, typed
from .kubernetes_objects import KubernetesObject, Objects, dig, listed
from .readers import Part
from .value_sources import file_layers, find_values, names_chart, text_layer

#: Kinds that hold values, with the group of their API.
KINDS = {
    ("HelmRelease", "helm.toolkit.fluxcd.io"): "flux",
    ("HelmRelease", "helm.fluxcd.io"): "flux",
    ("Application", "argoproj.io"): "argo",
    ("ApplicationSet", "argoproj.io"): "argo",
    ("HelmChart", "helm.cattle.io"): "k3s",
    ("HelmChartConfig", "helm.cattle.io"): "k3s",
    ("Release", "helm.crossplane.io"): "crossplane",
    ("HelmChartInflationGenerator", "builtin"): "kustomize",
}
#: A parameter of an ApplicationSet: `{{ cluster }}`, `{{ .cluster }}`.
_PARAMETER = re.compile(r"\{\{\s*\.?([A-Za-z_][\w-]*)\s*\}\}")
#: Who applies an object again and again, and how it lets go without removing what it made.
_CONTROLLERS = {
    "HelmRelease": ("Flux", "flux suspend helmrelease {name}, and take it out of git"),
    "Application": (
        "Argo CD",
        "argocd app delete {name} --cascade=false (a finalizer resources-finalizer.argocd.argoproj.io would remove "
        "the objects with it, Secrets too)",
    ),
    "ApplicationSet": (
        "Argo CD",
        "kubectl delete applicationset {name} --cascade=orphan, then each of its Applications with "
        "argocd app delete --cascade=false",
    ),
    "HelmChart": (
        "the Helm controller of k3s",
        "removing the HelmChart {name} uninstalls the release: do so only after the new stack has what it needs",
    ),
    "Release": ("Crossplane", "set deletionPolicy: Orphan on the Release {name} and remove it"),
}


@dataclass
class ReleaseSource:
    """What an object or a file says of a release of the chart."""

    title: str
    name: str = ""
    namespace: str = ""
    chart_version: str = ""
    layers: list[Layer] = field(default_factory=list)


def kind_of(document: Any) -> str:
    """`flux`, `argo` …; empty where a document is no object that holds values."""
    if not isinstance(document, Mapping):
        return ""
    group = str(document.get("apiVersion", "")).partition("/")[0]
    kind = str(document.get("kind", ""))
    if kind == "HelmChartInflationGenerator":
        return "kustomize"
    return KINDS.get((kind, group), "")


def release_of(
    item: KubernetesObject, objects: Objects, assembly: Assembly, part: Part
) -> ReleaseSource | None:
    """What an object says of a release of Kestra's chart; None where it is about another chart."""
    reader = _READERS.get(kind_of(item.document))
    result = reader(item, objects, assembly, part) if reader is not None else None
    if result is not None and item.kind in _CONTROLLERS:
        controller, fix = _CONTROLLERS[item.kind]
        assembly.note(
            "changed",
            item.title,
            f"{controller} would put the old release back, and so undo what the stack changes: it must let go of the "
            "release before the stack takes over",
            fix.format(name=item.name),
            item.origin(),
        )
    return result


def _read_flux(
    item: KubernetesObject, objects: Objects, assembly: Assembly, part: Part
) -> ReleaseSource | None:
    chart = item.mapping("spec", "chart", "spec")
    old = item.mapping("spec", "chart")
    reference = item.mapping("spec", "chartRef")
    values = item.mapping("spec", "values")
    if not (
        names_chart(
            chart.get("chart"), old.get("name"), old.get("repository"), reference.get("name")
        )
        or find_values(values)
    ):
        return None
    target = str(item.get("spec", "targetNamespace") or "")
    result = ReleaseSource(
        item.title,
        # Flux puts the namespace before the name where that is another one.
        name=str(item.get("spec", "releaseName") or "-".join(filter(None, (target, item.name)))),
        namespace=target or item.namespace or "",
        chart_version=str(chart.get("version") or old.get("version") or ""),
    )
    for source in item.sequence("spec", "valuesFrom"):
        layer = _values_from(source, item, objects, assembly)
        if layer is not None:
            result.layers.append(layer)
    result.layers.append(Layer(item.file, _place(item, "spec.values"), values))
    return result


def _values_from(
    reference: Any, item: KubernetesObject, objects: Objects, assembly: Assembly
) -> Layer | None:
    kind, name = str(dig(reference, "kind")), dig(reference, "name")
    key = str(dig(reference, "valuesKey") or "values.yaml")
    if kind not in ("ConfigMap", "Secret") or not isinstance(name, str):
        return None
    entry = objects.entry(kind, name, key)  # type: ignore[arg-type]
    if entry is None or entry.text is None:
        assembly.note(
            "not carried",
            f"{kind} {name}, key {key}",
            f"{item.title} takes values from it (valuesFrom), and no input holds it: what it sets is missing here",
            f"give it as a further input: kubectl get {kind.lower()} {name} -o yaml",
            item.origin("spec.valuesFrom"),
        )
        return None
    target = dig(reference, "targetPath")
    if isinstance(target, str) and target:
        single = ((target, typed(entry.text.rstrip("\n"))),)
        return Layer(entry.origin.file, entry.origin.place, singles=single)
    return text_layer(entry.text, entry.origin.file, entry.origin.place, assembly)


def _read_argo(
    item: KubernetesObject, objects: Objects, assembly: Assembly, part: Part
) -> ReleaseSource | None:
    spec, at = item.mapping("spec"), "spec"
    if item.kind == "ApplicationSet":
        spec = _generated(item, item.mapping("spec", "template", "spec"))
        at = "spec.template.spec"
    sources = dig(spec, "sources")
    places = [(dig(spec, "source"), f"{at}.source")]
    if isinstance(sources, list):
        places = [(source, f"{at}.sources[{i}]") for i, source in enumerate(sources)]
    for source, place in places:
        helm = dig(source, "helm")
        layers = list(_argo_layers(helm, item, f"{place}.helm", assembly, part))
        merged: dict[str, Any] = {}
        for layer in layers:
            merged = merge(merged, layer.values)
        if not (names_chart(dig(source, "chart"), dig(source, "repoURL")) or find_values(merged)):
            continue
        return ReleaseSource(
            item.title,
            name=str(dig(helm, "releaseName") or item.name),
            namespace=str(dig(spec, "destination", "namespace") or ""),
            chart_version=str(dig(source, "targetRevision") or "") if dig(source, "chart") else "",
            layers=layers,
        )
    return None


def _generated(item: KubernetesObject, spec: Any) -> Any:
    """The template of an ApplicationSet with the parameters of its list, where the list has one element."""
    elements = [
        element
        for generator in item.sequence("spec", "generators")
        for element in listed(generator, "list", "elements")
        if isinstance(element, Mapping)
    ]
    if len(elements) != 1:
        return spec
    parameters = {
        str(k): _text(v) for k, v in elements[0].items() if isinstance(v, (str, int, float, bool))
    }

    def put(node: Any) -> Any:
        if isinstance(node, Mapping):
            return {key: put(value) for key, value in node.items()}
        if isinstance(node, list):
            return [put(value) for value in node]
        if not isinstance(node, str):
            return node
        return _PARAMETER.sub(lambda m: parameters.get(m[1], m[0]), node)

    return put(spec)


def _argo_layers(
    helm: Any, item: KubernetesObject, place: str, assembly: Assembly, part: Part
) -> Iterator[Layer]:
    for name in listed(helm, "valueFiles"):
        if isinstance(name, str):
            yield from file_layers(name, part, assembly, item.title)
    text = dig(helm, "values")
    if isinstance(text, str):
        layer = text_layer(text, item.file, _place(item, f"{place}.values"), assembly)
        if layer is not None:
            yield layer
    values = dig(helm, "valuesObject")
    if isinstance(values, Mapping):
        yield Layer(item.file, _place(item, f"{place}.valuesObject"), values)
    singles = []
    for parameter in listed(helm, "parameters"):
        name, value = dig(parameter, "name"), dig(parameter, "value")
        if isinstance(name, str) and isinstance(value, (str, int, float, bool)):
            forced = dig(parameter, "forceString") is True
            singles.append((name, str(value) if forced else typed(_text(value))))
    if singles:
        yield Layer(item.file, _place(item, f"{place}.parameters"), singles=tuple(singles))
    for parameter in listed(helm, "fileParameters"):
        assembly.note(
            "not carried",
            f"{item.title}: fileParameters {dig(parameter, 'name')}",
            "its value is a file that the importer does not have",
            "set the value by hand",
            item.origin(place),
        )


def _read_k3s(
    item: KubernetesObject, objects: Objects, assembly: Assembly, part: Part
) -> ReleaseSource | None:
    text = item.get("spec", "valuesContent")
    layer = (
        text_layer(text, item.file, _place(item, "spec.valuesContent"), assembly)
        if isinstance(text, str)
        else None
    )
    values = layer.values if layer is not None else {}
    if not (
        names_chart(item.get("spec", "chart"), item.get("spec", "repo")) or find_values(values)
    ):
        return None
    result = ReleaseSource(
        item.title,
        name=item.name,
        namespace=str(item.get("spec", "targetNamespace") or ""),
        chart_version=str(item.get("spec", "version") or ""),
        layers=[layer] if layer is not None else [],
    )
    for reference in item.sequence("spec", "valuesSecrets"):
        for key in listed(reference, "keys") or ["values.yaml"]:
            secret = {"kind": "Secret", "name": dig(reference, "name"), "valuesKey": key}
            if (layer := _values_from(secret, item, objects, assembly)) is not None:
                result.layers.append(layer)
    singles = tuple(
        (str(k), typed(_text(v)))
        for k, v in item.mapping("spec", "set").items()
        if isinstance(v, (str, int, float, bool))
    )
    if singles:
        result.layers.append(Layer(item.file, _place(item, "spec.set"), singles=singles))
    return result


def _read_crossplane(
    item: KubernetesObject, objects: Objects, assembly: Assembly, part: Part
) -> ReleaseSource | None:
    spec = item.mapping("spec", "forProvider")
    values = dig(spec, "values")
    values = values if isinstance(values, Mapping) else {}
    if not (
        names_chart(dig(spec, "chart", "name"), dig(spec, "chart", "repository"))
        or find_values(values)
    ):
        return None
    singles = [
        (str(dig(single, "name")), typed(_text(dig(single, "value"))))
        for single in listed(spec, "set")
        if dig(single, "name") and isinstance(dig(single, "value"), (str, int, float, bool))
    ]
    return ReleaseSource(
        item.title,
        name=item.name,
        namespace=str(dig(spec, "namespace") or ""),
        chart_version=str(dig(spec, "chart", "version") or ""),
        layers=[
            Layer(item.file, _place(item, "spec.forProvider.values"), values),
            Layer(item.file, _place(item, "spec.forProvider.set"), singles=tuple(singles)),
        ],
    )


def _read_generator(
    item: KubernetesObject, objects: Objects, assembly: Assembly, part: Part
) -> ReleaseSource | None:
    return inflated(item.document, item.file, item.title, "", part, assembly)


_Reader = Callable[[KubernetesObject, Objects, Assembly, Part], ReleaseSource | None]
_READERS: dict[str, _Reader] = {
    "flux": _read_flux,
    "argo": _read_argo,
    "k3s": _read_k3s,
    "crossplane": _read_crossplane,
    "kustomize": _read_generator,
}


def inflated(
    chart: Any, file: str, title: str, place: str, part: Part, assembly: Assembly
) -> ReleaseSource | None:
    """One entry of `helmCharts` of a kustomization; None where it is another chart."""
    inline = dig(chart, "valuesInline")
    inline = inline if isinstance(inline, Mapping) else {}
    if not (names_chart(dig(chart, "name"), dig(chart, "repo")) or find_values(inline)):
        return None
    layers: list[Layer] = []
    names = [dig(chart, "valuesFile"), *(listed(chart, "additionalValuesFiles"))]
    for value_file in names:
        if isinstance(value_file, str):
            layers += file_layers(value_file, part, assembly, title)
    own = Layer(file, f"{place}.valuesInline".lstrip("."), inline)
    # `merge` lets the file win over what is inline, anything else the other way round.
    layers = [own, *layers] if dig(chart, "valuesMerge") == "merge" else [*layers, own]
    return ReleaseSource(
        title,
        name=str(dig(chart, "releaseName") or ""),
        namespace=str(dig(chart, "namespace") or ""),
        chart_version=str(dig(chart, "version") or ""),
        layers=layers,
    )


def _place(item: KubernetesObject, place: str) -> str:
    return f"{item.title}: {place}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
