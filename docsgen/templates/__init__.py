"""Jinja templates of the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701 - Markdown of this project's own texts
)


def render(name: str, **values: Any) -> str:
    """A page, from the template of some name."""
    return _ENVIRONMENT.get_template(name).render(values)
