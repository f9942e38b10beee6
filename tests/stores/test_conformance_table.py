"""The conformance table is whole, and the docs show it as it is."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace

import pytest

from components.backends.external_values import no_option, values_by_others
from components.backends.registry import BACKENDS, backend_of
from components.settings import SettingsError
from components.validation import load
from tests.conftest import ROOT
from tests.stores.conformance_life_support import DECLARED
from tests.stores.conformance_rows_support import (
    BY_OTHERS,
    CASES,
    FOREIGN_VALUE,
    NAMED,
    OTHERS_KEY,
    ROWS,
    Row,
)
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


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.split(" (")[0])
@pytest.mark.parametrize("case", [BY_OTHERS, OTHERS_KEY], ids=["secret", "key"])
def test_external_values_have_a_place_where_the_table_says_so_and_are_refused_elsewhere(
    row: Row, case: str
) -> None:
    document = row.document(SimpleNamespace(address="http://vault:8200"))
    document |= {"declared-secrets": {}}
    if case == BY_OTHERS:
        document["declared-secrets"] = {"TOKEN": {"namespace": "company.team", "external": True}}
    else:
        document["encryption"] = {"external": True, "fingerprint": "1a2b3c4d"}
    if case in row.not_here:
        with pytest.raises(SettingsError) as error:
            load(document, source="test")
        reason = row.refusal if case == BY_OTHERS and row.refusal else row.not_here[case]
        said = " ".join(error.value.report().split())
        assert reason.removeprefix("refused: ") in said
        return
    settings = load(document, source="test").settings
    values = backend_of(settings).external_values(settings, no_option)
    assert values is not None
    assert values_by_others(settings) == ["TOKEN" if case == BY_OTHERS else "encryption.secret-key"]


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
