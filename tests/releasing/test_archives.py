"""Archives, checksums and comparisons: the same bytes for the same files, whatever lies around them."""

from __future__ import annotations

import gzip
import os
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from components.package.__main__ import command
from releasing import archives, provenance
from releasing.build import SURROUNDINGS, differences
from releasing.source import Source, environment
from tests.conftest import ROOT
from tests.test_requirements import pins


def test_an_archive_is_the_same_whenever_and_by_whomever_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"b/two": b"2", "a": b"1", "b/long" + "g" * 200: b""}
    archives.write_archive(tmp_path / "one.tar.gz", files, 1_700_000_000)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    before = os.umask(0o077)
    try:
        archives.write_archive(
            tmp_path / "other.tar.gz", dict(reversed(files.items())), 1_700_000_000
        )
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "other.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(files)
    assert {(m.mtime, m.mode, m.uid, m.gid, m.uname) for m in members} == {
        (1_700_000_000, 0o644, 0, 0, "")
    }
    # No name of the file and no time in the head.
    assert (tmp_path / "one.tar.gz").read_bytes()[3:8] == bytes(5)
    assert gzip.decompress((tmp_path / "one.tar.gz").read_bytes())


def test_the_two_builds_differ_in_everything_that_must_not_matter() -> None:
    first, second = SURROUNDINGS
    assert first.umask != second.umask
    assert len(first.folder) != len(second.folder)
    assert all(
        first.variables[name] != second.variables[name]
        for name in ("TZ", "LC_ALL", "PYTHONHASHSEED")
    )


def test_a_build_gets_no_credentials_and_settings_of_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert set(environment(TZ="UTC")) <= {"PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TZ"}


def test_checksums_are_those_that_sha256sum_reads(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("abc")
    (tmp_path / "a").write_text("")
    assert provenance.checksums([tmp_path / "b", tmp_path / "a"]) == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n"
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
    )


def test_what_differs_between_two_builds_is_named(tmp_path: Path) -> None:
    for name, files in (
        ("a", {"same": "1", "other": "1", "one": ""}),
        ("b", {"same": "1", "other": "2"}),
    ):
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    lines = list(differences(tmp_path / "a", tmp_path / "b"))
    assert lines[0] == "one was built once, and not a second time."
    assert lines[1].startswith("other differs between two builds of the same commit")
    assert len(lines) == 2


def test_the_archive_of_the_plugin_has_the_installed_package_and_what_starts_it(
    tmp_path: Path,
) -> None:
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("kestra_pulumi/package/provider.py", "1")
        packed.writestr("kestra_on_pulumi-1.2.3.dist-info/METADATA", "2")
    files = archives.plugin_files(ROOT, wheel)
    assert set(files) == {
        "kestra_pulumi/package/provider.py",
        "__main__.py",
        "PulumiPlugin.yaml",
        "requirements.txt",
        "LICENSE",
        "NOTICE",
    }
    # Pulumi's language host installs these requirements, and runs that file.
    assert files["requirements.txt"] == (ROOT / "requirements.txt").read_bytes()
    assert b"from kestra_pulumi.package.__main__ import command" in files["__main__.py"]
    assert callable(command)
    archives.write_plugins(tmp_path, ROOT, wheel, "1.2.3", 1)
    written = list(tmp_path.glob("*.tar.gz"))
    assert len(written) == len(archives.PLATFORMS)
    assert len({file.read_bytes() for file in written}) == 1
    assert tmp_path / "pulumi-resource-kestra-platform-v1.2.3-linux-amd64.tar.gz" in written


def test_the_provenance_names_files_commit_locks_and_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.whl").write_text("abc")
    source = Source(ROOT, "c" * 40, 5, "1.2.3", True)
    monkeypatch.setenv("RELEASE_REPOSITORY", "https://git.example/o/r")
    monkeypatch.setenv("RELEASE_BUILDER", "https://git.example/o/r/w.yml@refs/tags/v1.2.3")
    document = provenance.statement(source, ROOT, [tmp_path / "a.whl"])
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    (subject,) = document["subject"]
    assert subject["digest"]["sha256"].startswith("ba7816bf")
    predicate = document["predicate"]
    assert predicate["runDetails"]["builder"]["id"].endswith("w.yml@refs/tags/v1.2.3")
    materials = predicate["buildDefinition"]["resolvedDependencies"]
    assert materials[0] == {"uri": "git+https://git.example/o/r", "digest": {"gitCommit": "c" * 40}}
    tools = {one["uri"]: one["annotations"] for one in materials if "annotations" in one}
    pinned = pins(ROOT / "requirements" / "dev.in")
    assert all(f"pkg:pypi/{name}@{pinned[name]}" in tools for name in provenance.TOOLS)
    assert all(annotation["sha256 of its files"] for annotation in tools.values())
    # The second build has the same.
    again = provenance.statement(source, ROOT, [tmp_path / "a.whl"])
    assert provenance.as_text(again) == provenance.as_text(document)
