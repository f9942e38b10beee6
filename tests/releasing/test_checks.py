"""What keeps a commit from being released: all of it at once, with what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from components import __version__
from components.package.schema import package_schema
from components.package.schema_changes import released_form
from releasing import changelog, checks, versions
from releasing.__main__ import main
from releasing.problems import ReleaseError
from releasing.source import Source, export, of_head
from releasing.surface import as_text, surface
from tests.conftest import ROOT
from tests.releasing.repository_support import commit, git

_LOG = f"# Changelog\n\n## Unreleased\n\n## {__version__} - 2026-11-24\n- The first.\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A commit that can be released, with the files that the checks read."""
    root = tmp_path_factory.mktemp("template")
    for file in (versions.PLACE, *(follower.file for follower in versions.FOLLOWERS)):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    (root / changelog.FILE).write_text(_LOG)
    _snapshots(root, __version__)
    commit(root)
    git(root, "tag", f"v{__version__}")
    return root


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    """A copy of it, for a test to change."""
    shutil.copytree(template, tmp_path / "repository")
    return tmp_path / "repository"


def _snapshots(root: Path, version: str) -> None:
    for folder in (checks.SURFACES, checks.SCHEMAS, f"{checks.STATES}/{version}"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / checks.SURFACES / f"{version}.json").write_text(as_text(surface()))
    (root / checks.SCHEMAS / f"{version}.json").write_text("{}")
    (root / checks.STATES / version / "state.json").write_text("{}")


def _problems(root: Path, *, is_released: bool = True) -> list[str]:
    return list(checks.problems(of_head(root, is_released=is_released)))


def test_a_tagged_commit_with_everything_has_no_problem(repository: Path) -> None:
    assert _problems(repository) == []


def test_every_problem_is_said_at_once(repository: Path) -> None:
    (repository / changelog.FILE).write_text("## Unreleased\n- Something.\n")
    (repository / "docs" / "support.md").write_text("Version 9.9.9 of this project is tested\n")
    shutil.rmtree(repository / "tests")
    shutil.rmtree(repository / checks.SURFACES)
    git(repository, "tag", "--delete", f"v{__version__}")
    git(repository, "commit", "--quiet", "--all", "--message", "Worse")
    git(repository, "tag", "v0.0.9")
    (repository / "new.txt").write_text("not committed")
    text = "\n".join(_problems(repository))
    assert [word for word in _EXPECTED if word not in text] == []
    assert len(_problems(repository)) == len(_EXPECTED)


_EXPECTED = [
    "only the commit is built: new.txt. Commit or remove them.",
    f"docs/support.md names version 9.9.9, components/__init__.py has {__version__}. Run: python -m releasing version",
    "The commit is tagged v0.0.9",
    f"CHANGELOG.md has no section of {__version__}",
    "CHANGELOG.md has entries under Unreleased",
    f"{checks.SURFACES} has no {__version__}.json",
    f"{checks.SCHEMAS} has no {__version__}.json",
    f"{checks.STATES} has no {__version__}",
]


def test_a_version_that_is_released_already_is_not_released_again(repository: Path) -> None:
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "Later")
    (problem,) = _problems(repository)
    assert problem.startswith(f"v{__version__} is the tag of another commit")


def test_a_commit_without_a_tag_is_told_how_to_get_one(repository: Path) -> None:
    git(repository, "tag", "--delete", f"v{__version__}")
    (problem,) = _problems(repository)
    assert f"git tag --sign v{__version__}" in problem
    assert "make release UNRELEASED=1" in problem


def test_a_snapshot_that_is_not_what_the_program_has_is_stale(repository: Path) -> None:
    (repository / checks.SURFACES / f"{__version__}.json").write_text("{}\n")
    git(repository, "commit", "--quiet", "--all", "--message", "Stale")
    git(repository, "tag", "--force", f"v{__version__}")
    (problem,) = _problems(repository)
    assert (
        "is not what the program has. Raise the version: python -m releasing version NEW" in problem
    )
    with pytest.raises(ReleaseError, match="its snapshots stay"):
        checks.write_snapshots(repository, __version__)


def test_a_build_to_try_needs_neither_tag_nor_changelog_but_a_commit(repository: Path) -> None:
    (repository / changelog.FILE).write_text("")
    git(repository, "tag", "--delete", f"v{__version__}")
    (problem,) = _problems(repository, is_released=False)
    assert "CHANGELOG.md" in problem
    git(repository, "commit", "--quiet", "--all", "--message", "Try")
    source = of_head(repository, is_released=False)
    assert list(checks.problems(source)) == []
    assert source.version == f"{__version__}+g{source.commit[:12]}"
    assert source.written_version == __version__


@pytest.mark.parametrize(
    "version", ["1.2", "1.2.3rc1", "v1.2.3", "1.02.3", "1.2.3-beta", "", "1.2.3.4"]
)
def test_a_release_has_three_numbers(version: str) -> None:
    assert not versions.is_release_version(version)
    assert versions.is_release_version("10.0.3")


def test_a_version_of_another_form_is_refused(repository: Path) -> None:
    versions.write_version(repository, "1.2.3rc1")
    git(repository, "commit", "--quiet", "--all", "--message", "Form")
    (problem,) = _problems(repository)
    assert "has version 1.2.3rc1; a release has three numbers" in problem


def test_where_there_is_no_repository_git_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="git rev-parse failed"):
        of_head(tmp_path)


def test_a_repository_without_a_commit_and_a_folder_of_another_one_are_told(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(ReleaseError, match="has no commit yet"):
        of_head(tmp_path)
    (tmp_path / "inner").mkdir()
    with pytest.raises(ReleaseError, match="lies in that of"):
        of_head(tmp_path / "inner")


def test_a_shallow_clone_is_told_to_fetch_the_tags(repository: Path, tmp_path: Path) -> None:
    (repository / "later.txt").write_text("x")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Later")
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    git(clone, "checkout", "--quiet", "--detach")
    (problem,) = (one for one in _problems(clone) if "tag" in one)
    assert problem.endswith("Run: git fetch --unshallow --tags")


def test_settings_of_the_users_git_change_nothing_of_a_build(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = of_head(repository)
    export(plain, tmp_path / "plain")
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[log]\n showSignature = true\n[core]\n autocrlf = true\n[tar]\n umask = 0077\n"
        "[column]\n ui = always\n[color]\n ui = always\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    source = of_head(repository)
    assert source == plain
    export(source, tmp_path / "set")
    for file in (tmp_path / "plain").rglob("*"):
        other = tmp_path / "set" / file.relative_to(tmp_path / "plain")
        assert other.stat().st_mode == file.stat().st_mode
        assert file.is_dir() or other.read_bytes() == file.read_bytes()


def test_the_next_version_is_written_everywhere_at_once(repository: Path) -> None:
    files = {versions.PLACE, *(follower.file for follower in versions.FOLLOWERS)}
    assert set(versions.write_version(repository, "7.8.9")) == files
    assert versions.version_of(repository) == "7.8.9"
    assert list(versions.follower_problems(repository, "7.8.9")) == []
    assert versions.write_version(repository, "7.8.9") == []
    text = changelog.released(
        "# Log\n\n## Unreleased\n\n- A.\n\n## 0.1.0 - 2026-11-24\n", "7.8.9", "2027-01-02"
    )
    assert [(s.version, s.text) for s in changelog.sections(text)] == [
        ("Unreleased", ""),
        ("7.8.9", "- A."),
        ("0.1.0", ""),
    ]


def test_no_other_file_writes_the_version_by_hand() -> None:
    known = {versions.PLACE, changelog.FILE, *(follower.file for follower in versions.FOLLOWERS)}
    assert list(versions.follower_problems(ROOT, __version__)) == []
    listed = subprocess.run(
        ["git", "grep", "-lE", rf"(^|[^0-9.]){re.escape(__version__)}($|[^0-9.])", "--", ":!tests", ":!releasing/surfaces", ":!*.sum", ":!*lock*", ":!sandbox/tools",
         ":!requirements*", ":!docs/adr", ":!docs/releases.md", ":!docs/upgrade.md", ":!components/catalogue"],
        cwd=ROOT, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert set(listed) <= known
    written = re.compile(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])")
    for follower in versions.FOLLOWERS:
        text = (ROOT / follower.file).read_text()
        places = re.findall(follower.pattern, text, re.MULTILINE)
        assert len(places) == len(written.findall(text)), f"{follower.file}: write X.Y.Z"


def test_the_command_says_problems_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "1.2"]) == 1
    assert capsys.readouterr().err == "- 1.2 is no version of a release: three numbers, 1.2.3.\n"
    assert main(["version", "1.2.3", "--day", "tomorrow"]) == 1
    assert capsys.readouterr().err == "- tomorrow is no day: YYYY-MM-DD.\n"
    assert main(["notes", "--output", str(ROOT)]) == 1
    assert capsys.readouterr().err == f"- {ROOT}: Is a directory\n"


def test_a_folder_with_other_files_is_left_as_it_is(tmp_path: Path) -> None:
    from releasing.build import build_twice
    from sandbox.progress import Progress

    (tmp_path / "thesis.txt").write_text("mine")
    source = Source(ROOT, "0" * 40, 0, __version__, True)
    with pytest.raises(ReleaseError, match="holds files that are of no release"):
        build_twice(source, tmp_path, Progress())
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    with pytest.raises(ReleaseError, match="is a file"):
        build_twice(source, tmp_path / "thesis.txt", Progress())


def test_a_changelog_that_cannot_be_read_is_said_with_everything_else(repository: Path) -> None:
    (repository / changelog.FILE).write_text("## Sometime\n")
    (repository / changelog.UPGRADE_FILE).write_text("")
    said = checks.undocumented(repository)
    assert "the heading 'Sometime' is neither" in said
    assert said in ReleaseError([*_problems(repository), said]).problems
    assert str(ReleaseError([said, said])).count("Sometime") == 1


def test_a_schema_that_breaks_programs_is_asked_for_in_both_files(tmp_path: Path) -> None:
    for file in (changelog.FILE, changelog.UPGRADE_FILE):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    before = json.loads(json.dumps(released_form(package_schema())))
    before["resources"]["kestra-platform:index:Gone"] = {}
    _snapshots(tmp_path, "0.1.0")
    (tmp_path / checks.SCHEMAS / "0.1.0.json").write_text(json.dumps(before))
    line = "The component `Gone` is removed."
    text = checks.undocumented(tmp_path)
    assert f"\n- {line}\n" in text
    assert f"\n- what to do. ({line})" in text
    log, page = tmp_path / changelog.FILE, tmp_path / changelog.UPGRADE_FILE
    log.write_text(log.read_text().replace("## Unreleased\n", f"## Unreleased\n- {line}\n"))
    page.write_text(
        page.read_text().replace(
            "### From 0.1.0\n", "### From 0.1.0\nNo `Gone` any more: leave it out.\n"
        )
    )
    assert checks.undocumented(tmp_path) == ""


def test_snapshots_are_of_this_version_alone(tmp_path: Path) -> None:
    for folder in (checks.SURFACES, checks.SCHEMAS):
        (tmp_path / folder).mkdir(parents=True)
    git(tmp_path, "init", "--quiet")
    written = checks.write_snapshots(tmp_path, "7.8.9")
    assert {file.name for file in tmp_path.rglob("*.json")} == {"7.8.9.json"}
    assert len(written) == 2
    assert checks.schema_changes(tmp_path, "7.8.9") == []
    assert checks.schema_changes(tmp_path, "7.8.8") == []


def test_a_file_that_cannot_be_written_is_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notes", "--output", str(tmp_path / "none" / "notes.md")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"- {tmp_path}")
    assert error.endswith("No such file or directory\n")
