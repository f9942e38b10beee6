"""Declared secrets of open-source Kestra, which have no namespace."""

from __future__ import annotations

import pytest

from components.rendering.configuration import render
from components.safeguards.irreversible_changes import find_losses, snapshot
from components.settings import SettingsError
from components.validation import load
from tests.settings.malformed_fixtures import enterprise, oss

WITHOUT = {"TOKEN": {"generate": {}}}
WITH = {"TOKEN": {"namespace": "company", "generate": {}}}


def test_open_source_takes_a_declared_secret_without_a_namespace() -> None:
    settings = load(oss(declared_secrets=WITHOUT), source="test").settings
    assert settings.declared_secrets["TOKEN"].namespace == ""
    assert (
        render(settings).environment
        == render(load(oss(declared_secrets=WITH), source="test").settings).environment
    )


def test_the_enterprise_edition_asks_for_the_namespace() -> None:
    with pytest.raises(SettingsError) as raised:
        load(enterprise(declared_secrets=WITHOUT), source="test")
    assert [p.path for p in raised.value.problems] == ["kestra:declared-secrets.TOKEN.namespace"]


def test_leaving_the_namespace_out_loses_nothing() -> None:
    before = snapshot(load(oss(declared_secrets=WITH), source="test").settings)
    after = snapshot(load(oss(declared_secrets=WITHOUT), source="test").settings)
    for one, other in ((before, after), (after, before)):
        assert find_losses(one | {"key": None}, other | {"key": None}) == []
