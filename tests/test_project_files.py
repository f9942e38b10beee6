"""The files of the project for its people: workflows, templates, hooks, what they name exists."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from releasing.bill_of_materials import SBOM
from releasing.build import SUMS
from tests.conftest import ROOT
from tests.tiers import PARTS

GITHUB = ROOT / ".github"
WORKFLOWS = {file.stem: file for file in sorted((GITHUB / "workflows").glob("*.yml"))}
EXAMPLES = sorted((ROOT / "examples" / "github-actions").glob("*.yml"))
NOTICE = (ROOT / "NOTICE").read_text()
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
_PINNED = re.compile(r"uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", re.MULTILINE)


def workflow(name: str) -> dict[Any, Any]:
    return yaml.safe_load(WORKFLOWS[name].read_text())


JOBS = {f"{name}/{job}": body for name in WORKFLOWS for job, body in workflow(name)["jobs"].items()}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_pushes_main_and_nights_have_a_workflow() -> None:
    # YAML reads the key `on` as true.
    assert workflow("unit")[True] == {"push": None, "pull_request": None}
    assert workflow("test")[True] == {
        "push": {"branches": ["main"]},
        "pull_request": {"branches": ["main"]},
    }
    assert set(workflow("nightly")[True]) == {"schedule", "workflow_dispatch"}


#: What a job may beside reading the repository.
_PERMISSIONS = {
    "release/sign": {"contents": "read", "id-token": "write", "attestations": "write"},
    "release/pypi": {"id-token": "write"},
    "release/github": {"contents": "write"},
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_reads_the_repository_and_may_nothing_else(name: str) -> None:
    assert workflow(name.split("/")[0])["permissions"] == {}
    assert JOBS[name]["permissions"] == _PERMISSIONS.get(name, {"contents": "read"})
    assert JOBS[name]["timeout-minutes"] <= 120


@pytest.mark.parametrize("name", _PERMISSIONS)
def test_a_job_that_may_more_runs_nothing_of_the_repository(name: str) -> None:
    steps = JOBS[name]["steps"]
    assert not [step for step in steps if "actions/checkout" in step.get("uses", "")]
    commands = [shlex.split(step["run"])[0] for step in steps if "run" in step]
    assert set(commands) <= {"cosign", "gh", "mkdir", "mv"}
    assert not [step for step in steps if "${{" in step.get("run", "")]


def test_a_tag_of_a_version_is_built_then_signed_then_published() -> None:
    document = workflow("release")
    assert document[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}
    jobs = document["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "build": None,
        "sign": "build",
        "pypi": "sign",
        "github": ["sign", "pypi"],
    }
    assert jobs["pypi"]["environment"] == "pypi"
    assert [step["run"] for step in jobs["build"]["steps"] if "run" in step] == [
        "make release",
        "make release-notes",
    ]
    text = WORKFLOWS["release"].read_text()
    # What signs reads files of the release by name.
    for name in (SUMS, SBOM):
        assert f"dist/{name}" in text
    assert "password" not in text


@pytest.mark.parametrize("name", [name for name in JOBS if name not in _PERMISSIONS])
def test_a_job_runs_targets_of_the_makefile(name: str) -> None:
    commands = [step["run"] for step in JOBS[name]["steps"] if "run" in step]
    assert commands
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "make", command
        assert {word for word in words[1:] if "=" not in word} <= targets(), command
        assert "${{" not in command, "what an expression gives is a variable of the environment"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_commit_and_no_secret_is_stored(name: str) -> None:
    text = WORKFLOWS[name].read_text()
    assert len(_PINNED.findall(text)) == text.count("uses:") > 0
    assert "secrets." not in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")


def test_an_action_has_one_commit_in_all_workflows_and_examples() -> None:
    commits: dict[str, set[tuple[str, str]]] = {}
    for file in (*WORKFLOWS.values(), *EXAMPLES):
        for action, commit, version in _PINNED.findall(file.read_text()):
            commits.setdefault(action, set()).add((commit, version))
    assert {action: pins for action, pins in commits.items() if len(pins) > 1} == {}


def test_every_part_of_the_long_tier_runs_at_night() -> None:
    job = JOBS["nightly/long"]
    assert job["strategy"]["matrix"]["part"] == list(PARTS)
    assert job["strategy"]["fail-fast"] is False


def test_every_folder_with_dependencies_gets_updates() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    manifests = {
        "pip": ("requirements/*.in", "tests/tools/*/requirements.txt"),
        "gomod": ("**/go.mod",),
        "maven": ("**/pom.xml",),
        "npm": ("examples/**/package.json", "tests/**/package.json"),
    }
    for ecosystem, patterns in manifests.items():
        folders = {
            f"/{file.parent.relative_to(ROOT)}"
            for pattern in patterns
            for file in ROOT.glob(pattern)
            if not {".venv", "node_modules", ".sandbox"} & set(file.relative_to(ROOT).parts)
        }
        listed = [
            folder
            for update in updates
            if update["package-ecosystem"] == ecosystem
            for folder in update.get("directories", [update.get("directory")])
        ]
        assert sorted(listed) == sorted(folders), ecosystem


def test_owners_are_named_for_paths_that_exist() -> None:
    lines = (GITHUB / "CODEOWNERS").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert rows[0][0] == "*"
    for path, *owners in rows:
        assert owners, path
        assert path == "*" or (ROOT / path.lstrip("/")).exists(), path


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_an_issue_form_asks_something_and_each_field_has_an_id_of_its_own(form: Path) -> None:
    document = yaml.safe_load(form.read_text())
    assert document["name"]
    assert document["description"]
    fields = [field for field in document["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids) > 0
    assert all(field["attributes"]["label"] for field in fields)


def test_the_hooks_run_what_the_project_has() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        words = shlex.split(hook["entry"])
        assert hook["language"] == "system"
        assert words[0] == "make" or (ROOT / words[0]).exists(), hook["id"]
        for word in words[1:]:
            assert not word.startswith("tests/") or (ROOT / word).exists(), word


def test_the_dev_container_has_the_versions_that_the_workflows_use() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    features = {
        name.rpartition("/")[2].partition(":")[0]: options["version"]
        for name, options in container["features"].items()
    }
    used: dict[str, str] = {}
    for step in JOBS["test/test"]["steps"]:
        for option, value in step.get("with", {}).items():
            if option.endswith("-version"):
                used[option.removesuffix("-version")] = value
    assert features == used


def test_the_licence_is_whole_and_the_notice_names_what_is_there() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    paths = re.findall(r"^((?:components|policy|sandbox|tests)/[^\s,]+)", NOTICE, re.MULTILINE)
    assert len(paths) >= 7
    for path in paths:
        assert any(ROOT.glob(path.rstrip("/"))), path


def test_the_notice_names_every_file_of_data_that_was_read_from_sdks() -> None:
    named = re.findall(r"^(\S+\.(?:json|yaml|tsv))", NOTICE.replace(", except", " "), re.MULTILINE)
    listed = {file for pattern in named for file in ROOT.glob(pattern)}
    data = {*ROOT.glob("sandbox/providers/*/schema.json"), *ROOT.glob("components/**/*.tsv")}
    assert data | set(ROOT.glob("components/**/*_types.json")) <= listed
