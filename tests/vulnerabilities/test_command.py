"""`python -m vulnerabilities`: what it prints, its exit codes, and databases that are none."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest

import vulnerabilities.__main__ as command
from tests.vulnerabilities.databases_support import harmless, record, write
from vulnerabilities import accepted
from vulnerabilities.pins import ROOT, file_pins, kestra_pins

PLANTED = record(
    "Go",
    "k8s.io/kubernetes",
    {"introduced": "0"},
    {"fixed": "99.0.0"},
    aliases=["CVE-2026-1"],
    database_specific={"severity": "HIGH"},
)


PINS = file_pins(ROOT)


@pytest.fixture(autouse=True)
def _nothing_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    accept(monkeypatch, tmp_path, "[]")
    # Read once: the repository does not change.
    monkeypatch.setattr(command, "file_pins", {ROOT: PINS}.get)


def accept(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    file = folder / "accepted.yaml"
    file.write_text(text)
    monkeypatch.setattr(accepted, "FILE", file)


def test_the_pins_of_this_repository_are_clean_by_a_database_about_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(write(tmp_path, *harmless()))]) == command.NONE
    output = capsys.readouterr().out
    assert re.fullmatch(
        r"No known vulnerabilities of \d{3,} versions in \d\d files; judged by 6 records \(.*\), "
        r"the last changed on 2026-11-20\.\n",
        output,
    ), output


def test_a_planted_vulnerability_is_printed_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(write(tmp_path, *harmless(), PLANTED))]) == command.SOME
    output = capsys.readouterr().out
    assert re.search(
        r"^high: k8s\.io/kubernetes v1\.\d+\.\d+ \(Go\): GHSA-aaaa-bbbb-cccc \(CVE-2026-1\)\n"
        r"  fixed in 99\.0\.0; a planted vulnerability\n"
        r"  sandbox/tools/kubelet/go\.mod:\d+\n"
        r"  sandbox/tools/kubernetes/go\.mod:\d+\n"
        r"  https://osv\.dev/vulnerability/GHSA-aaaa-bbbb-cccc\n",
        output,
        re.MULTILINE,
    ), output
    assert "1 known vulnerabilities (1 high)" in output


def test_the_words_of_a_record_stay_in_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "::stop-commands::x\n::error::planted\x1b[2J\r"
    database = write(tmp_path, *harmless(), PLANTED | {"summary": words})
    assert command.main([str(database)]) == command.SOME
    output = capsys.readouterr().out
    assert not [line for line in output.splitlines() if line.strip().startswith("::")]
    assert not {"\x1b", "\r"} & set(output)


def test_an_accepted_one_passes_and_fails_after_its_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = str(write(tmp_path, *harmless(), PLANTED))
    text = "- {id: CVE-2026-1, package: k8s.io/kubernetes, until: %s, reason: the sandbox alone runs it}"
    today = datetime.date(2026, 11, 29)
    monkeypatch.setattr(command, "_today", lambda: today)
    accept(monkeypatch, tmp_path, text % today)
    assert command.main([database]) == command.NONE
    accept(monkeypatch, tmp_path, text % "2026-11-28")
    assert command.main([database]) == command.SOME
    assert "was accepted until 2026-11-28. Look again" in capsys.readouterr().out
    # Nobody needs it any more, and it still has to be removed.
    assert command.main([str(write(tmp_path, *harmless()))]) == command.SOME


def test_an_empty_database_is_no_clean_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(write(tmp_path))]) == command.UNDECIDED
    output = capsys.readouterr().out
    for ecosystem in ("PyPI", "Go", "npm", "Maven", "GitHub Actions", "GIT"):
        assert f"The database has no records of {ecosystem}" in output


def _changed(ranges: Any = (), **fields: Any) -> dict[str, Any]:
    """A record of a pinned package, which would count as harmless if what is wrong were read as nothing."""
    package = {"ecosystem": "PyPI", "name": "pulumi"}
    return {
        "id": "X",
        "modified": "2026-01-01T00:00:00Z",
        "affected": [{"package": package, "ranges": list(ranges)}],
        **fields,
    }


def test_one_ecosystem_can_be_judged_alone(tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    file.write_text(json.dumps([record("PyPI", "pulumi", {"introduced": "0"})]))
    assert command.main([str(file), "--only", "PyPI"]) == command.SOME
    assert command.main([str(file), "--only", "npm"]) == command.UNDECIDED


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", "no OSV record: Invalid JSON"),
        (b'{"vulns": []}', "no OSV record: id: Field required"),
        (b'{"id": "X", "modified": "yesterday"}', "no OSV record: modified"),
        (
            b'{"id": "X", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": "p"}]}',
            "package",
        ),
        (b'[{"id": 5}]', "no OSV record: 0.id"),
        (json.dumps(_changed(withdrawn=1)).encode(), "no OSV record: withdrawn"),
        (json.dumps(_changed(ranges=[{"type": "SORT", "events": []}])).encode(), "ranges.0.type"),
        (
            json.dumps(
                _changed(ranges=[{"type": "ECOSYSTEM", "events": [{"intro": "0"}]}])
            ).encode(),
            "ranges.0.events.0",
        ),
        (b"\xff\xfe", "no OSV record"),
    ],
)
def test_a_record_that_is_none_is_named_and_the_others_are_judged(
    content: bytes, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, *harmless(), PLANTED, content)
    assert command.main([str(path)]) == command.UNDECIDED
    output = capsys.readouterr().out
    assert re.search(
        rf"^Error: {re.escape(str(path))}/7\.json: .*{re.escape(fault)}", output, re.MULTILINE
    )
    assert "GHSA-aaaa-bbbb-cccc" in output


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_an_archive_that_is_none_is_told(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.zip"
    file.write_bytes(content)
    assert command.main([str(file)]) == command.UNDECIDED
    assert f"Error: {file}: " in capsys.readouterr().out


def test_a_path_without_a_database_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, text in (
        (tmp_path / "none.zip", "does not exist"),
        (empty, "has neither ZIP archives"),
    ):
        assert command.main([str(path)]) == command.UNDECIDED
        assert text in capsys.readouterr().err


def test_the_accepted_ones_of_this_repository_can_be_read() -> None:
    accepted.read((Path(accepted.__file__).with_name("accepted.yaml")).read_text())


def test_kestras_default_releases_have_no_hole_of_the_table(tmp_path: Path) -> None:
    assert kestra_pins()
    assert command.main([str(write(tmp_path, *harmless())), "--only", "Maven"]) == command.NONE
