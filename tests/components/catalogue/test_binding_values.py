"""The tables behind the keys that a real Kestra binds: every row is about a key, and says why it is there."""

from __future__ import annotations

import json

import pytest

from components.catalogue import catalogue
from components.settings import SettingsError
from components.validation import load
from tests.components.catalogue.coverage_support import base
from tests.kestra.binding_support import APART, expectations, is_refused, put, table

#: `tasks` is no setting of its own: `kestra:tasks` is the block below `kestra`, which has the same keys.
REFUSED = [row["key"] for row in table("binding-refused.tsv") if row["key"] != "tasks."]


def test_every_value_is_one_of_a_key_of_the_catalogue() -> None:
    for row in table("binding-values.tsv"):
        assert row["key"] in catalogue().keys
        assert row["reason"]
        assert row["value"] == APART or json.loads(row["value"]) is not None


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_laid_over_a_stack_is_refused_as_a_setting(name: str) -> None:
    keys = [one for version in ("1.3", "2.0") for one in expectations(version, {})]
    (one, *_) = [
        one for one in keys if is_refused(one.row.key) and one.row.key.startswith(name.rstrip("."))
    ]
    stack = base("oss", one.row.until or "2.0")
    put(stack, one)
    with pytest.raises(SettingsError) as refusal:
        load(stack, source="stack")
    assert len(refusal.value.problems) == 1
