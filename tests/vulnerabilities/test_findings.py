"""What a database says of pins."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from policy.advisories import table
from tests.vulnerabilities.databases_support import (
    REPOSITORY,
    harmless,
    of_repository,
    record,
    write,
)
from vulnerabilities import accepted
from vulnerabilities.findings import Finding, Result, search
from vulnerabilities.pins import KESTRA, Pin
from vulnerabilities.records import Database

PLANTED = {
    "PyPI": (Pin("PyPI", "py-yaml", "6.0.0", "requirements.txt", 3), "Py_YAML"),
    "Go": (Pin("Go", "example.com/m", "v6.0.0", "go.mod", 3), "example.com/m"),
    "npm": (Pin("npm", "@scope/p", "6.0.0", "package-lock.json", 3), "@scope/p"),
    "Maven": (Pin("Maven", "g:a", "6.0.0", "pom.xml", 3), "g:a"),
    "GitHub Actions": (Pin("GitHub Actions", "o/a", "v6.0.0", "nightly.yml", 3), "o/a"),
}
PINS = [pin for pin, _ in PLANTED.values()]
UP_TO_7 = ({"introduced": "0"}, {"fixed": "7.0.0"})


def result(folder: Path, *records: Any, pins: Any = PINS) -> Result:
    return search(Database(write(folder, *harmless(), *records)), pins)


@pytest.mark.parametrize("ecosystem", PLANTED)
def test_a_planted_vulnerability_is_found_in_each_ecosystem(ecosystem: str, tmp_path: Path) -> None:
    pin, name = PLANTED[ecosystem]
    planted = record(
        ecosystem,
        name,
        *UP_TO_7,
        aliases=["CVE-2026-1"],
        database_specific={"severity": "MODERATE"},
    )
    assert result(tmp_path, planted).findings == [
        Finding(
            ecosystem,
            pin.name,
            pin.version,
            ("GHSA-aaaa-bbbb-cccc", "CVE-2026-1"),
            "medium",
            "a planted vulnerability",
            ("7.0.0",),
            (),
            (pin.place,),
        )
    ]


@pytest.mark.parametrize("ecosystem", PLANTED)
def test_a_pin_after_the_fix_and_one_of_another_ecosystem_are_not_affected(
    ecosystem: str, tmp_path: Path
) -> None:
    _, name = PLANTED[ecosystem]
    fixed = record(ecosystem, name, {"introduced": "0"}, {"fixed": "6.0.0"})
    foreign = record("crates.io", name, *UP_TO_7)
    assert not result(tmp_path, fixed, foreign).findings


def test_a_withdrawn_record_is_no_finding(tmp_path: Path) -> None:
    planted = record("npm", "@scope/p", *UP_TO_7, withdrawn="2026-11-01T00:00:00Z")
    assert not result(tmp_path, planted).findings


def test_a_malicious_package_is_found_by_its_listed_version(tmp_path: Path) -> None:
    planted = record("npm", "@scope/p", versions=["6.0.0"], number="MAL-2026-1")
    (finding,) = result(tmp_path, planted).findings
    assert finding.ids == ("MAL-2026-1",)


def test_records_of_one_vulnerability_are_one_finding_with_the_worst_severity(
    tmp_path: Path,
) -> None:
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    (finding,) = result(
        tmp_path,
        record("Go", "example.com/m", *UP_TO_7, number="GO-2026-1", aliases=["CVE-2026-1"]),
        record("Go", "example.com/m", *UP_TO_7, number="GO-2026-2", aliases=["GHSA-x"]),
        record(
            "Go",
            "example.com/m",
            {"introduced": "0"},
            {"fixed": "6.5.0"},
            number="GHSA-x",
            aliases=["CVE-2026-1"],
            severity=[{"type": "CVSS_V3", "score": vector}],
        ),
    ).findings
    assert finding.ids == ("GHSA-x", "CVE-2026-1", "GO-2026-1", "GO-2026-2")
    assert finding.severity == "critical"
    assert finding.fixed == ("6.5.0", "7.0.0")


def test_one_version_in_several_files_is_one_finding_with_every_place(tmp_path: Path) -> None:
    pins = [*PINS, Pin("PyPI", "py-yaml", "6.0.0", "requirements/dev.txt", 9)]
    (finding,) = result(tmp_path, record("PyPI", "Py.YAML", *UP_TO_7), pins=pins).findings
    assert finding.places == ("requirements.txt:3", "requirements/dev.txt:9")


def test_a_module_of_kestra_in_a_record_finds_the_pinned_release(tmp_path: Path) -> None:
    pins = [Pin(*KESTRA, "99.0.0", "deployment.py", 26)]
    known = table().advisories[0]
    planted = record(
        "Maven", "io.kestra:webserver", {"introduced": "0"}, {"fixed": "99.0.1"}, number=known.id
    )
    by_tag = of_repository(f"{REPOSITORY}.git", "v99.0.0", number=known.cve[0], aliases=[known.id])
    (finding,) = result(tmp_path, planted, by_tag, pins=pins).findings
    assert finding.name == "io.kestra"
    assert {known.id, known.cve[0]} <= set(finding.ids)


def test_a_release_of_kestra_with_a_hole_of_the_table_is_found_without_a_record(
    tmp_path: Path,
) -> None:
    answer = result(tmp_path, pins=[Pin(*KESTRA, "1.3.5", "deployment.py", 26)])
    assert "GHSA-2q47-568g-9h4f" in {number for f in answer.findings for number in f.ids}
    assert all(f.places == ("deployment.py:26",) for f in answer.findings)


def test_an_advisory_of_kestra_that_the_table_lacks_is_told_though_no_pin_has_it(
    tmp_path: Path,
) -> None:
    new = record(
        "Maven", "io.kestra:core", {"introduced": "0"}, {"fixed": "0.1"}, number="GHSA-new"
    )
    converted = of_repository(REPOSITORY, "v0.1.0", number="CVE-2099-1")
    known = record("Maven", "io.kestra:core", {"introduced": "0"}, number=table().advisories[0].id)
    gone = record("Maven", "io.kestra:core", number="GHSA-gone", withdrawn="2026-11-01T00:00:00Z")
    plugin = record(
        "Maven", "io.kestra.plugin:plugin-git", {"introduced": "0"}, number="GHSA-plugin"
    )
    answer = result(tmp_path, new, converted, known, gone, plugin)
    assert answer.without_row == ["CVE-2099-1", "GHSA-new"]


def test_vault_is_found_by_a_tag_of_its_repository(tmp_path: Path) -> None:
    pins = [Pin("Go", "github.com/hashicorp/vault", "v1.21.1", "go.mod", 4)]
    planted = of_repository("https://github.com/hashicorp/vault", "v1.21.1", number="CVE-2026-3")
    (finding,) = result(tmp_path, planted, pins=pins).findings
    assert (finding.ecosystem, finding.name) == ("Go", "github.com/hashicorp/vault")


def test_an_ecosystem_without_records_is_a_fault(tmp_path: Path) -> None:
    database = Database(write(tmp_path, record("npm", "@scope/p", *UP_TO_7)))
    answer = search(database, PINS)
    assert len(answer.findings) == 1
    assert len(answer.faults) == len(PLANTED) - 1
    assert "The database has no records of PyPI" in "\n".join(answer.faults)


FINDING = Finding("npm", "p", "1.0.0", ("GHSA-x", "CVE-2026-1"), "high", "s", (), (), ("f:1",))
TODAY = datetime.date(2026, 11, 29)


def entries(
    until: str, number: str = "CVE-2026-1", package: str = "p"
) -> list[accepted.AcceptedRisk]:
    return accepted.read(
        f"- {{id: {number}, package: {package}, until: {until}, reason: only run in tests on loopback}}"
    )


def test_an_accepted_finding_is_not_open_until_its_day_has_passed() -> None:
    valid = accepted.triage([FINDING], entries("2026-11-29"), TODAY)
    assert not valid.open
    assert [finding for finding, _ in valid.accepted] == [FINDING]
    expired = accepted.triage([FINDING], entries("2026-11-28"), TODAY)
    assert expired.open == [FINDING]
    assert len(expired.expired) == 1


def test_an_entry_accepts_its_own_package_alone() -> None:
    other = accepted.triage([FINDING], entries("2026-12-31", package="q"), TODAY)
    assert other.open == [FINDING]
    assert len(other.unused) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- {id: GHSA-x, package: p, until: 2027-01-01}", "entry 1: reason: Field required"),
        ("- {id: GHSA-x, package: p, until: 2027-01-01, reason: no}", "entry 1: reason"),
        (
            "- {id: GHSA-x, package: p, until: next week, reason: only run on loopback}",
            "entry 1: until",
        ),
        ("- {id: GHSA-x, pkg: p, until: 2027-01-01, reason: only run on loopback}", "entry 1: pkg"),
        ("- text", "entry 1: it"),
        ("a: 1", "a list of entries"),
        ("[", "no YAML"),
    ],
)
def test_a_faulty_list_is_refused_and_the_entry_named(text: str, fault: str) -> None:
    with pytest.raises(accepted.AcceptedError, match=fault):
        accepted.read(text)
