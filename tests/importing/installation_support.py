"""Installations as readers hand them on, written as YAML, and what the import makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.importing.arguments import Arguments
from components.importing.command import import_installation
from components.importing.installation import Installation, Origin, Sourced, Variable
from components.importing.report import Report
from components.settings import SettingsError
from components.validation import load_file

ORIGIN = Origin("application.yaml", "")
BASE = """
datasources:
  postgres: {url: "jdbc:postgresql://db.example.com:5432/kestra", username: kestra}
kestra:
  queue: {type: postgres}
  repository: {type: postgres}
  server: {basic-auth: {username: ops@example.com}}
"""


def installation(
    text: str = "", environment: dict[str, str | None] | None = None, **fields: Any
) -> Installation:
    """An installation with the keys of `BASE` and these."""
    configuration = _merged(yaml.safe_load(BASE), yaml.safe_load(text) or {})
    variables = {n: Variable(ORIGIN, value) for n, value in (environment or {}).items()}
    return Installation(
        configuration=_sourced(configuration),
        environment=variables,
        sources=[("application.yaml", "application.yaml of Kestra")],
        **fields,
    )


def _merged(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        return {
            k: _merged(first.get(k), second[k]) if k in second else first[k] for k in first | second
        }
    return second


def _sourced(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _sourced(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_sourced(item) for item in node]
    return Sourced(node, ORIGIN)


@dataclass
class Imported:
    """A written stack file and its report."""

    report: Report
    file: Path

    @property
    def text(self) -> str:
        return self.file.read_text()

    @property
    def config(self) -> dict[str, Any]:
        """First-level setting, without `kestra:`, to what stands in the file."""
        config = yaml.safe_load(self.text)["config"]
        return {key.removeprefix("kestra:"): value for key, value in config.items()}

    @property
    def lines(self) -> list[str]:
        return self.report.text().splitlines()

    def line(self, *words: str) -> str:
        """The one line of the report that holds all these words."""
        lines = [line for line in self.lines if all(word in line for word in words)]
        assert lines, (words, self.report.text())
        return lines[0]

    def commands(self) -> list[str]:
        return [item.command for item in self.report.conversion.to_set]

    def unexpected_problems(self) -> list[str]:
        """What `check` says of the file beside what is to be set."""
        try:
            load_file(self.file)
        except SettingsError as error:
            covered = {
                path
                for item in self.report.conversion.to_set
                for path in (item.setting, *item.covers)
            }
            errors = [p for p in error.problems if p.severity == "error"]
            return [p.line() for p in errors if p.path not in covered]
        return []

    def shown(self) -> str:
        """Everything that the import shows or writes."""
        return "\n".join([self.text, self.report.text(), self.report.json()])


def imported(tmp_path: Path, source: Installation, **arguments: Any) -> Imported:
    """Imports an installation into a file of the folder."""
    file = tmp_path / "Pulumi.test.yaml"
    values: dict[str, Any] = {"output": str(file), "force": True} | arguments
    report = import_installation(source, Arguments(("application.yaml",), **values))
    return Imported(report, file)
