"""A key of another version is told by the version, whatever stands in it."""

from __future__ import annotations

from typing import Any

import pytest

from components.catalogue import CatalogueKey, catalogue, segments
from components.settings import SettingsError
from components.validation import load
from components.validation.catalogue_keys import read
from components.validation.schema import Unmodelled
from tests.settings.malformed_fixtures import enterprise, oss

CONTROLLERS = (
    [{"host": "a", "port": 1}],
    "controller:50051",
    {"host": "controller"},
    {"static": {"endpoints": "controller:50051"}},
    {"type": 5},
    {"dns": {"hostname": "controller"}},
)


@pytest.mark.parametrize("controllers", CONTROLLERS, ids=str)
@pytest.mark.parametrize("mode", ["standalone", "distributed"])
def test_controllers_on_1_3_are_told_by_their_version_and_not_by_their_shape(
    controllers: Any, mode: str
) -> None:
    document = oss(version="1.3", worker={"controllers": controllers}, deployment={"mode": mode})
    with pytest.raises(SettingsError) as error:
        load(document, source="f")
    [problem] = [p for p in error.value.problems if "worker" in p.path]
    assert problem.path == "kestra:worker.controllers"
    assert problem.message == "does not exist in Kestra 1.3"
    assert "came with 2.0" in problem.rule
    assert problem.fix.endswith("set kestra:version to 2.0")


def _elsewhere(version: str) -> list[CatalogueKey]:
    """Keys of other versions that no model has."""
    return [key for key in catalogue() if not key.owner and not key.is_in(version)]


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_every_key_of_another_version_names_it_even_where_its_value_has_the_wrong_form(
    version: str,
) -> None:
    keys = _elsewhere(version)
    assert len(keys) > 20
    for key in keys:
        value: Any = "text" if key.type in ("map", "number", "boolean", "duration") else {"a": "b"}
        parts = segments(key.key)
        for part in reversed(parts[2:] if parts[0] == "kestra" else parts[1:]):
            value = [value] if part == "[]" else {"one" if part == "*" else part: value}
        first = parts[1] if parts[0] == "kestra" else parts[0]
        problems = read([Unmodelled((first,), (first,), value)], version=version).problems
        # A map of the version takes everything below it.
        for problem in problems:
            assert problem.message == f"does not exist in Kestra {version}", (key.key, problem)
            assert (key.since or key.until) in problem.rule


@pytest.mark.parametrize(
    ("document", "version"),
    [
        (oss(version="1.3", deployment={"components": {"controller": {}}}), "2.0"),
        (
            enterprise(
                version="1.3", security={"basic-auth": {"password-min-length": 9}}, deployment={}
            ),
            "2.0",
        ),
        (enterprise(version="2.0", security={"basic-auth": {"password-regexp": "a"}}), "1.3"),
        (oss(version="2.0", flyway="text"), "1.3"),
        (enterprise(version="1.3", secret={"type": "delinea", "delinea": "x"}), "2.0"),
    ],
)
def test_a_setting_of_another_version_names_the_version_that_has_it(
    document: dict[str, Any], version: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load(document, source="f")
    assert any(f"with {version}" in p.rule or version in p.fix for p in error.value.problems)
