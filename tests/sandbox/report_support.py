"""Reports of settings, made as the command makes them."""

from __future__ import annotations

import datetime
import pickle
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from typing import Any

from components.rendering.configuration import render
from components.validation import load
from policy.core.options import Options
from sandbox.inspection.resources import record_resources
from sandbox.report.page import Report, make
from tests.conftest import stack_document

NOW = datetime.datetime(2030, 1, 2, 3, 4, tzinfo=datetime.UTC)
BACKENDS = (
    "local",
    "local-vault",
    "example-aws-secret-manager",
    "example-aws-ssm-parameter-store",
    "example-azure-key-vault",
    "example-google-secret-manager",
)


def report_of(
    document: Mapping[str, Any], stack: str = "tried", options: Options | None = None
) -> Report:
    """The report of some settings, on the resources that the program registers."""
    settings = load(dict(document), source="test").settings
    configuration = render(settings)
    found = record_resources(settings, stack)
    return make(stack, "test.yaml", settings, configuration, found, options=options, now=NOW)


def report_of_stack(name: str, **more: Any) -> Report:
    """The report of a stack file, with some first-level keys changed; one report is made once in a process."""
    return _report_of_stack(name, pickle.dumps(more))


@cache
def _report_of_stack(name: str, more: bytes) -> Report:
    return report_of({**stack_document(name), **pickle.loads(more)}, name)


class Reader(HTMLParser):
    """Reads the structure of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[set[str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "table":
            self.tables.append(set())
        elif self.tables and tag in ("caption", "th"):
            self.tables[-1].add(f"{tag} {found.get('scope') or ''}".strip())

    def ids(self) -> list[str]:
        return [a["id"] or "" for _, a in self.tags if "id" in a]
