"""The reference of the controls has all of them."""

from __future__ import annotations

import json
import re

from docsgen.policies import page
from policy import controls
from policy.core.options import NAME, SCHEMA


def test_every_control_is_a_row_and_a_section() -> None:
    text = page()
    for control in controls.ALL:
        assert text.count(f"| [{control.id}](#{control.id}) |") == 1
        assert text.count(f"#### {control.id}\n") == 1


def test_the_example_of_a_configuration_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", page(), re.DOTALL)
    read = json.loads(example)
    assert set(read[NAME]) <= set(SCHEMA)
    assert set(read) - {NAME} <= {control.id for control in controls.ALL}
