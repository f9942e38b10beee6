"""The conformance table is whole, and the docs show it as it is."""

from __future__ import annotations

from copy import deepcopy

import pytest

from components.backends.registry import BACKENDS
from components.settings import SettingsError
from components.validation import load
from tests.conftest import ROOT
from tests.stores.conformance_life_support import DECLARED
from tests.stores.conformance_rows_support import CASES, FOREIGN_VALUE, NAMED, ROWS, Row
from tests.stores.conformance_support import COMMAND, TARGET, page

REFUSING = [row for row in ROWS if row.refusal]


def test_every_secret_manager_that_settings_may_name_has_a_row() -> None:
    without = set(BACKENDS) - {row.name for row in ROWS}
    assert not without, "add a row of each to tests/stores/conformance_rows_support.py"


def test_a_row_is_there_once_and_its_reasons_belong_to_cases() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    for row in ROWS:
        assert set(row.not_here) <= set(CASES)
        assert row.is_outside == bool(row.stays)
        assert row.has_declared != bool(row.refusal)


@pytest.mark.parametrize("row", REFUSING, ids=lambda row: row.name)
def test_where_the_stack_writes_no_secrets_declared_ones_are_refused_with_the_reason(
    row: Row,
) -> None:
    document = row.document(None)
    assert load(document, source="test").settings.declared_secrets == {}
    with pytest.raises(SettingsError) as error:
        load(document | {"declared-secrets": deepcopy(DECLARED)}, source="test")
    assert row.refusal in " ".join(error.value.report().split())
    assert f"cannot be written to {row.name}" in error.value.report()


def test_every_page_says_that_a_value_in_vault_is_named_by_the_command_and_not_put_back() -> None:
    row = next(row for row in ROWS if row.name == "vault")
    assert "does not read a value back" in row.not_here[FOREIGN_VALUE]
    assert NAMED not in row.not_here
    for name in ("backends/vault.md", "runbook.md"):
        drift = (ROOT / "docs" / name).read_text().split("## Drift")[1].split("\n## ")[0]
        assert "the other value stays in force" in " ".join(drift.split())
        assert "python -m components drift" in drift


def test_the_page_of_the_docs_is_not_stale() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), f"run: {COMMAND}"
