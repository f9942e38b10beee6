"""Which versions a range is about, in the order of each ecosystem."""

from __future__ import annotations

from typing import Any

import pytest

from vulnerabilities.records import Affected
from vulnerabilities.versions import Verdict, judge


def affected(*events: dict[str, str], kind: str = "ECOSYSTEM", versions: Any = ()) -> Affected:
    return Affected.model_validate(
        {"ranges": [{"type": kind, "events": events}], "versions": list(versions)}
    )


RANGE = ({"introduced": "1.2.0"}, {"fixed": "1.4.0"})


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.1.9", None),
        ("1.2.0rc1", None),
        ("1.2.0", Verdict("1.4.0")),
        ("1.4.0rc1", Verdict("1.4.0")),
        ("1.3.9.post1", Verdict("1.4.0")),
        ("1.4", None),
    ],
)
def test_python_versions_are_compared_as_pip_does(version: str, expected: Verdict | None) -> None:
    assert judge(affected(*RANGE), "PyPI", version) == expected


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [
        ("v1.2.0-rc.1", False),
        ("v1.2.0", True),
        ("v1.3.1-0.20260101000000-abcdefabcdef", True),
        ("v1.4.0-0.20260101000000-abcdefabcdef", True),
        ("v1.3.9+incompatible", True),
        ("v1.4.0+incompatible", False),
        ("v1.10.0", False),
    ],
)
def test_go_versions_and_pseudo_versions_are_semantic_ones(version: str, is_affected: bool) -> None:
    assert (judge(affected(*RANGE, kind="SEMVER"), "Go", version) is not None) is is_affected


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [
        ("1.2.0-SNAPSHOT", False),
        ("1.2.0.Final", True),
        ("1.2", True),
        ("1.4.0-rc-1", True),
        ("1.4.0.RELEASE", False),
        ("1.4", False),
        ("1.12", False),
    ],
)
def test_maven_versions_know_qualifiers(version: str, is_affected: bool) -> None:
    assert (judge(affected(*RANGE), "Maven", version) is not None) is is_affected


def test_the_last_affected_version_is_affected_and_the_next_is_not() -> None:
    item = affected({"introduced": "0"}, {"last_affected": "2.0.0"})
    assert judge(item, "npm", "2.0.0") == Verdict()
    assert judge(item, "npm", "2.0.1") is None


def test_events_may_come_in_any_order_and_begin_again() -> None:
    item = affected(
        {"fixed": "1.1.0"}, {"introduced": "2.0.0"}, {"introduced": "0"}, {"fixed": "2.0.5"}
    )
    verdicts = [judge(item, "npm", v) for v in ("0.1.0", "1.1.0", "1.9.9", "2.0.0", "2.0.5")]
    assert verdicts == [Verdict("1.1.0"), None, None, Verdict("2.0.5"), None]


def test_a_listed_version_is_affected_without_a_range() -> None:
    item = affected({"introduced": "5.0.0"}, versions=["v1.0.0", "1.0.1"])
    assert judge(item, "GIT", "1.0.0") == Verdict()
    assert judge(item, "GIT", "v1.0.1") == Verdict()
    assert judge(item, "GIT", "1.0.2") is None


def test_a_limit_ends_a_range_and_an_open_one_does_not() -> None:
    assert judge(affected({"introduced": "0"}, {"limit": "2.0.0"}), "npm", "2.0.0") is None
    assert judge(affected({"introduced": "0"}, {"limit": "*"}), "npm", "2.0.0") == Verdict()


def test_commits_are_not_compared_with_versions() -> None:
    item = affected({"introduced": "0"}, kind="GIT")
    assert judge(item, "Go", "v1.0.0") is None


def test_a_bound_that_cannot_be_compared_counts_as_affected_and_says_so() -> None:
    verdict = judge(affected({"introduced": "0"}, {"fixed": "one.two"}), "PyPI", "1.0")
    assert verdict
    assert "one.two" in verdict.note


def test_a_pinned_version_that_cannot_be_compared_is_no_clean_one() -> None:
    with pytest.raises(ValueError, match="'latest' is no version of PyPI"):
        judge(affected(*RANGE), "PyPI", "latest")
