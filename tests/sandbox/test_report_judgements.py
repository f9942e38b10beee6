"""What the report judges: the resources of a state or of the program, control by control."""

from __future__ import annotations

import html as escaping
import json
from pathlib import Path
from typing import Any

import pytest

from policy import controls
from policy.core.model import Resource
from policy.core.options import Exemption, Options
from policy.core.values import UNKNOWN, Sealed, Undecided, reveal
from sandbox.cli import main
from sandbox.errors import SandboxError
from sandbox.inspection.recorder import SECRET as MARK
from sandbox.inspection.recorder import SIGNATURE
from sandbox.inspection.resources import StackResources, plain, read_resources
from sandbox.report.judgement import judge
from sandbox.report.page import html
from tests.conftest import stack_document
from tests.sandbox.report_support import report_of, report_of_stack

SECRET = {SIGNATURE: MARK}


def _run(stack: str, *arguments: str | Path) -> int:
    return main(["report", stack, *(str(part) for part in arguments)])


def test_every_control_is_counted_once_in_chart_and_table() -> None:
    made = report_of_stack("example-aws-secret-manager")
    assert sum(bar.total for bar in made.judgements.areas) == len(controls.ALL)
    read = escaping.unescape(html(made))
    for control in controls.ALL:
        cells = f'<code class="id">{control.id}</code></th><td>{control.title}</td><td>{control.severity}</td>'
        assert read.count(cells) == 1


def test_a_violation_refuses_in_production_and_is_advice_in_development() -> None:
    tags = {"environment": "production", "owner": "platform"}
    told = report_of_stack("local")
    strict = report_of_stack("local", tags=tags)
    for made, level in ((told, "advisory"), (strict, "mandatory")):
        (found,) = [j for j in made.judgements.all if j.control.id == "ks-kubernetes-07"]
        assert (found.result, found.level) == ("violated", level)
    assert "The pack lets this stack pass, with advice." in html(told)
    assert "The pack refuses this stack." in html(strict)


def test_an_exemption_of_the_configuration_counts_and_is_shown() -> None:
    exempt = Exemption("ks-kubernetes-07", "kestra-*", "trying", "platform", "2999-12-31")
    made = report_of(stack_document("local"), options=Options(exemptions=(exempt,)))
    (found,) = [j for j in made.judgements.all if j.control.id == "ks-kubernetes-07"]
    assert found.result == "satisfied"
    assert "does not apply to" in html(made).replace("<wbr>", "")


def test_a_value_that_is_not_known_is_undecided_and_no_violation() -> None:
    key = Resource("aws:kms/key:Key", "key", {"enableKeyRotation": UNKNOWN})
    found = judge(StackResources("recorded", (key,)), "production", Options())
    (rotation,) = [j for j in found.all if j.control.id == "ks-keys-01"]
    assert rotation.result == "undecided"
    assert rotation.undecided == ("key: enableKeyRotation",)


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ("example-azure-key-vault", "Azure has no server on one machine"),
        ("example-google-secret-manager", "there is no server for them on one machine"),
        ("example-aws-secret-manager", "AWS is a local API server (moto)"),
    ],
)
def test_the_report_says_what_it_could_only_judge_by_inputs(stack: str, words: str) -> None:
    page = html(report_of_stack(stack))
    assert words in page
    assert "its inputs only: no server was asked" in page


def _state(folder: Path, resources: list[dict[str, Any]]) -> Path:
    file = folder / "backend" / ".pulumi" / "stacks" / "kestra" / "local.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))
    return file


def test_the_state_of_the_last_update_is_judged_where_there_is_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    urn = "urn:pulumi:local::kestra::aws:kms/key:Key::old-key"
    key = {"urn": urn, "type": "aws:kms/key:Key", "inputs": {"enableKeyRotation": False}}
    _state(tmp_path / "s", [key])
    (tmp_path / "s" / ".kestra-sandbox").write_text("")
    assert _run("local", "--state", tmp_path / "s") == 0
    page = (tmp_path / "s" / "reports" / "local.html").read_text().replace("<wbr>", "")
    assert "old-key (aws:kms/key:Key)" in page
    assert "of the last update in the sandbox" in page
    assert "kestra-standalone" not in page


def test_secrets_of_a_state_are_closed_and_cannot_be_decided(tmp_path: Path) -> None:
    secret = {**SECRET, "ciphertext": "v1:abc:def"}
    urn = "urn:pulumi:local::kestra::kubernetes:core/v1:Secret::it"
    entry = {"urn": urn, "type": "kubernetes:core/v1:Secret", "inputs": {"data": secret}}
    found = read_resources(_state(tmp_path, [entry, entry | {"delete": True}]))
    assert found is not None
    (it,) = found.resources
    assert isinstance(it.props["data"], Sealed)
    assert "abc" not in repr(it)
    with pytest.raises(Undecided):
        reveal(it.props["data"])


def test_values_of_the_engine_keep_their_marks() -> None:
    told = plain({"a": {**SECRET, "value": {"b": "x"}}, "c": 3.0, "d": [True, None]})
    assert isinstance(told["a"]["b"], Sealed)
    assert told["c"] == 3
    assert isinstance(told["c"], int)
    assert told["d"] == [True, None]
    assert plain("04da6b54-80e4-46f7-96ec-b56ff0331ba9") is UNKNOWN


def test_the_configuration_of_the_pack_sets_levels(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "policy.json"
    arguments = ("local", "--state", tmp_path / "s", "--policy-config", config)
    for level, words in (("mandatory", "1 would refuse"), ("disabled", "0 violated")):
        config.write_text(json.dumps({"ks-kubernetes-07": level}))
        assert _run(*arguments) == 0
        assert words in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{", "[]", '{"checkpoint": 3}'])
def test_a_state_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "local.json"
    file.write_text(text)
    with pytest.raises(SandboxError, match="cannot be read"):
        read_resources(file)
