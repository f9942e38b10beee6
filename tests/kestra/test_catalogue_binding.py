"""A real Micronaut context of Kestra's class path binds every open-core key of the catalogue as meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.catalogue.artifacts import Artifacts, artifacts
from components.rendering.document import dump
from sandbox.kestra import RELEASES, Harness, ensure
from sandbox.progress import Progress
from sandbox.verify.boot import boot
from tests.kestra.binding_support import (
    DATABASE,
    NAME,
    Expected,
    expectations,
    members,
    rendered,
    table,
)
from tests.kestra.harness_support import with_class

pytestmark = [pytest.mark.kestra, pytest.mark.parametrize("version", list(RELEASES))]


def test_every_open_core_key_is_bound_as_meant(
    version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jars = artifacts(version)
    source = Path(__file__).with_name("CatalogueBinding.java")
    harness = with_class(ensure(version, Progress()), source, tmp_path)
    expected = list(expectations(version, _choices(jars, harness, tmp_path)))
    file = tmp_path / "application.yaml"
    document, variables = rendered(version, expected)
    file.write_text(dump(document))
    run = {
        "files": str(file),
        "keys": {one.path: one.row.type for one in expected},
        "members": list(members(jars, {one.path for one in expected})),
    }
    (answer,) = boot(harness, variables, tmp_path, {"runs": [run]}, main="CatalogueBinding")["runs"]
    problems = [problem for one in expected if (problem := _problem(one, answer))]
    in_beans = sum(bool(_of_bean(one, answer)) for one in expected)
    with capsys.disabled():
        print(
            f"\nbound as meant: {len(expected) - len(problems)} of {len(expected)} keys ({version}), "
            f"{in_beans} of them in a bean"
        )
    assert not problems, "\n".join(problems)
    apart = {row["class"] for row in table("binding-beans-apart.tsv")}
    assert answer["failed"].keys() <= apart, "\n".join(map(str, answer["failed"].items()))


def _choices(jars: Artifacts, harness: Harness, folder: Path) -> Mapping[str, list[str]]:
    """Key to the constants of its enumeration, asked of the classes."""
    rows = [row for _, row in jars.metadata()]
    run = {"types": sorted({row["type"] for row in rows})}
    (constants,) = boot(harness, {}, folder, {"runs": [run]}, main="CatalogueBinding")["runs"]
    return {
        row["name"].replace("[*]", "[]"): constants[row["type"]]
        for row in rows
        if row["type"] in constants
    }


def _problem(one: Expected, answer: dict[str, Any]) -> str | None:
    value = answer["environment"].get(one.path)
    if not _is_same(one.in_environment, value):
        return f"{one.path}: {one.in_environment!r} was meant, the environment has {value!r}"
    for value in _of_bean(one, answer):
        if not _is_same(one.in_bean, value):
            return f"{one.path}: {one.in_bean!r} was meant, its bean has {value!r}"
    return None


def _of_bean(one: Expected, answer: dict[str, Any]) -> list[Any]:
    beans = answer["beans"].get(one.path, {})
    return [value for name, value in beans.items() if name in ("", NAME, DATABASE, "0")]


def _is_same(meant: Any, value: Any) -> bool:
    # A map has what keys of its own beside it give too.
    if isinstance(meant, dict) and isinstance(value, dict):
        return meant.items() <= value.items()
    return meant == value
