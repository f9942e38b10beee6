"""The table of advisories is whole, and it says of a release what its rows say."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import yaml
from packaging.version import Version

from components.settings.deployment import DEFAULT_TAGS
from components.validation.rules.advisories import CLOSE, OPEN
from docsgen.advisories import page
from policy import controls
from policy.advisories import SEVERITIES, TABLE, first_without_holes, holes, read, table
from policy.releases import Image, configured_releases, releases_of

DOCUMENT: dict[str, Any] = yaml.safe_load(TABLE.read_text())
ROWS = {row["id"]: row for row in DOCUMENT["advisories"]}


def ids(tag: str) -> set[str]:
    releases = releases_of(tag)
    assert releases is not None
    return {advisory.id for advisory in holes(releases).known}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_has_an_address_sources_and_ranges(row: dict[str, Any]) -> None:
    assert row["id"].startswith(("GHSA-", "CVE-"))
    assert row["cve"]
    assert all(number.startswith("CVE-") for number in row["cve"])
    assert row["address"].startswith("https://")
    assert row["id"] in row["address"]
    assert row["sources"]
    assert all(source.startswith("https://") for source in row["sources"])
    assert row["severity"] in SEVERITIES
    assert 0 < len(row["title"]) <= 110
    assert isinstance(row["published"], datetime.date)
    assert row["affected"]
    if not row["fixed"] or row["severity"] == "unknown" or row.get("uncertain"):
        assert row["note"], "what is not certain is said"


def test_the_fix_of_a_row_is_outside_of_its_ranges() -> None:
    for advisory in table().advisories:
        for version in advisory.fixed:
            for releases in (*advisory.affected, *advisory.uncertain):
                assert not releases.first <= version < releases.before, advisory.id


def test_the_advisories_that_were_asked_for_are_in_the_table() -> None:
    everything = {number for row in ROWS.values() for number in (row["id"], *row["cve"])}
    assert everything >= {
        "GHSA-2q47-568g-9h4f",
        "CVE-2026-53576",
        "CVE-2026-49869",
        "GHSA-5vc5-wxxq-3fjx",
        "CVE-2026-38428",
    }


def test_an_advisory_that_nobody_could_read_is_named_with_its_address_and_judged_by_nothing() -> (
    None
):
    assert table().unread
    for unread in table().unread:
        assert unread.address.startswith("https://")
        assert unread.note
        assert unread.id not in ROWS


def test_the_table_says_of_what_day_it_is() -> None:
    assert table().as_of >= max(row["published"] for row in ROWS.values())


def test_the_page_is_not_stale_and_says_its_day() -> None:
    assert f"As of {table().as_of}." in page()
    for row in ROWS.values():
        assert f"[{row['id']}]({row['address']})" in page()


@pytest.mark.parametrize(
    "broken",
    [
        {"affected": [{"from": "1.3.0", "before": "1.3.0"}]},
        {"affected": [{"from": "1.3.0", "before": "newest"}]},
        {"affected": [{"from": "1.3.0"}]},
        {"affected": [{"from": "1.0", "before": "1.1", "to": "1.2"}]},
        {"fixed": ["soon"]},
        {"severity": "bad"},
        {"adress": "https://example.com"},
    ],
)
def test_a_malformed_row_is_refused(broken: dict[str, Any]) -> None:
    row = {**next(iter(ROWS.values())), **broken}
    with pytest.raises((ValueError, KeyError, TypeError)):
        read({**DOCUMENT, "advisories": [row]})


@pytest.mark.parametrize("tag", DEFAULT_TAGS.values())
def test_the_default_releases_have_no_known_hole(tag: str) -> None:
    releases = releases_of(tag)
    assert releases is not None
    assert holes(releases).known == ()
    assert holes(releases).possible == ()


def test_what_configuration_closes_is_judged_by_a_control_and_by_the_settings() -> None:
    named = {a.closed_by.control for a in table().advisories if a.closed_by}
    assert named == set(OPEN) == set(CLOSE)
    assert named <= {control.id for control in controls.ALL}


@pytest.mark.parametrize(
    ("tag", "known"),
    [
        ("v1.3.20", True),
        ("1.3.20", True),
        ("v1.3.20-no-plugins", True),
        ("v1.3.20-2", True),
        ("v1.3.20.1", True),
        ("v1.3.21-SNAPSHOT", True),
        ("v1.3.21", False),
        ("1.3.21-no-plugins", False),
        ("v1.1.0", True),
        ("v1.2", True),
        ("v1.0.45", False),
        ("v1.0.60", False),
        ("v1.0.44", True),
        ("v0.24.3", True),
        ("v2.0.0", False),
        ("v2.0.0-rc1", False),
        ("v2.0.5", False),
    ],
)
def test_a_tag_is_held_against_the_ranges(tag: str, known: bool) -> None:
    assert ("GHSA-2q47-568g-9h4f" in ids(tag)) is known


@pytest.mark.parametrize(
    "tag",
    ["latest", "latest-no-plugins", "develop", "build-77", "1a2b3c4", "20260101", "2026.11.1", ""],
)
def test_a_tag_that_names_no_release_is_not_guessed_at(tag: str) -> None:
    assert releases_of(tag) is None


def test_a_line_is_decided_only_where_all_of_its_releases_are_alike() -> None:
    old, mixed, new = (releases_of(tag) for tag in ("v1.2", "v1.3", "v2.0"))
    assert old
    assert mixed
    assert new
    assert holes(old).known
    assert not holes(mixed).known
    assert holes(mixed).possible
    assert not holes(new).known
    assert not holes(new).possible


def test_release_candidates_stand_in_the_order_of_their_numbers() -> None:
    before, after = releases_of("v2.0.0-rc5"), releases_of("v2.0.0-rc13")
    assert before
    assert after
    hole = "GHSA-m65f-q5gj-hg46"
    assert hole in {a.id for a in holes(before).of_configuration}
    assert hole not in {a.id for a in holes(after).of_configuration}


@pytest.mark.parametrize("tag", ["v1.3.0", "v1.3.5", "v1.3.23", "v1.2.7", "v1.0.44", "v0.20.1"])
def test_the_release_that_is_recommended_has_no_known_hole(tag: str) -> None:
    releases = releases_of(tag)
    assert releases is not None
    better = first_without_holes(releases)
    assert better > releases.first
    assert better == Version("1.3.24")
    assert ids(f"v{better}") == set()


@pytest.mark.parametrize(
    ("reference", "repository", "tag", "digest"),
    [
        ("kestra/kestra", "kestra/kestra", "", ""),
        ("kestra/kestra:v1.3.5", "kestra/kestra", "v1.3.5", ""),
        ("r.example.com:5000/m/kestra", "r.example.com:5000/m/kestra", "", ""),
        ("r.example.com:5000/kestra-ee:v1", "r.example.com:5000/kestra-ee", "v1", ""),
        ("kestra/kestra:v1.3.5@sha256:0a", "kestra/kestra", "v1.3.5", "sha256:0a"),
        ("kestra/kestra@sha256:0a", "kestra/kestra", "", "sha256:0a"),
    ],
)
def test_a_reference_is_taken_apart(reference: str, repository: str, tag: str, digest: str) -> None:
    image = Image.of(reference)
    assert (image.repository, image.tag, image.digest) == (repository, tag, digest)
    assert image.is_kestra


@pytest.mark.parametrize("name", ["kestra-plugins-sync", "orkestra", "log-shipper", "kestra/docs"])
def test_other_images_are_not_taken_for_kestra(name: str) -> None:
    assert not Image.of(f"registry.example.com/{name}:v1.3.5").is_kestra


@pytest.mark.parametrize("text", ["", "[]", "{", '{"image": {"digest": "sha256:a"}}', '"text"'])
def test_settings_that_name_no_release_of_a_digest_give_none(text: str) -> None:
    assert configured_releases({"kestra:deployment": text}) == {}


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("1.3.5", "v1.3.5"),
        ("v1.3.5-no-plugins", "v1.3.5"),
        ("v2.0.0-rc13-no-plugins", "v2.0.0-rc13"),
        ("2.0.0-RC.6", "v2.0.0-rc6"),
        ("v1.3.24-SNAPSHOT", "v1.3.24-SNAPSHOT"),
        ("v1.3.5.2", "v1.3.5.2"),
        ("v1.3", "v1.3 (any release of that line)"),
    ],
)
def test_a_release_is_named_by_its_number(tag: str, name: str) -> None:
    assert str(releases_of(tag)) == name
