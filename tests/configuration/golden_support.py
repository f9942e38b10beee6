"""The golden files of rendered configurations; `python -m docsgen --tests` writes them."""

from __future__ import annotations

from pathlib import Path

from components.rendering.configuration import ProvidedValue, render
from components.validation import load

from .documents_fixtures import EDITIONS, VERSIONS, document

FOLDER = Path(__file__).parent / "goldens"
REWRITE = "python -m docsgen --tests"
CASES = [(like, v, e) for like in ("staging", "production") for v in VERSIONS for e in EDITIONS]


def path(like: str, version: str, edition: str) -> Path:
    """The golden file of a case."""
    return FOLDER / f"{like}-{version}-{edition}.yaml"


def text(like: str, version: str, edition: str) -> str:
    """What is rendered now: the file, and as comments where each variable comes from."""
    settings = load(document(like, version, edition), source="test").settings
    configuration = render(settings)
    origins = [
        f"# {name}: {'given' if isinstance(source, ProvidedValue) else 'needed, ' + source.key}\n"
        for name, source in configuration.environment.items()
    ]
    return configuration.yaml() + "".join(origins)


def files() -> dict[Path, str]:
    """For `docsgen`."""
    return {path(*case): text(*case) for case in CASES}
