"""The released pack in the real engine, on stacks that are not this project's: previews, plans and states."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.policy.engine_support import JudgedStack
from tests.policy.pack_distribution_support import extracted, installed_command
from tests.policy.public_stacks_support import STACKS, declare, golden

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_command(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(tmp_path_factory.mktemp("extracted"))


def _all_at(directory: Path, level: str) -> Path:
    """A configuration with one level for all controls."""
    file = directory / f"{level}.json"
    file.write_text(json.dumps({"all": level}))
    return file


def _recorded(name: str) -> set[tuple[str, str]]:
    """Control and message of the recorded findings."""
    lines = [line.split("  ", 3) for line in golden(f"{name}.naive").read_text().splitlines()]
    return {(line[0], line[3]) for line in lines if line[1] != "undecided"}


def _violations(events: list[Any]) -> set[tuple[str, str]]:
    return {
        (event.policy_event.policy_name, event.policy_event.message.partition("\n")[2].strip())
        for event in events
        if event.policy_event is not None
    }


@pytest.mark.parametrize("name", STACKS)
def test_a_preview_under_the_installed_pack_finds_what_is_recorded(
    tmp_path: Path, tools: dict[str, Path], command: Path, name: str
) -> None:
    stack = JudgedStack(tmp_path / "stack", tools["pulumi"], "kestra-prod")
    events: list[Any] = []
    # What can be mended is, where the level says so, and then it is no violation any more.
    config = _all_at(tmp_path, "mandatory")
    accepted, said = stack.preview(lambda: declare(f"{name}.naive"), command, events, config)
    assert not accepted
    assert _violations(events) == _recorded(name), said
    events.clear()
    accepted, said = stack.preview(lambda: declare(f"{name}.hardened"), command, events)
    assert accepted, said
    assert _violations(events) == set()


def test_the_folder_of_the_archive_judges_alike(
    tmp_path: Path, tools: dict[str, Path], folder: Path
) -> None:
    stack = JudgedStack(tmp_path, tools["pulumi"], "kestra-prod")
    events: list[Any] = []
    accepted, said = stack.preview(lambda: declare("manifests.naive"), folder, events)
    assert not accepted
    assert _violations(events) == _recorded("manifests"), said


def test_a_wrong_configuration_is_refused_with_everything_that_is_wrong(
    tmp_path: Path, tools: dict[str, Path], command: Path
) -> None:
    config = tmp_path / "policy.json"
    written = {"ks-configuration": {"registrys": ["x"]}, "ks-kestra-4": "advisory"}
    config.write_text(json.dumps(written))
    stack = JudgedStack(tmp_path / "stack", tools["pulumi"], "kestra-prod")
    accepted, said = stack.preview(lambda: declare("manifests.hardened"), command, [], config)
    assert not accepted
    assert "`ks-configuration.registrys` is no option; did you mean `registries`?" in said
    assert "`ks-kestra-4` is no control of this pack; did you mean `ks-kestra-04`?" in said
    assert "Traceback" not in said


def test_the_environment_that_a_stack_or_a_variable_names_decides_the_levels(
    tmp_path: Path, tools: dict[str, Path], command: Path
) -> None:
    stack = JudgedStack(tmp_path, tools["pulumi"], "kestra-dev")
    events: list[Any] = []
    accepted, said = stack.preview(lambda: declare("manifests.naive"), command, events)
    assert accepted, said
    levels = {e.policy_event.enforcement_level for e in events if e.policy_event is not None}
    assert levels == {"advisory"}


def _judge(command: Path, *arguments: str | Path) -> tuple[int, set[tuple[str, str]], str]:
    done = subprocess.run(
        [str(command), "judge", "--json", *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode < 2, done.stderr
    document = json.loads(done.stdout)
    return (
        done.returncode,
        {(v["control"], v["message"]) for v in document["violations"]},
        done.stdout,
    )


def test_a_saved_state_is_judged_alike_by_the_engine_and_without_it(
    tmp_path: Path, tools: dict[str, Path], command: Path
) -> None:
    stack = JudgedStack(tmp_path, tools["pulumi"], "kestra-prod")
    stack.update(lambda: declare("terraform.naive"))
    state = tmp_path / "state.json"
    stack.engine("stack", "export", "--stack", "kestra-prod", "--file", state)
    done = stack.engine("policy", "analyze", "--file", state, "--policy-pack", command, "--json")
    assert done.returncode != 0
    assert "mandatory policy violations were found" in done.stderr
    said = [json.loads(line).get("policyEvent") for line in done.stdout.splitlines()]
    of_engine = {
        (e["policyName"], e["message"].partition("\n")[2].strip()) for e in said if e is not None
    }
    refused, without_engine, _ = _judge(command, state)
    assert refused == 1
    assert of_engine == without_engine
    assert {"ks-secret-stores-14", "ks-storage-02"} <= {control for control, _ in of_engine}


def test_a_state_whose_secrets_nobody_can_decrypt_raises_no_alarm(
    tmp_path: Path, tools: dict[str, Path], command: Path
) -> None:
    stack = JudgedStack(tmp_path, tools["pulumi"], "kestra-prod")
    stack.update(lambda: declare("manifests.hardened"))
    state = tmp_path / "state.json"
    stack.engine("stack", "export", "--stack", "kestra-prod", "--file", state)
    assert "Planted" not in state.read_text()
    done = stack.engine(
        "policy", "analyze", "--file", state, "--policy-pack", command, PULUMI_CONFIG_PASSPHRASE="x"
    )
    assert "secret values redacted" in done.stderr
    assert done.returncode == 0, done.stdout[-3000:]
    refused, violations, shown = _judge(command, state)
    assert (refused, violations) == (0, set())
    assert "data.application.yaml" in shown or "application.yaml" in shown


def test_a_saved_plan_is_judged_as_its_preview_was(
    tmp_path: Path, tools: dict[str, Path], command: Path
) -> None:
    stack = JudgedStack(tmp_path / "stack", tools["pulumi"], "kestra-prod")
    plan, events = tmp_path / "plan.json", []
    stack.preview(lambda: declare("helm-release.naive"), command, events)
    accepted, said = stack.preview(
        lambda: declare("helm-release.naive"),
        command,
        [],
        _all_at(tmp_path, "advisory"),
        plan=str(plan),
    )
    assert accepted, said
    refused, violations, _ = _judge(command, plan)
    assert refused == 1
    assert violations == _violations(events)
