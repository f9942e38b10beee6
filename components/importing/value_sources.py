"""Where values of the chart stand: in a file, in a text inside an object, below a key of an umbrella chart's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import charts
from .assembly import Assembly
from .chart_values import Layer, merge, set_single
from .documents import Unreadable, load_documents
from .readers import Part
from .substitution import TEMPLATE, Substitution


def names_chart(*texts: Any) -> bool:
    """Whether a chart's name or the address of its repository is that of Kestra's chart."""
    for text in texts:
        last = str(text or "").rstrip("/").rpartition("/")[2]
        if last in ("kestra", "kestra-starter") or "helm.kestra.io" in str(text):
            return True
    return False


def file_layers(name: str, part: Part, assembly: Assembly, title: str) -> list[Layer]:
    """The layer of a file of values that an object names; empty, with a note, where no input is it."""
    companion = assembly.companion(name, part)
    if companion is not None:
        layer = text_layer(companion.text, companion.file, "", assembly)
        return [layer] if layer is not None else []
    assembly.note(
        "not carried",
        name,
        f"{title} takes values from this file, and no input is it: what it sets is missing here",
        "give it as a further input",
        part.origin(),
    )
    return []


def text_layer(text: str, file: str, place: str, assembly: Assembly) -> Layer | None:
    """Values that stand as a text inside an object; None, with a note, where the text is no YAML."""
    try:
        documents = load_documents(text).documents
    except Unreadable as error:
        substitution = Substitution("a template", TEMPLATE)
        rest = substitution.text(text)
        try:
            documents = load_documents(rest).documents
        except Unreadable:
            why = f"these values cannot be read: the text {error}"
            fix = "give the rendered values as a further input"
            assembly.note("not carried", place or file, why, fix)
            return None
        substitution.note(place or file, assembly)
    values: dict[str, Any] = {}
    for document in documents:
        if isinstance(document, Mapping):
            values = merge(values, document)
    return Layer(file, place, values)


def find_values(document: Any, depth: int = 0) -> tuple[tuple[str, ...], Mapping[str, Any]] | None:
    """Values of the chart in a document: its own, or those below a key of an umbrella chart's."""
    if not isinstance(document, Mapping):
        return None
    if charts.looks_like_values(document):
        return (), document
    if depth < 3:
        # A dependency is named like the chart, or by an alias.
        for key in sorted(document, key=lambda name: "kestra" not in str(name)):
            inner = find_values(document[key], depth + 1)
            if inner is not None:
                return (str(key), *inner[0]), inner[1]
    return None


def below(layers: Sequence[Layer], prefix: Sequence[str]) -> list[Layer]:
    """Layers of an umbrella chart's values as layers of the chart below a key."""
    result = []
    dotted = ".".join(prefix)
    for layer in layers:
        values: Any = layer.values
        for key in prefix:
            values = values.get(key) if isinstance(values, Mapping) else None
        singles = tuple(
            (path[len(dotted) + 1 :], value)
            for path, value in layer.singles
            if path.startswith(f"{dotted}.")
        )
        values = values if isinstance(values, Mapping) else {}
        if values or singles:
            place = ".".join((layer.place, dotted)).strip(".")
            result.append(Layer(layer.file, place, values, singles))
    return result


def merged(layers: Sequence[Layer]) -> dict[str, Any]:
    """All layers in one tree."""
    tree: dict[str, Any] = {}
    for layer in layers:
        tree = merge(tree, layer.values)
        for path, value in layer.singles:
            set_single(tree, path, value)
    return tree
