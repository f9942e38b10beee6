"""The conformance table is whole, and the docs show it as it is."""

from __future__ import annotations

from copy import deepcopy

import pytest

from components.backends.registry import BACKENDS
from components.settings import SettingsError
from components.validation import load
from tests.conftest import ROOT
from tests.stores.conformance_life_support import DECLARED
from tests.stores.conformance_rows_support import CASES, FOREIGN_VALUE, ROWS, Row
from tests.stores.conformance_support import COMMAND, TARGET, page

REFUSING = [row for row in ROWS if row.refusal]


def test_every_secret_manager_that_settings_may_name_has_a_row() -> None:
    assert {row.name for row in ROWS} >= set(BACKENDS)


def test_a_row_is_there_once_and_its_reasons_belong_to_cases() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    for row in ROWS:
        assert set(row.not_here) | set(row.stand_in_only) <= set(CASES)
        assert set(row.not_here).isdisjoint(row.stand_in_only)
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


def test_no_page_says_that_a_value_in_vault_is_put_back_with_the_official_provider() -> None:
    row = next(row for row in ROWS if row.name == "vault")
    assert "official provider does not read a value back" in row.stand_in_only[FOREIGN_VALUE]
    assert "(✓)" in next(line for line in page().splitlines() if FOREIGN_VALUE in line)
    vault, runbook = (
        (ROOT / "docs" / name).read_text() for name in ("backends/vault.md", "runbook.md")
    )
    drift = runbook.split("## Drift")[1].split("\n## ")[0]
    assert "is **not** put back" in vault.split("## Drift")[1]
    assert "the other value stays in force" in drift
    assert all("stand-in" in text for text in (drift, vault.split("## Drift")[1]))


def test_the_page_of_the_docs_is_not_stale() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), f"run: {COMMAND}"
