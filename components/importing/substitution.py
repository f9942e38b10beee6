"""Variables that another program puts into inputs before Helm or Kubernetes sees them: Flux's, Terraform's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .assembly import Assembly
from .chart_values import Layer, typed
from .kubernetes_objects import KubernetesObject, Objects, dig, scalar_text
from .readers import Part

_GROUP = "kustomize.toolkit.fluxcd.io"
#: `${NAME}`, `${NAME:=default}`, `${NAME:-default}`, and `$${…}`, which stays `${…}`.
_FLUX = re.compile(r"\$(?:\$(?=\{)|\{([A-Za-z_][A-Za-z0-9_]*)(?::?[=-]([^{}]*))?\})")
#: Any expression of Terraform's; a person knows it by the reference in it.
_TERRAFORM = re.compile(r"\$(?:\$(?=\{)|\{([^{}]*)(?:(?!)())?\})")
TEMPLATE = re.compile(r"\{\{-?([^{}]*)(?:(?!)())?-?\}\}")
"""An expression of Argo CD's, helmfile's or Go's templates."""
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*(?![\w-]*\()")
_TEMPLATES = (".tpl", ".tftpl", ".tmpl")


@dataclass
class Substitution:
    """What a program puts into its inputs. A variable that no input gives stays as `${NAME}` and is collected."""

    program: str
    variable: re.Pattern[str]
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    unprovided: dict[str, None] = field(default_factory=dict)

    def layer(self, layer: Layer) -> Layer:
        """A layer of values with its variables put in."""
        singles = tuple((path, self.tree(value)) for path, value in layer.singles)
        return Layer(layer.file, layer.place, self.tree(layer.values), singles)

    def tree(self, node: Any) -> Any:
        """A tree with its variables put in. What was one variable alone has the type that its text has in YAML."""
        if isinstance(node, Mapping):
            return {key: self.tree(item) for key, item in node.items()}
        if isinstance(node, list):
            return [self.tree(item) for item in node]
        if not isinstance(node, str) or "$" not in node:
            return node
        text = self.text(node)
        return typed(text) if self.variable.fullmatch(node) and text in ("true", "false") else text

    def text(self, text: str) -> str:
        """A text with its variables put in."""
        return self.variable.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        expression, default = match.groups()
        if expression is None:
            return "$"
        if expression in self.values:
            return self.values[expression]
        if default is not None:
            return default
        reference = _REFERENCE.search(expression)
        name = reference.group(0) if reference else "expression"
        self.unprovided[name] = None
        return f"${{{name}}}"

    def note(self, title: str, assembly: Assembly) -> None:
        """Notes the variables that no input gives, and lets what holds them be named as to be set."""
        if not self.unprovided:
            return
        assembly.unprovided |= set(self.unprovided)
        names = ", ".join(f"${{{name}}}" for name in self.unprovided)
        assembly.note(
            "changed",
            names,
            f"variables that {self.program} puts into {title}, and no input gives: what holds them is to be set",
            "give the rendered input, or set each value by hand",
        )


def substitute_flux(objects: Objects, assembly: Assembly) -> None:
    """Puts Flux's variables into the objects that they hold for, and notes those that no input gives.

    An input does not say which Kustomization applies an object. With one of them that has `postBuild`, or with a
    `$${` in the object, which only a substitution explains, its `${…}` are Flux's.
    """
    values = _flux_values(objects)
    for item in list(objects.all):
        is_kustomization = str(item.get("apiVersion")).startswith(_GROUP)
        is_active = values is not None or _has_escape(item.document)
        if is_kustomization or not is_active or _is_disabled(item):
            continue
        substitution = Substitution("Flux", _FLUX, values or {})
        document = substitution.tree(item.document)
        if document != item.document:
            objects.replace(item, document)
        substitution.note(item.title, assembly)


def _is_disabled(item: KubernetesObject) -> bool:
    return any(
        item.mapping("metadata", part).get(f"{_GROUP}/substitute") == "disabled"
        for part in ("annotations", "labels")
    )


def _flux_values(objects: Objects) -> dict[str, str] | None:
    """Values of the variables that the Kustomizations of the inputs name; None where none has `postBuild`."""
    values: dict[str, str] | None = None
    for kustomization in objects.of("Kustomization"):
        build = kustomization.get("spec", "postBuild")
        if not str(kustomization.get("apiVersion")).startswith(_GROUP) or not build:
            continue
        values = values or {}
        references = dig(build, "substituteFrom")
        for reference in references if isinstance(references, list) else ():
            kind, name = dig(reference, "kind"), dig(reference, "name")
            if kind in ("ConfigMap", "Secret"):
                for key, entry in (objects.entries(kind, str(name)) or {}).items():
                    if entry.text is not None:
                        values[key] = entry.text
        own = dig(build, "substitute")
        for name, value in own.items() if isinstance(own, Mapping) else ():
            values[str(name)] = scalar_text(value) or ""
    return values


def template_substitution(part: Part) -> Substitution | None:
    """The substitution of a file that is a template by its name, or by an escape that only a template needs."""
    if part.name.endswith(_TEMPLATES) or _has_escape(part.document):
        return Substitution("Terraform (or another program)", _TERRAFORM)
    return None


def _has_escape(node: Any) -> bool:
    if isinstance(node, Mapping):
        return any(_has_escape(item) for item in node.values())
    if isinstance(node, list):
        return any(_has_escape(item) for item in node)
    return isinstance(node, str) and "$${" in node
