"""The written reference is the one that the controls give."""

from __future__ import annotations

import json
import re

from policy import controls
from policy.core.options import NAME, SCHEMA
from policy.reference import TARGET, reference


def test_the_policy_reference_is_not_stale() -> None:
    assert TARGET.read_text() == reference(), "run: .venv/bin/python -m policy.reference"


def test_every_control_is_a_row_and_a_section() -> None:
    text = reference()
    for control in controls.ALL:
        assert text.count(f"| [{control.id}](#{control.id}) |") == 1
        assert text.count(f"#### {control.id}\n") == 1


def test_the_example_of_a_configuration_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", reference(), re.DOTALL)
    read = json.loads(example)
    assert set(read[NAME]) <= set(SCHEMA)
    assert set(read) - {NAME} <= {control.id for control in controls.ALL}
