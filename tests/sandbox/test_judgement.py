"""Every preview and update is judged by the policy pack; a person reads why, and nothing is made."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from rich.console import Console

from policy import controls
from policy.core.model import Problem, Resource, message
from sandbox.cli import main
from sandbox.judgement import Pack, Violation, counted, show
from sandbox.state import State
from tests.conftest import ROOT

CONTROL = controls.ALL[0]


def _found(text: str, *, level: str = "mandatory", control: str = CONTROL.id) -> Violation:
    event: Any = SimpleNamespace(
        policy_name=control, enforcement_level=level, resource_urn=None, message=text
    )
    return Violation.of(event)


def _shown(*violations: Violation) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False, soft_wrap=True)
    show(console, violations)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_violation_names_control_resource_what_it_has_what_it_should_have_and_the_setting() -> (
    None
):
    problem = Problem("uses latest", "a digest", "spec.image", setting="kestra:deployment.image")
    text = message(CONTROL, problem, Resource("kubernetes:apps/v1:Deployment", "web"))
    shown = _shown(_found(f"{CONTROL.risk}\n{text}"), _found("Other words", level="advisory"))
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[0] == f"✗ {CONTROL.id} mandatory, {CONTROL.severity}: {CONTROL.title}"
    assert lines[1] == (
        "web (kubernetes:apps/v1:Deployment): uses latest. Wanted: a digest."
        " Change spec.image; with kestra-on-pulumi: kestra:deployment.image."
    )
    assert "Other words" in shown


def test_the_mandatory_ones_come_first_and_nothing_is_told_twice() -> None:
    shown = _shown(
        _found("a", level="advisory", control="ks-a-01"),
        _found("b", control="ks-b-01"),
        _found("b", control="ks-b-01"),
    )
    assert shown.split() == ["✗", "ks-b-01", "mandatory", "b", "!", "ks-a-01", "advisory", "a"]


def test_violations_are_counted_with_their_controls() -> None:
    one, two = _found("a", control="ks-a-01"), _found("b", control="ks-b-01")
    assert counted([one]) == "1 violation of ks-a-01"
    assert counted([one, two, one]) == "3 violations of ks-a-01 and ks-b-01"


def test_a_configuration_of_the_pack_that_is_no_document_is_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "options.json").write_text("{")
    asked = ["preview", "local", "--state", str(tmp_path / "state")]
    assert main([*asked, "--policy-config", str(tmp_path / "options.json")]) == 1
    assert "options.json is no JSON document" in capsys.readouterr().err
    assert not State(tmp_path / "state").services.exists()


def test_the_line_says_how_many_controls_at_which_levels() -> None:
    assert str(Pack("production")) == (
        f"{len(controls.ALL)} controls at the levels of production: a violation refuses the update"
    )
    assert "violations are only told" in str(Pack("development"))
    assert str(Pack("staging", Path("/x/options.json"))).endswith("options of options.json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox of the tests' own, with the local stack as it would be in staging."""
    root = tmp_path_factory.mktemp("judged")
    shutil.copytree(ROOT / "stacks", root / "stacks")
    document = yaml.safe_load((ROOT / "stacks" / "Pulumi.local.yaml").read_text())
    document["config"]["kestra:tags"]["environment"] = "staging"
    (root / "stacks" / "Pulumi.loose.yaml").write_text(yaml.safe_dump(document))
    yield root
    main(["down", "--purge", "--state", str(root / "state")])


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    where = ["--state", str(folder / "state"), "--stacks", str(folder / "stacks")]
    code = main([*arguments, *where])
    output = capsys.readouterr()
    assert "Traceback" not in output.out + output.err
    return code, output.out, output.err


@pytest.mark.engine
def test_a_mandatory_violation_ends_an_update_before_anything_is_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(folder, capsys, "up", "loose")
    assert code == 1
    assert f"Policy: {len(controls.ALL)} controls at the levels of staging" in out
    assert "ks-kubernetes-07 mandatory" in out
    assert "kestra-standalone (kubernetes:apps/v1:Deployment)" in out
    assert "kestra:deployment.image.digest" in out
    (sentence,) = err.splitlines()
    assert sentence.startswith("Error: The policy pack refuses stack loose: ")
    assert "Nothing was created or changed" in sentence
    (state,) = (folder / "state").rglob("loose.json")
    latest = json.loads(state.read_text())["checkpoint"].get("latest") or {}
    assert not latest.get("resources")


@pytest.mark.engine
def test_without_the_pack_a_line_says_that_it_is_off(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _run(folder, capsys, "preview", "loose", "--no-policy")
    assert code == 0
    assert "Policy: off (--no-policy); nothing judges this stack." in out
    assert "ks-kubernetes-07" not in out


@pytest.mark.engine
def test_in_development_a_violation_is_told_and_refuses_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _run(folder, capsys, "preview", "local")
    assert code == 0
    assert "levels of development: violations are only told" in out
    assert "ks-kubernetes-07 advisory" in out
