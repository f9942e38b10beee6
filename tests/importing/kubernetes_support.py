"""Inputs of Kubernetes given as texts, and what the readers make of them in plain values."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from components.importing.assembly import Assembly
from components.importing.documents import load_documents
from components.importing.installation import Installation, Note, Sourced
from components.importing.kubernetes_reader import KubernetesReader
from components.importing.readers import Part

DATABASE = "datasources: {postgres: {url: 'jdbc:postgresql://db.example:5432/kestra'}}"


@dataclass
class Imported:
    """An installation, with leaves as plain values."""

    installation: Installation

    @property
    def settings(self) -> Any:
        return plain(self.installation.settings)

    @property
    def deployment(self) -> Any:
        return self.settings.get("deployment", {})

    @property
    def configuration(self) -> Any:
        return plain(self.installation.configuration)

    @property
    def kestra(self) -> Any:
        return self.configuration.get("kestra", {})

    @property
    def variables(self) -> dict[str, Any]:
        return {n: v.value or v.value_from for n, v in self.installation.environment.items()}

    def component(self, name: str) -> Any:
        return self.deployment.get("components", {}).get(name, {})

    def note(self, *words: str) -> Note:
        """The one line of the report that holds all words."""
        notes = [n for n in self.installation.notes if all(w in text(n) for w in words)]
        assert notes, "\n".join(text(n) for n in self.installation.notes)
        return notes[0]

    def has_note(self, *words: str) -> bool:
        return any(all(w in text(n) for w in words) for n in self.installation.notes)

    @property
    def report(self) -> str:
        return "\n".join(text(n) for n in self.installation.notes)


def text(note: Note) -> str:
    return f"{note.kind} {note.what} {note.why} {note.fix} {note.origin}"


def plain(node: Any) -> Any:
    if isinstance(node, Sourced):
        return node.value
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    return [plain(item) for item in node] if isinstance(node, list) else node


def parts_of(*inputs: str | tuple[str, str]) -> list[Part]:
    """Each input as its documents: a text, or a file's name and its text."""
    parts = []
    for number, item in enumerate(inputs):
        file, content = item if isinstance(item, tuple) else (f"values-{number}.yaml", item)
        content = textwrap.dedent(content)
        documents = [d for d in load_documents(content).documents if d is not None]
        parts += [Part(file, content, d, index) for index, d in enumerate(documents)]
    return parts


def imported(*inputs: str | tuple[str, str]) -> Imported:
    """What the reader makes of inputs; every one of them must be of its kind."""
    reader, parts = KubernetesReader(), parts_of(*inputs)
    assembly = Assembly(parts)
    assert all(reader.recognizes(part) for part in parts), [reader.kind(p) for p in parts]
    reader.read(parts, assembly)
    return Imported(assembly.finish())


def current(options: str = "", *, application: str = DATABASE) -> str:
    """Values of the chart 1.x with a database and further keys."""
    return f"configurations:\n  application: {{{application}}}\n{options}"


def legacy(options: str = "", *, bundled: str = "") -> str:
    """Values of the chart 0.x without the databases that it brings along, unless they are named."""
    names = ["postgresql", "minio"]
    off = "".join(f"{name}: {{enabled: false}}\n" for name in names if name not in bundled)
    return f"configuration:\n  {{{DATABASE}}}\n{off}{options}"
