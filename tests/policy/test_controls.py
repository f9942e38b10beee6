"""Every control lets the good pass, refuses the bad, and waits for what is not known yet."""

from __future__ import annotations

import pytest

from policy import controls
from tests.policy import cloud_fixtures, cluster_fixtures, kestra_fixtures, storage_fixtures
from tests.policy.analyzer_support import judge, pack
from tests.policy.cases_support import Case

CASES: dict[str, Case] = {
    **cloud_fixtures.SECRET_STORES,
    **cloud_fixtures.KEYS,
    **cloud_fixtures.IDENTITY,
    **cluster_fixtures.CASES,
    **storage_fixtures.STORAGE,
}
#: They judge the pack's configuration, of which nothing is ever unknown; see test_exemptions.py.
OF_THE_CONFIGURATION = {"ks-conventions-02", "ks-conventions-03"}
PLANTED = (cloud_fixtures.TOKEN, kestra_fixtures.CLEAR)


def test_no_control_lacks_a_passing_a_failing_or_an_unknown_case() -> None:
    without = {c.id for c in controls.ALL} - OF_THE_CONFIGURATION - set(CASES)
    assert not without, "add a `case` of each to one of tests/policy/*_fixtures.py"
    assert set(CASES) <= {c.id for c in controls.ALL}
    for name, case in CASES.items():
        assert all((case.good, case.bad, case.unknown)), name


@pytest.mark.parametrize("control", CASES)
def test_what_is_good_passes(control: str) -> None:
    cases = CASES[control]
    for stack in cases.good:
        said = judge(pack(cases.environment, cases.options), control, stack)
        assert (said.messages, said.not_yet) == ([], [])


@pytest.mark.parametrize("control", CASES)
def test_what_is_bad_is_named_with_what_to_change(control: str) -> None:
    cases = CASES[control]
    for stack in cases.bad:
        said = judge(pack(cases.environment, cases.options), control, stack)
        assert said.messages, stack
        for message in said.messages:
            assert any(f"{r.name} (" in message for r in stack), message
            assert ". Wanted: " in message
            assert ". Change " in message
            assert "with kestra-on-pulumi: " in message
            assert not any(value in message for value in PLANTED)


@pytest.mark.parametrize("control", CASES)
def test_what_is_unknown_is_not_decided(control: str) -> None:
    cases = CASES[control]
    for stack in cases.unknown:
        said = judge(pack(cases.environment, cases.options), control, stack)
        assert said.messages == [], stack
        assert all(reason.startswith("not decidable before the update") for reason in said.not_yet)
        assert said.not_yet, stack


def test_a_route_to_a_gateway_of_others_is_told_and_not_refused() -> None:
    said = judge(pack("production", {}), "ks-kestra-18", [kestra_fixtures.ROUTE])
    assert said.messages == []
    assert "the listeners of the Gateway public" in str(said.not_yet)
