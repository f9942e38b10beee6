"""Documents that nobody would write: a report or valid settings, never anything else."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.configuration import render
from components.settings import Loaded, Settings, SettingsError, load, report
from components.settings.base import Model
from components.settings.structure import models_in

PLANTED = "plantedZqValue9"


def _keys(model: type[Model], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, field in model.model_fields.items():
        at = (*path, field.alias or name)
        found.append(at)
        one, many = models_in(field.annotation)
        if one:
            found += _keys(one, at)
        if many:
            found += _keys(many, (*at, "NAME"))
    return found


KEYS = _keys(Settings)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(
        ["5s", "1m", "PT5S", "vault", "jdbc", "h2", "oss", "enterprise", "2.0", "true", "a@b.c", "${X}",
         "${X:y}", "Abcdef12", "x" * 5000, "\ud800", "null", "/a/", "https://v:1", "jdbc:h2:x", PLANTED]
    ),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path in draw(st.lists(st.sampled_from(KEYS), max_size=8)):
        block = document
        for part in path[:-1]:
            if not isinstance(block.get(part), dict):
                block[part] = {}
            block = block[part]
        block[path[-1]] = draw(VALUES)
    return document


@settings(
    max_examples=600,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(documents())
def test_any_document_gives_a_report_or_settings_that_render(document: dict[str, Any]) -> None:
    loaded = _loaded(document)
    if isinstance(loaded, SettingsError):
        assert loaded.problems
        assert all(p.rule and p.fix for p in loaded.problems)
        return
    assert render(loaded.settings).yaml() == render(loaded.settings).yaml()


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.sampled_from(KEYS), st.sampled_from([PLANTED, {"x": PLANTED}, [PLANTED], PLANTED * 50]))
def test_a_value_never_stands_in_a_report(path: tuple[str, ...], value: Any) -> None:
    document: dict[str, Any] = {}
    block = document
    for part in path[:-1]:
        block = block.setdefault(part, {})
    block[path[-1]] = value
    loaded = _loaded(document)
    told = loaded.report() if isinstance(loaded, SettingsError) else report(loaded.warnings)
    assert PLANTED not in told


def _loaded(document: dict[str, Any]) -> Loaded | SettingsError:
    try:
        return load(document, source="f.yaml")
    except SettingsError as error:
        return error
