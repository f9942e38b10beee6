"""Kubernetes objects of the inputs: what ConfigMaps and Secrets hold, and which objects there are."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .installation import Origin

Source = Literal["ConfigMap", "Secret"]


_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_OBJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}")


@dataclass(frozen=True)
class Entry:
    """One key of a ConfigMap or Secret, as a process or a mounted file has it."""

    text: str | None = field(repr=False)
    """None where the value is no text, or no base64."""
    origin: Origin
    owner: str = ""
    """The object that has it."""
    key: str = ""


@dataclass(frozen=True)
class KubernetesObject:
    """An object of the inputs."""

    document: Mapping[str, Any] = field(repr=False)
    file: str
    place: str = ""
    """Where it lies in the file, where it is part of another object."""
    is_of_release: bool = False
    """Whether a Helm release makes it, and takes it away when it is uninstalled."""
    label: str = ""
    """How the report calls it, where it is not its kind and name: `deployments.worker.autoscaler`."""

    @property
    def kind(self) -> str:
        """Its kind: `Deployment`; empty where it has none that Kubernetes takes."""
        kind = str(self.document.get("kind", ""))
        return kind if _KIND.fullmatch(kind) else ""

    @property
    def name(self) -> str:
        """Its name; `?` where it has none that Kubernetes takes."""
        name = str(metadata(self.document).get("name"))
        return name if _OBJECT_NAME.fullmatch(name) and name != "None" else "?"

    @property
    def namespace(self) -> str | None:
        """Its namespace, where the object says it."""
        value = metadata(self.document).get("namespace")
        return value if isinstance(value, str) and value else None

    @property
    def title(self) -> str:
        """What the report calls it: `Deployment kestra`."""
        return self.label or f"{self.kind} {self.name}"

    def origin(self, place: str = "") -> Origin:
        """An origin in the object: `Deployment kestra: spec.replicas`."""
        return Origin(self.file, f"{self.title}: {place}" if place else self.title)

    def get(self, *path: str) -> Any:
        """The value at a path of mappings; None where there is none."""
        return dig(self.document, *path)

    def mapping(self, *path: str) -> Mapping[str, Any]:
        """The mapping at a path; empty where there is none."""
        value = self.get(*path)
        return value if isinstance(value, Mapping) else {}

    def sequence(self, *path: str) -> list[Any]:
        """The list at a path; empty where there is none."""
        value = self.get(*path)
        return value if isinstance(value, list) else []


class Objects:
    """The objects of all inputs, with what ConfigMaps and Secrets hold."""

    def __init__(self) -> None:
        self.all: list[KubernetesObject] = []
        self._entries: dict[tuple[Source, str], dict[str, Entry]] = {}
        self.images: list[Mapping[str, Any]] = []
        """Images that a kustomization replaces: `name`, `newName`, `newTag`, `digest`."""

    def add(
        self, document: Any, file: str, place: str = "", *, is_of_release: bool = False
    ) -> None:
        """Adds an object, or the objects of a `List`. What is no object is left out."""
        if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
            return
        if document["kind"].endswith("List") and isinstance(document.get("items"), list):
            for index, item in enumerate(document["items"]):
                self.add(item, file, f"{place}items[{index}]", is_of_release=is_of_release)
            return
        item = KubernetesObject(document, file, place, is_of_release)
        self.all.append(item)
        if item.kind in ("ConfigMap", "Secret"):
            source: Source = "Secret" if item.kind == "Secret" else "ConfigMap"
            self.add_entries(source, item.name, dict(_entries(item)))

    def add_entries(self, source: Source, name: str, entries: Mapping[str, Entry]) -> None:
        """Adds keys of a ConfigMap or Secret; later ones win."""
        self._entries.setdefault((source, name), {}).update(entries)

    def replace(self, item: KubernetesObject, document: Mapping[str, Any]) -> None:
        """Puts another document in an object's place."""
        new = replace(item, document=document)
        self.all[self.all.index(item)] = new
        if new.kind in ("ConfigMap", "Secret"):
            source: Source = "Secret" if new.kind == "Secret" else "ConfigMap"
            self.add_entries(source, new.name, dict(_entries(new)))

    def of(self, *kinds: str) -> list[KubernetesObject]:
        """The objects of some kinds, in the order of the inputs."""
        return [item for item in self.all if item.kind in kinds]

    def entries(self, source: Source, name: str) -> Mapping[str, Entry] | None:
        """The keys of a ConfigMap or Secret; None where no input holds it."""
        return self._entries.get((source, name))

    def entry(self, source: Source, name: str, key: str) -> Entry | None:
        """One key of a ConfigMap or Secret; None where no input holds it."""
        return self._entries.get((source, name), {}).get(key)


def metadata(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object's metadata; empty where there is none."""
    value = document.get("metadata")
    return value if isinstance(value, Mapping) else {}


def dig(tree: Any, *path: str) -> Any:
    """The value at a path of mappings; None where there is none."""
    for step in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(step)
    return tree


REFERENCES: tuple[tuple[str, Source], ...] = (
    ("configMapRef", "ConfigMap"),
    ("secretRef", "Secret"),
)
"""Fields of `envFrom` and the kind that each names."""
FILES: tuple[tuple[str, Source], ...] = (("configMap", "ConfigMap"), ("secret", "Secret"))
"""Fields of a volume and the kind that each names."""


def listed(tree: Any, *path: str) -> list[Any]:
    """The list at a path of mappings; empty where there is none."""
    return as_list(dig(tree, *path))


def number(value: Any) -> int | None:
    """A whole number, also one that was written as a text; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_list(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_mapping(value: Any) -> dict[str, Any]:
    """A copy of the value where it is a mapping, else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def _entries(item: KubernetesObject) -> Iterator[tuple[str, Entry]]:
    is_secret = item.kind == "Secret"
    for block in ("data", "stringData") if is_secret else ("data",):
        for key, value in item.mapping(block).items():
            text = scalar_text(value)
            if text is not None and text.startswith("ENC["):
                # SOPS encrypts values in place.
                text = None
            elif is_secret and block == "data" and text is not None:
                text = _decoded(text)
            yield str(key), Entry(text, item.origin(f"{block}.{key}"), item.name, str(key))


def scalar_text(value: Any) -> str | None:
    """A scalar as Kubernetes and the environment have it: `true`, `8080`; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    return None


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
