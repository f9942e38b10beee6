"""What is exempt, for whom, until when; and that everybody sees it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from policy.core.options import Exemption, Options
from tests.policy.analyzer_support import judge, pack
from tests.policy.kubernetes_fixtures import FIRST, WORKLOAD

PRIVILEGED = WORKLOAD.but(f"{FIRST}.securityContext.privileged", True)
CONTROL = "ks-kubernetes-01"
GOOD = {
    "control": CONTROL,
    "resource": "workload",
    "reason": "debugging with the vendor",
    "owner": "platform",
    "expires": "2999-12-31",
}


def _said(exemption: dict[str, Any], control: str) -> list[str]:
    return judge(pack("production", {"exemptions": [exemption]}), control, [PRIVILEGED]).messages


@pytest.mark.parametrize("resource", ["workload", "work*", "urn:*::workload"])
def test_an_exemption_in_force_excuses_the_resource_and_is_reported(resource: str) -> None:
    exemption = GOOD | {"resource": resource}
    assert _said(exemption, CONTROL) == []
    assert _said(exemption, "ks-conventions-02") == []
    (reported,) = _said(exemption, "ks-conventions-03")
    assert all(part in reported for part in (CONTROL, resource, "platform", "2999-12-31"))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"owner": ""}, "has no owner"),
        ({"owner": "  "}, "has no owner"),
        ({"reason": ""}, "has no reason"),
        ({"expires": ""}, "has no expires"),
        ({"expires": "2020-01-01"}, "expired on 2020-01-01"),
        ({"expires": "soon"}, "has an expiry date that is not YYYY-MM-DD"),
        ({"control": "ks-kubernetes-99"}, "names no control of this pack"),
        ({"resource": "*"}, "is for every resource"),
    ],
)
def test_a_faulty_exemption_excuses_nothing_and_is_a_violation(
    changed: dict[str, str], fault: str
) -> None:
    exemption = GOOD | changed
    assert len(_said(exemption, CONTROL)) == 1
    (said,) = _said(exemption, "ks-conventions-02")
    assert fault in said
    assert _said(exemption, "ks-conventions-03") == []


def test_an_exemption_is_for_one_control_and_one_resource() -> None:
    assert len(_said(GOOD | {"resource": "other"}, CONTROL)) == 1
    assert len(_said(GOOD | {"control": "ks-kubernetes-02"}, CONTROL)) == 1


def test_an_exemption_counts_until_the_end_of_its_last_day() -> None:
    exemption = Exemption(**GOOD | {"expires": "2026-05-31"})
    assert exemption.covers(CONTROL, "workload", "", datetime.date(2026, 5, 31))
    assert not exemption.covers(CONTROL, "workload", "", datetime.date(2026, 6, 1))


def test_without_a_configuration_the_defaults_count() -> None:
    assert pack("production").judge.options == Options()
    configured = pack("production", {"maximumCacheSeconds": 60})
    assert configured.judge.options == Options(maximum_cache_seconds=60)
