"""Many documents bound by one real Kestra: each is started with, and what it bound is compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from components.rendering.configuration import GeneratedValueRef, render
from components.validation import load
from sandbox import kestra
from sandbox.progress import Progress
from sandbox.verify import Report, overlay
from sandbox.verify.boot import boot
from sandbox.verify.compare import compare, flatten, kind
from tests.faults.hostile_documents_support import Document, written
from tests.kestra.harness_support import with_class

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def chosen(documents: Iterable[Document], count: int) -> list[Document]:
    """The documents that together hold the most different keys and values, always the same ones."""
    left = {repr(d): d for d in documents}
    marks = {r: _marks(d) for r, d in left.items()}
    known: set[str] = set()
    found: list[Document] = []
    while left and len(found) < count:
        best = max(sorted(left), key=lambda r: (len(marks[r] - known), -len(r)))
        known |= marks[best]
        found.append(left.pop(best))
    return found


def _marks(document: Document) -> set[str]:
    places = set(written(document))
    return places | {
        repr(v) for _, v in flatten(document) if isinstance(v, str) and not v.isalnum()
    }


def bind(documents: Sequence[Document], folder: Path, progress: Progress) -> list[Report]:
    """What a real Kestra 1.3 bound of each document.

    Args:
        documents: valid settings of Kestra 1.3.
        folder: for the configuration files; holds no secret when the settings hold none.
        progress: says that Kestra is built, where it is.
    """
    source = Path(__file__).with_name("Bindings.java")
    harness = with_class(kestra.ensure("1.3", progress), source, folder)
    prepared = [_prepared(d, folder / str(i)) for i, d in enumerate(documents)]
    runs = [
        {"files": files, "environment": environment, "leaves": {p: kind(p, v) for p, v in leaves.items()}}
        for files, environment, leaves, _ in prepared
    ]  # fmt: skip
    options = ("-Dfile.encoding=UTF-8", "--add-opens=java.base/java.util=ALL-UNNAMED")
    answer = boot(
        harness, {}, folder, {"runs": runs}, main="Bindings", options=options, seconds=500
    )
    return [
        _report(run, leaves, document, harness.release)
        for run, (_, _, leaves, document) in zip(answer["runs"], prepared, strict=True)
    ]


def _prepared(document: Document, folder: Path) -> tuple[str, dict[str, str], dict[str, Any], Any]:
    settings = load(document, source="f.yaml").settings
    configuration = render(settings)
    needed = {s.key for s in configuration.environment.values() if isinstance(s, GeneratedValueRef)}
    provided = {
        key: KEY if key == "encryption.secret-key" else f"Provided-1 {key}" for key in needed
    }
    environment = {
        name: provided[s.key] if isinstance(s, GeneratedValueRef) else s.value.get_secret_value()
        for name, s in configuration.environment.items()
    }
    intended = configuration.intended(provided)
    folder.mkdir(parents=True)
    files = overlay.files(configuration.yaml(), settings.version, folder / "as-deployed")
    return files, environment, dict(flatten(intended)), configuration.document


def _report(run: Any, leaves: dict[str, Any], document: Any, release: str) -> Report:
    report = Report(release)
    if "error" in run:
        report.mismatches.append({"path": "start", "meant": "Kestra starts", "bound": run["error"]})
    compare(leaves, run.get("bound", {}), report, dict(flatten(document)))
    return report
