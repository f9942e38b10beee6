"""Every stack on the page about pods is valid, and Kestra's pods have what it says."""

from __future__ import annotations

import re

import pytest
import yaml

from components.settings.pods import PodSettings
from components.validation import load
from tests.components.pods_support import specs
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "pods.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block[:0])
def test_a_stack_of_the_page_is_valid(block: str) -> None:
    config = yaml.safe_load(block)["config"]
    document = {key.removeprefix("kestra:"): value for key, value in config.items()}
    if "edition" not in document:
        document["server"] = {"basic-auth": {"username": "admin@example.com"}}
    loaded = load(document, source="docs/pods.md")
    assert loaded.warnings == ()
    assert specs(loaded.settings)


def test_the_page_speaks_of_every_setting() -> None:
    assert len(BLOCKS) >= 7
    for field in PodSettings.model_fields.values():
        assert f"`{field.alias}`" in PAGE or f"{field.alias}:" in PAGE, field.alias
