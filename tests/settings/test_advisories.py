"""A release with known holes is a warning that says which, and what to run instead."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import SettingsError
from components.settings.deployment import DEFAULT_TAGS
from components.settings.report import Problem, terminal_report
from components.validation import load

DIGEST = "sha256:" + "a" * 64
BASE: dict[str, Any] = {"server": {"basic-auth": {"username": "admin@example.com"}}}
TAG, BY_DIGEST = "kestra:deployment.image.tag", "kestra:deployment.image.digest"


def warnings(version: str = "1.3", /, **deployment: Any) -> list[Problem]:
    document = {**BASE, "version": version, "deployment": deployment}
    return list(load(document, source="Pulumi.test.yaml").warnings)


def test_each_known_hole_of_a_tag_is_a_warning_with_id_severity_address_and_fixed_releases() -> (
    None
):
    result = warnings(image={"tag": "v1.3.5"})
    assert {w.path for w in result} == {TAG}
    assert {w.severity for w in result} == {"warning"}
    first = result[0]
    assert (
        "v1.3.5 has a known hole: GHSA-2q47-568g-9h4f (CVE-2026-53576), critical" in first.message
    )
    assert "https://github.com/kestra-io/kestra/security/advisories/GHSA-2q47" in first.rule
    assert "fixed in 1.0.45 and 1.3.21" in first.rule
    assert any("CVE-2026-38428" in w.message for w in result)
    assert any("used by attackers" in w.message for w in result)


@pytest.mark.parametrize(
    "image",
    [
        {"tag": "1.3.5"},
        {"tag": "v1.3.5-no-plugins"},
        {"tag": "v1.2.3"},
        {"tag": "v1.3.5", "repository": "registry.example.com/mirror/kestra"},
        {"tag": "v1.3.5", "digest": DIGEST},
    ],
)
def test_what_the_fix_says_takes_the_warnings_away(image: dict[str, str]) -> None:
    result = warnings(image=image)
    assert any("CVE-2026-53576" in w.message for w in result)
    assert {("v1.3.31" in w.fix, "v1.3.24 or later" in w.fix) for w in result} == {(True, True)}
    assert warnings(image={**image, "tag": "v1.3.31"}) == []
    assert warnings(image={**image, "tag": "v1.3.24"}) == []


def test_a_tag_that_moves_is_refused_once_and_not_warned_of_too() -> None:
    with pytest.raises(SettingsError) as caught:
        warnings(image={"tag": "latest"})
    assert [problem.path for problem in caught.value.problems] == [TAG]


def test_only_the_number_of_a_tag_is_in_a_warning() -> None:
    result = warnings(image={"tag": "v1.3.5-planted"})
    assert result
    assert not any("planted" in warning.line() for warning in result)


@pytest.mark.parametrize("version", DEFAULT_TAGS)
def test_the_default_release_is_judged_and_has_no_known_hole(version: str) -> None:
    assert warnings(version) == []


def test_the_default_release_would_be_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEFAULT_TAGS, "1.3", "v1.3.5")
    assert {w.path for w in warnings()} == {TAG}


def test_a_digest_alone_is_reported_as_undecided() -> None:
    (warning,) = warnings(image={"digest": DIGEST})
    assert warning.path == BY_DIGEST
    assert "does not say which release" in warning.message
    assert "tag: v1.3.31" in warning.fix
    assert warnings(image={"digest": DIGEST, "tag": "v1.3.31"}) == []


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ({"tag": "v1.3"}, "v1.3 (any release of that line) may have known holes"),
        ({"tag": "v1"}, "v1 (any release of that line) may have known holes"),
        ({"tag": "build-77"}, "does not say which release"),
        ({"tag": "latest", "digest": DIGEST}, "its tag moves"),
    ],
)
def test_a_tag_that_names_no_one_release_is_reported_as_undecided(
    image: dict[str, str], reason: str
) -> None:
    (warning,) = warnings(image=image)
    assert warning.path == TAG
    assert reason in warning.message
    assert "build-77" not in warning.line()
    assert warnings(image={**image, "tag": "v1.3.31"}) == []


def test_a_hole_that_configuration_closes_is_a_warning_where_the_settings_open_it() -> None:
    (warning,) = warnings("1.3", **{"network-policy": {"enabled": False}})
    assert warning.path == "kestra:deployment.network-policy.enabled"
    assert "GHSA-r56g-q4p6-m3p6 (CVE-2026-73247), high" in warning.message
    assert warnings("2.0", **{"network-policy": {"enabled": False}}) == []


@pytest.mark.parametrize(
    "endpoints", [{"all": {"sensitive": False}}, {"worker": {"sensitive": False}}]
)
def test_open_management_endpoints_of_an_old_release_are_reported_with_their_advisories(
    endpoints: dict[str, Any],
) -> None:
    def messages(version: str, blocks: dict[str, Any]) -> list[str]:
        document = {**BASE, "version": version, "endpoints": blocks}
        loaded = load(document, source="Pulumi.test.yaml")
        return [w.message for w in loaded.warnings if "known hole" in w.message]

    assert any("CVE-2026-73246" in message for message in messages("1.3", endpoints))
    assert messages("2.0", endpoints) == []
    log_in = {"basic-auth": {"username": "probe"}}
    closed = {**endpoints, "all": {**endpoints.get("all", {}), **log_in}}
    assert messages("1.3", closed) == []


def test_the_report_lists_the_holes_of_a_release_in_short_lines_with_the_fix_once() -> None:
    findings = warnings(image={"tag": "v1.3.1"})
    assert len(findings) > 5
    lines = terminal_report(findings).splitlines()
    assert max(map(len, lines)) <= 100
    text = " ".join(" ".join(lines).split())
    for problem in findings:
        assert problem.message in text
        assert problem.rule in text
    assert text.count(findings[0].fix) == 1
    assert text.count("kestra:deployment.image.tag:") == 1


def test_one_hole_alone_is_one_line_as_every_other_problem() -> None:
    findings = warnings(image={"tag": "v1.3.1"})[:1]
    assert terminal_report(findings).splitlines() == ["1 warning:", f"  {findings[0].line()}"]
