"""Variables that another program puts into inputs before Helm or Kubernetes sees them: Flux's, Terraform's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.importing.chart_values import Layer, typed
from components.importing.kubernetes_objects import KubernetesObject, Objects, dig, scalar_text
from components.importing.readers import Part

_GROUP = "kustomize.toolkit.fluxcd.io"
#: `${NAME}`, `${NAME:=default}`, `${NAME:-default}`, and `$${…}`, which stays `${…}`.
_VARIABLE = re.compile(r"\$(?:\$(?=\{)|\{([A-Za-z_][A-Za-z0-9_]*)(?::?[=-]([^{}]*))?\})")
#: An expression of Terraform's, in which the first reference is what a person knows it by.
_TERRAFORM = re.compile(r"\$(?:\$(?=\{)|\{([^{}]*)\})")
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*(?!\w*\()")
_TEMPLATES = (".tpl", ".tftpl", ".tmpl")

MARK = "\N{REPLACEMENT CHARACTER}"
"""Stands around the name of a variable that no input gives."""
UNRESOLVED = re.compile(f"{MARK}([A-Za-z_][\\w.-]*){MARK}")


@dataclass(frozen=True)
class Substitution:
    """The variables, with their values where an input holds them."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def text(self, text: str) -> str:
        """A text with its variables put in; one that no input gives stands between two marks."""

        def value(match: re.Match[str]) -> str:
            name, default = match.groups()
            if name is None:
                return "$"
            if name in self.values:
                return self.values[name]
            return default if default is not None else f"{MARK}{name}{MARK}"

        return _VARIABLE.sub(value, text)

    def tree(self, node: Any) -> Any:
        """A tree with its variables put in. What was a variable alone has the type that its text has in YAML."""
        if isinstance(node, Mapping):
            return {key: self.tree(item) for key, item in node.items()}
        if isinstance(node, list):
            return [self.tree(item) for item in node]
        if not isinstance(node, str) or "$" not in node:
            return node
        text = self.text(node)
        match = _VARIABLE.fullmatch(node)
        return typed(text) if match is not None and text in ("true", "false") else text


def substitution(item: KubernetesObject, objects: Objects) -> Substitution | None:
    """The substitution that holds for an object; None where Flux puts nothing in.

    An input does not say which Kustomization applies an object. With one of them that has `postBuild`, or with a
    `$${` in the object, which only a substitution explains, its `${…}` are Flux's.
    """
    for part in ("annotations", "labels"):
        if item.mapping("metadata", part).get(f"{_GROUP}/substitute") == "disabled":
            return None
    values: dict[str, str] = {}
    active = _has_escape(item.document)
    for kustomization in objects.of("Kustomization"):
        build = kustomization.get("spec", "postBuild")
        if not str(kustomization.get("apiVersion")).startswith(_GROUP) or not build:
            continue
        active = True
        for reference in dig(build, "substituteFrom") or ():
            kind, name = dig(reference, "kind"), dig(reference, "name")
            if kind in ("ConfigMap", "Secret"):
                for key, entry in (objects.entries(kind, str(name)) or {}).items():
                    if entry.text is not None:
                        values[key] = entry.text
        for name, value in (dig(build, "substitute") or {}).items():
            values[str(name)] = scalar_text(value) or ""
    return Substitution(values) if active else None


def is_template(part: Part) -> bool:
    """Whether a file of values is a template, by its name or by an escape (`$${…}`) that only a template needs."""
    return part.name.endswith(_TEMPLATES) or _has_escape(part.document)


def without_expressions(node: Any) -> Any:
    """A template's tree in which every `${…}` of the template's stands between marks, and `$${X}` is `${X}`."""
    if isinstance(node, Mapping):
        return {key: without_expressions(item) for key, item in node.items()}
    if isinstance(node, list):
        return [without_expressions(item) for item in node]
    if not isinstance(node, str):
        return node

    def value(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return "$"
        reference = _REFERENCE.search(match.group(1))
        return f"{MARK}{reference.group(0) if reference else 'expression'}{MARK}"

    return _TERRAFORM.sub(value, node)


def substituted(layer: Layer, by: Substitution) -> Layer:
    """A layer with Flux's variables put in."""
    singles = tuple((path, by.tree(value)) for path, value in layer.singles)
    return Layer(layer.file, layer.place, by.tree(layer.values), singles)


def _has_escape(node: Any) -> bool:
    if isinstance(node, Mapping):
        return any(_has_escape(item) for item in node.values())
    if isinstance(node, list):
        return any(_has_escape(item) for item in node)
    return isinstance(node, str) and "$${" in node
