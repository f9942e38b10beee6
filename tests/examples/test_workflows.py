"""The example workflows keep what their page promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT / "examples" / "github-actions"
FILES = {file.stem: file for file in sorted(FOLDER.glob("*.yml"))}
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
#: What a job may hold, and no more.
ALLOWED = {
    "preview/check": {"contents": "read"},
    "preview/preview": {"contents": "read", "id-token": "write", "pull-requests": "write"},
    "deploy/preview": {"contents": "read", "id-token": "write"},
    "deploy/up": {"contents": "read", "id-token": "write"},
    "drift/drift": {"contents": "read", "id-token": "write"},
}


def workflow(name: str) -> dict[Any, Any]:
    return yaml.safe_load(FILES[name].read_text())


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in FILES:
        for job, job_block in workflow(name)["jobs"].items():
            yield f"{name}/{job}", job_block


JOBS = dict(jobs())


def test_the_three_workflows_are_there() -> None:
    assert set(FILES) == {"preview", "deploy", "drift"}
    assert set(JOBS) == set(ALLOWED)


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_permitted_at_the_top(name: str) -> None:
    assert workflow(name)["permissions"] == {}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_may_only_what_it_uses(name: str) -> None:
    assert JOBS[name]["permissions"] == ALLOWED[name]
    assert JOBS[name]["timeout-minutes"] <= 60


@pytest.mark.parametrize("name", JOBS)
def test_actions_are_pinned_by_commit_and_say_their_version(name: str) -> None:
    uses = [step["uses"] for step in JOBS[name]["steps"] if "uses" in step]
    assert uses
    text = FILES[name.split("/")[0]].read_text()
    for action in uses:
        assert PINNED.match(action), action
        assert re.search(rf"{re.escape(action)} # v\d+\.\d+\.\d+\n", text), action


def test_an_action_has_one_commit_in_all_files() -> None:
    commits: dict[str, set[str]] = {}
    for job in JOBS.values():
        for step in job["steps"]:
            action, _, commit = step.get("uses", "").partition("@")
            commits.setdefault(action, set()).add(commit)
    assert all(len(commits) == 1 for commits in commits.values()), commits


@pytest.mark.parametrize("name", FILES)
def test_no_workflow_has_a_stored_secret_or_a_static_key(name: str) -> None:
    text = FILES[name].read_text()
    assert "secrets." not in text
    for word in ("ACCESS_KEY", "CLIENT_SECRET", "credentials_json", "PASSPHRASE", "ACCESS_TOKEN"):
        assert word.lower() not in text.lower()


@pytest.mark.parametrize("name", JOBS)
def test_commands_print_no_variable_and_take_nothing_from_expressions(name: str) -> None:
    for step in JOBS[name]["steps"]:
        command = step.get("run", "")
        assert "${{" not in command
        assert not re.search(r"\b(echo|printf|printenv|env|set -x|cat)\b", command)
        assert "--show-secrets" not in command


@pytest.mark.parametrize("name", JOBS)
def test_the_checkout_leaves_no_token_behind(name: str) -> None:
    (checkout,) = [
        s for s in JOBS[name]["steps"] if s.get("uses", "").startswith("actions/checkout")
    ]
    assert checkout["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", [n for n in JOBS if "id-token" in ALLOWED[n]])
def test_whoever_logs_in_does_so_by_oidc_in_an_environment(name: str) -> None:
    job = JOBS[name]
    assert job["environment"] == ("production" if name == "deploy/up" else "production-preview")
    options = {s["uses"].split("@")[0]: s["with"] for s in job["steps"] if "uses" in s}
    assert set(options["aws-actions/configure-aws-credentials"]) == {"role-to-assume", "aws-region"}
    assert set(options["azure/login"]) == {"client-id", "tenant-id", "subscription-id"}
    assert "workload_identity_provider" in options["google-github-actions/auth"]
    assert options["hashicorp/vault-action"]["method"] == "jwt"


def test_pull_requests_are_previewed_with_the_pack_and_forks_get_no_log_in() -> None:
    preview = workflow("preview")
    # YAML reads the key `on` as true.
    assert preview[True] == {"pull_request": {"branches": ["main"]}}
    job = preview["jobs"]["preview"]
    assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    (step,) = [s for s in job["steps"] if s.get("with", {}).get("command")]
    assert step["with"] | {"policyPacks": "policy", "comment-on-pr": True} == step["with"]
    assert step["with"]["command"] == "preview"


def test_main_is_updated_with_the_pack_and_after_a_preview() -> None:
    deploy = workflow("deploy")
    assert deploy[True] == {"push": {"branches": ["main"]}}
    assert deploy["jobs"]["up"]["needs"] == "preview"
    assert deploy["concurrency"]["cancel-in-progress"] is False
    (update,) = [s["run"] for s in deploy["jobs"]["up"]["steps"] if "pulumi up" in s.get("run", "")]
    assert "--policy-pack policy" in update
    assert "--skip-preview" not in update


def test_drift_is_looked_for_and_nothing_is_written() -> None:
    drift = workflow("drift")
    assert set(drift[True]) == {"schedule", "workflow_dispatch"}
    commands = [s["run"] for s in drift["jobs"]["drift"]["steps"] if "pulumi " in s.get("run", "")]
    command, versions = commands
    assert command.startswith("pulumi preview ")
    assert "--refresh" in command
    assert "--expect-no-changes" in command
    assert versions.startswith("pulumi stack export ")
    assert versions.endswith("| .venv/bin/python -m components drift -")
    assert "--show-secrets" not in versions


def test_the_engine_is_the_one_of_the_requirements() -> None:
    (version,) = re.findall(
        r"^pulumi==(.+)$", (ROOT / "requirements" / "core.in").read_text(), re.M
    )
    versions = {
        step["with"]["pulumi-version"]
        for job in JOBS.values()
        for step in job["steps"]
        if step.get("uses", "").startswith("pulumi/actions")
    }
    assert versions == {version}


def test_the_page_names_every_variable_that_the_workflows_use() -> None:
    page = (ROOT / "docs" / "continuous-integration.md").read_text()
    for file in FILES.values():
        for name in re.findall(r"vars\.(\w+)", file.read_text()):
            assert f"`{name}`" in page, name
