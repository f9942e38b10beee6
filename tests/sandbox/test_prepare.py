"""What is prepared for a command: which packages, tools and Kestra a stack needs, and in which order."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import prepare
from sandbox.errors import SandboxError
from sandbox.jobs import Job

CONSOLE = Console(file=io.StringIO())


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Every job in the order in which it would start; none runs."""
    started: list[Job] = []

    def record(first: Sequence[Job], console: Console) -> None:
        for job in first:
            started.append(job)
            if job.on_done is not None:
                started.extend(job.on_done())

    monkeypatch.setattr(prepare, "run_jobs", record)
    return started


def titles(jobs: list[Job]) -> set[str]:
    return {job.title for job in jobs}


def test_up_needs_packages_tools_and_the_kestra_of_the_stack(jobs: list[Job]) -> None:
    prepare.prepare("up", "local", CONSOLE)
    assert titles(jobs) == {"Python packages", "Pulumi engine and Kubernetes", "Kestra 1.3"}
    (kestra,) = (job for job in jobs if job.title == "Kestra 1.3")
    assert kestra.commands[0][-2:] == ["--kestra", "1.3"]
    assert kestra.after is None


def test_nothing_that_up_does_not_run_is_built_for_it(jobs: list[Job]) -> None:
    prepare.prepare("up", "local", CONSOLE)
    words = {word for job in jobs for command in job.commands for word in command}
    assert not words & {"vault", "kubeconform"}


def test_a_preview_needs_no_kestra_and_a_report_no_tools(jobs: list[Job]) -> None:
    prepare.prepare("preview", "local", CONSOLE)
    assert titles(jobs) == {"Python packages", "Pulumi engine and Kubernetes"}
    jobs.clear()
    prepare.prepare("report", "local", CONSOLE)
    assert titles(jobs) == {"Python packages"}


def test_vault_is_built_after_the_other_tools(jobs: list[Job]) -> None:
    prepare.prepare("up", "local-vault", CONSOLE)
    (vault,) = (job for job in jobs if job.title == "Vault")
    assert vault.after is not None
    assert vault.after.title == "Pulumi engine and Kubernetes"


def test_the_operator_is_built_after_vault_for_a_stack_that_uses_it(jobs: list[Job]) -> None:
    prepare.prepare("up", "example-oss-vault", CONSOLE)
    (operator,) = (job for job in jobs if job.title == "External Secrets Operator")
    assert operator.commands[0][-1] == "external-secrets"
    assert operator.after is not None
    assert operator.after.title == "Vault"
    jobs.clear()
    prepare.prepare("report", "example-oss-vault", CONSOLE)
    assert "External Secrets Operator" not in titles(jobs)


def test_only_the_sdk_of_the_stack_is_installed(jobs: list[Job]) -> None:
    prepare.prepare("report", "example-aws-secret-manager", CONSOLE)
    assert titles(jobs) == {"Python packages", "pulumi-aws"}
    (sdk,) = (job for job in jobs if job.title == "pulumi-aws")
    assert sdk.commands[0][-2:] == ["-r", "requirements/aws.txt"]


@pytest.mark.usefixtures("jobs")
def test_a_stack_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SandboxError, match=r"There is no stack nowhere\. Known are .*local-vault"):
        prepare.prepare("report", "nowhere", CONSOLE)


@pytest.mark.usefixtures("jobs")
def test_problems_of_the_settings_are_reported_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.bad.yaml").write_text(
        "config: {kestra:version: '7', kestra:edition: x}"
    )
    monkeypatch.setattr(prepare, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert prepare.main(["report", "bad"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("Error: 2 problems in the settings:")
    assert "kestra:version" in printed
    assert "kestra:edition" in printed


def test_it_imports_nothing_that_the_first_packages_do_not_bring() -> None:
    """It runs before the others are installed."""
    code = (
        "import sys, sandbox.prepare; "
        "print(sorted({'yaml', 'pydantic', 'pulumi', 'kubernetes', 'boto3', 'components.settings'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_real_nodes_are_built_only_for_pods_and_after_the_other_tools(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare.machine_needs, "require", lambda: None)
    prepare.prepare("pods", "local-vault", CONSOLE)
    (nodes,) = (job for job in jobs if job.title == "Programs of real nodes")
    assert "kubelet" in nodes.commands[0]
    assert nodes.after is not None
    assert nodes.after.title == "Vault"
    jobs.clear()
    prepare.prepare("up", "local-vault", CONSOLE)
    assert "Programs of real nodes" not in titles(jobs)
