"""`python -m components adopt`: the state of a killed update, mended by who has looked what exists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.__main__ import main

TYPE = "aws:secretsmanager/secret:Secret"
URN = f"urn:pulumi:production::kestra::{TYPE}::store-declared-TOKEN"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    operation = {
        "type": "creating",
        "resource": {"urn": URN, "type": TYPE, "inputs": {"name": "n"}},
    }
    file = tmp_path / "state.json"
    deployment = {"resources": [], "pending_operations": [operation]}
    file.write_text(json.dumps({"version": 3, "deployment": deployment}))
    return file


def test_what_was_under_way_is_listed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adopt", str(state)]) == 0
    assert capsys.readouterr().out == f"creating   store-declared-TOKEN ({TYPE})\n"
    state.write_text('{"version": 3, "deployment": {}}')
    assert main(["adopt", str(state)]) == 0
    assert capsys.readouterr().out == "Nothing was under way.\n"


@pytest.mark.parametrize("name", ["store-declared-TOKEN", URN])
def test_what_exists_is_in_the_state_with_its_id(
    state: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adopt", str(state), f"{name}=arn:aws:s=1"]) == 0
    state_after = json.loads(capsys.readouterr().out)
    assert state_after["version"] == 3
    assert "pending_operations" not in state_after["deployment"]
    (resource,) = state_after["deployment"]["resources"]
    assert (resource["urn"], resource["id"]) == (URN, "arn:aws:s=1")


@pytest.mark.parametrize("given", ["other=1", "store-declared-TOKEN="])
def test_what_was_not_being_created_is_refused(
    state: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adopt", str(state), given]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"Not adopted: {given.partition('=')[0]}." in printed.err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"deployment": null}'])
def test_what_is_no_state_is_refused_in_a_sentence(
    state: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state.write_text(text)
    assert main(["adopt", str(state)]) == 1
    assert "is no state: write it with `pulumi stack export --file`." in capsys.readouterr().err
